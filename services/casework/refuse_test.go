package casework

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

func TestFilingRefused(t *testing.T) {
	h := oneHall(t)
	person := func(change func(*caseworkv1.Applicant)) func(*caseworkv1.FileCaseRequest) {
		return func(r *caseworkv1.FileCaseRequest) { change(r.Case.Applicant) }
	}
	for _, tc := range []struct {
		name, as string
		change   func(*caseworkv1.FileCaseRequest)
		want     *fault.Reason
		meta     string
	}{
		{"unknown item", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = promisedItem[:len(promisedItem)-1] + "9" }, fault.ItemNotFound, ""},
		{"another hall's item", "ada", func(r *caseworkv1.FileCaseRequest) { r.Parent = "halls/441302" }, fault.ItemNotFound, ""},
		{"paused item", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = pausedItem }, fault.ItemNotInForce, "current_revision=0"},
		{"announced item", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = futureItem }, fault.ItemNotInForce, ""},
		{"draft item", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = draftItem }, fault.ItemNotInForce, ""},
		{"item past its last day", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = endedItem }, fault.ItemNotInForce, ""},
		{"another revision", "ada", func(r *caseworkv1.FileCaseRequest) { r.ItemRevision = 7 }, fault.ItemNotInForce, "current_revision=1"},
		{"wrong kind of applicant", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = bodiesItem }, fault.WrongApplicantType, "current_revision=1"},
		{"somebody else's number", "bob", func(*caseworkv1.FileCaseRequest) {}, fault.PermissionDenied, ""},
		{"window without consent", "window", func(*caseworkv1.FileCaseRequest) {}, fault.ConsentRequired, ""},
		{"window of another hall", "elsewhere", func(r *caseworkv1.FileCaseRequest) { r.Consent = true }, fault.NotFound, ""},
		{"officer", "officer", func(*caseworkv1.FileCaseRequest) {}, fault.PermissionDenied, ""},
		{"nobody", "nobody", func(*caseworkv1.FileCaseRequest) {}, fault.Unauthenticated, ""},
		{"applicant claims a time", "ada", func(r *caseworkv1.FileCaseRequest) { r.HappenedAt = timestamppb.New(monday.Add(-time.Hour)) }, fault.PermissionDenied, ""},
		{"window claims tomorrow", "window", func(r *caseworkv1.FileCaseRequest) {
			r.Consent, r.HappenedAt = true, timestamppb.New(monday.Add(time.Hour))
		}, fault.TimeInFuture, ""},
		{"applicant claims to be at the window", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Channel = caseworkv1.Channel_CHANNEL_WINDOW }, fault.InvalidArgument, ""},
		{"wrong check digit", "ada", person(func(a *caseworkv1.Applicant) { a.IdNumber = adaID[:17] + "1" }), fault.BadResidentID, ""},
		{"29 February 2023", "ada", person(func(a *caseworkv1.Applicant) { a.IdNumber = "110105202302290013" }), fault.BadResidentID, ""},
		{"15 digits", "ada", person(func(a *caseworkv1.Applicant) { a.IdNumber = "110105491231002" }), fault.BadResidentID, ""},
		{"person with a credit code", "ada", person(func(a *caseworkv1.Applicant) { a.IdType = caseworkv1.IdType_ID_TYPE_USCC }), fault.InvalidArgument, ""},
		{"name written backwards", "ada", person(func(a *caseworkv1.Applicant) { a.DisplayName = "艾\u202e达" }), fault.BadName, ""},
		{"name that cannot be seen", "ada", person(func(a *caseworkv1.Applicant) { a.DisplayName = "艾\u200d达" }), fault.BadName, ""},
		{"phone of emoji", "ada", person(func(a *caseworkv1.Applicant) { a.Phone = "1️⃣3️⃣8️⃣" }), fault.BadPhone, ""},
		{"blank address", "ada", person(func(a *caseworkv1.Applicant) { a.Address = "   " }), fault.BadText, ""},
		{"blank subject", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Subject = " \t " }, fault.BadText, ""},
		{"no material", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials = nil }, fault.MaterialMissing, "material=m1"},
		{"one material missing", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials = r.Case.Materials[:1] }, fault.MaterialMissing, "material=m2"},
		{"unknown material", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials[0].MaterialId = "m9" }, fault.MaterialUnknown, ""},
		{"a material twice", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials[1].MaterialId = "m1" }, fault.MaterialDuplicate, ""},
		{"a file twice", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials[1].Sha256 = sha('a') }, fault.MaterialDuplicate, ""},
		{"200 materials", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials = manyMaterials(200) }, fault.InvalidArgument, ""},
		{"form of 9 levels", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Form = deepForm(9) }, fault.FormTooLarge, ""},
		{"form of 201 values", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Form = wideForm(201) }, fault.FormTooLarge, ""},
		{"a number that is none", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Form = formOf(structpb.NewNumberValue(math.NaN())) }, fault.InvalidArgument, ""},
		{"a value without a kind", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Form = formOf(&structpb.Value{}) }, fault.InvalidArgument, ""},
		{"the first moment of the year 1", "window", func(r *caseworkv1.FileCaseRequest) {
			r.Consent, r.HappenedAt = true, timestamppb.New(time.Time{})
		}, fault.OrderBroken, ""},
		{"no request id", "ada", func(r *caseworkv1.FileCaseRequest) { r.RequestId = "" }, fault.RequestIDMissing, ""},
		{"zero request id", "ada", func(r *caseworkv1.FileCaseRequest) { r.RequestId = "00000000-0000-0000-0000-000000000000" }, fault.RequestIDInvalid, ""},
		{"request id that is no UUID", "ada", func(r *caseworkv1.FileCaseRequest) { r.RequestId = "again" }, fault.RequestIDInvalid, ""},
		{"form of 8 levels and 200 values", "ada", func(r *caseworkv1.FileCaseRequest) {
			r.Case.Form = deepForm(8)
			for k, v := range wideForm(192).Fields {
				r.Case.Form.Fields[k] = v
			}
		}, nil, ""},
		{"a promised material", "ada", func(r *caseworkv1.FileCaseRequest) {
			r.Case.Materials[1] = &caseworkv1.CaseMaterial{MaterialId: "m2", Promised: true}
		}, nil, ""},
		{"odd but honest texts", "ada", func(r *caseworkv1.FileCaseRequest) {
			r.Case.Subject, r.Case.Applicant.DisplayName = `<b>'"; DROP TABLE cases; {{.}} %s =cmd|`, "买买提·𠮷"
		}, nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := *h
			h.t = t
			req := filing(promisedItem)
			tc.change(req)
			_, err := h.client.FileCase(as(t.Context(), tc.as), req)
			if tc.want == nil {
				if err != nil {
					t.Errorf("refused: %s", explain(err))
				}
				return
			}
			f := h.refusedWith(err, tc.want)
			if k, v, _ := strings.Cut(tc.meta, "="); f.Metadata()[k] != v {
				t.Errorf("metadata %v, want %s", f.Metadata(), tc.meta)
			}
			if v := f.Violations(); strings.HasPrefix(tc.want.Name, "MATERIAL_") && (len(v) != 1 || v[0].Field != "case.materials") {
				t.Errorf("violations %v", v)
			}
		})
	}
}

func manyMaterials(n int) []*caseworkv1.CaseMaterial {
	var out []*caseworkv1.CaseMaterial
	for i := range n {
		out = append(out, &caseworkv1.CaseMaterial{MaterialId: fmt.Sprintf("m%d", i), Paper: true})
	}
	return out
}

// deepForm has one value at the given level and one at each above it.
func deepForm(levels int) *structpb.Struct {
	v := structpb.NewStringValue("底")
	for range levels {
		v = structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{"内": v}})
	}
	return v.GetStructValue()
}

// formOf is a form with one value.
func formOf(v *structpb.Value) *structpb.Struct {
	return &structpb.Struct{Fields: map[string]*structpb.Value{"a": v}}
}

func wideForm(values int) *structpb.Struct {
	f := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	for i := range values {
		f.Fields[fmt.Sprint(i)] = structpb.NewNumberValue(float64(i))
	}
	return f
}
