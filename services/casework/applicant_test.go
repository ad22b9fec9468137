package casework

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/fault"
)

// save saves somebody's profile.
func (h *hall) save(login string, p *caseworkv1.Profile) *caseworkv1.Profile {
	h.t.Helper()
	saved, err := h.own.UpdateProfile(as(h.t.Context(), login), &caseworkv1.UpdateProfileRequest{Profile: p, RequestId: newID()})
	if err != nil {
		h.t.Fatal(explain(err))
	}
	return saved
}

// profileOf reads somebody's profile in full.
func (h *hall) profileOf(login string) *caseworkv1.Profile {
	h.t.Helper()
	p, err := h.own.GetProfile(as(h.t.Context(), login), &caseworkv1.GetProfileRequest{Full: true})
	if err != nil {
		h.t.Fatal(explain(err))
	}
	return p
}

func ada() *caseworkv1.Profile {
	return &caseworkv1.Profile{
		DisplayName: "艾达", IdType: caseworkv1.IdType_ID_TYPE_RESIDENT_ID, IdNumber: adaID, Phone: "13812341234", Email: "ada@example.com",
		Address: "惠州市测试路 1 号", Language: "en",
	}
}

func TestProfile(t *testing.T) {
	eachHall(t, func(h *hall) {
		ctx := as(h.t.Context(), "ada")
		if empty, err := h.own.GetProfile(ctx, &caseworkv1.GetProfileRequest{}); err != nil || empty.GetEtag() != "" {
			t.Fatalf("before: %v, %v", empty, err)
		}
		req := &caseworkv1.UpdateProfileRequest{Profile: ada(), RequestId: newID()}
		saved, err := h.own.UpdateProfile(ctx, req)
		if err != nil {
			t.Fatal(explain(err))
		}
		if saved.GetDisplayName() != "艾*" || saved.GetIdNumber() == adaID || saved.GetPhone() == "13812341234" || saved.GetAddress() != "******" || saved.GetEmail() != "a***@example.com" {
			t.Errorf("the answer is not masked: %v", saved)
		}
		if again, err := h.own.UpdateProfile(ctx, req); err != nil || bytesOf(t, again) != bytesOf(t, saved) {
			t.Errorf("again: %v, %v", again, err)
		}
		other := proto.CloneOf(req)
		other.Profile.Phone = "13900000000"
		_, err = h.own.UpdateProfile(ctx, other)
		h.refusedWith(err, fault.RequestIDReused)

		// What was shown masked comes back and stays; what is new is taken.
		saved.Phone = "13900000000"
		next := h.save("ada", saved)
		if got := h.profileOf("ada"); got.GetPhone() != "13900000000" || got.GetIdNumber() != adaID || got.GetAddress() != "惠州市测试路 1 号" || got.GetLanguage() != "en" || got.GetEmail() != "ada@example.com" {
			t.Errorf("kept: %v", got)
		}
		_, err = h.own.UpdateProfile(ctx, &caseworkv1.UpdateProfileRequest{Profile: saved, RequestId: newID()})
		h.refusedWith(err, fault.ETagStale)
		_, err = h.own.UpdateProfile(ctx, &caseworkv1.UpdateProfileRequest{Profile: ada(), RequestId: newID()})
		h.refusedWith(err, fault.ETagMissing)
		h.profileRefusals(next)
		if p := h.profileOf("bob"); p.GetPhone() != "" {
			t.Errorf("bob sees %v", p)
		}
		h.sealed("ada")
	})
}

func (h *hall) profileRefusals(saved *caseworkv1.Profile) {
	h.t.Helper()
	for field, change := range map[string]func(*caseworkv1.Profile){
		"profile.id_number": func(p *caseworkv1.Profile) {
			p.IdType, p.IdNumber = caseworkv1.IdType_ID_TYPE_RESIDENT_ID, bobID
		},
		"profile.phone":            func(p *caseworkv1.Profile) { p.Phone = "12" },
		"profile.email":            func(p *caseworkv1.Profile) { p.Email = "no address" },
		"profile.delivery_address": func(p *caseworkv1.Profile) { p.DeliveryAddress = "一\u202e二" },
		"profile.language":         func(p *caseworkv1.Profile) { p.Language = "fr" },
	} {
		p := proto.CloneOf(saved)
		change(p)
		_, err := h.own.UpdateProfile(as(h.t.Context(), "ada"), &caseworkv1.UpdateProfileRequest{Profile: p, RequestId: newID()})
		if vs := fault.Of(err).Violations(); err == nil || len(vs) != 1 || vs[0].Field != field {
			h.t.Errorf("%s: %v", field, err)
		}
	}
	_, err := h.own.GetProfile(as(h.t.Context(), "window"), &caseworkv1.GetProfileRequest{})
	h.refusedWith(err, fault.PermissionDenied)
}

// sealed looks at what lies in the table: nothing that anybody could read, and nothing
// that opens in another place.
func (h *hall) sealed(login string) {
	h.t.Helper()
	key := everybody[login].IdentityKey
	_, data, err := store.Profile(h.t.Context(), h.service.db.Read(), key)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, secret := range []string{"艾达", adaID, "13900000000"} {
		if bytes.Contains(data, []byte(secret)) {
			h.t.Errorf("%s lies open in the table", secret)
		}
	}
	p := &caseworkv1.Profile{}
	if err := h.service.unseal(everybody["bob"].IdentityKey, profileName(key), data, p); err == nil {
		h.t.Error("it opens for somebody else")
	}
	if err := h.service.unseal(key, profileName("other"), data, p); err == nil {
		h.t.Error("it opens in another place")
	}
	if err := h.service.unseal(key, profileName(key), data[:5], p); err == nil {
		h.t.Error("a piece of it opens")
	}
}

func TestListMyCases(t *testing.T) {
	eachHall(t, func(h *hall) {
		names := map[string]bool{}
		for range 3 {
			names[h.file(promisedItem).GetName()] = true
		}
		names[h.draft("ada", instantItem).GetName()] = true
		token, got := "", 0
		for {
			res, err := h.own.ListMyCases(as(h.t.Context(), "ada"), &caseworkv1.ListMyCasesRequest{PageSize: 3, PageToken: token})
			if err != nil {
				t.Fatal(explain(err))
			}
			for _, c := range res.GetCases() {
				if !names[c.GetName()] || c.GetApplicant().GetIdNumber() == adaID || c.GetForm() != nil {
					t.Errorf("listed %v", c)
				}
				got++
			}
			if token = res.GetNextPageToken(); token == "" {
				break
			}
		}
		if got != len(names) {
			t.Errorf("%d cases of %d", got, len(names))
		}
		res, err := h.own.ListMyCases(as(h.t.Context(), "bob"), &caseworkv1.ListMyCasesRequest{})
		if err != nil || len(res.GetCases()) != 0 {
			t.Errorf("bob sees %v, %v", res, err)
		}
	})
}

// An officer who applies for something privately has no office in its own case.
func TestNoOfficeInOnesOwnCase(t *testing.T) {
	h := oneHall(t)
	c := h.file(promisedItem)
	_, err := h.client.AcceptCase(as(t.Context(), "ownofficer"), &caseworkv1.AcceptCaseRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID()})
	h.refusedWith(err, fault.NotFound)
	if _, err := h.client.GetCase(as(t.Context(), "ownofficer"), &caseworkv1.GetCaseRequest{Name: c.GetName()}); err != nil {
		t.Errorf("reads its own: %v", err)
	}
}
