package casework

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// applicantOf is who calls as an applicant. One whose token names no number has nothing
// of its own.
func applicantOf(ctx context.Context) (authn.Access, error) {
	a, err := caller(ctx)
	if err != nil {
		return a, err
	}
	if a.IdentityKey == "" {
		return a, fault.IdentityUnknown.New()
	}
	return a, nil
}

// profileName is the subject of a profile's events. The key says nothing of its owner.
func profileName(key string) string { return "profiles/" + key }

// GetProfile reads the caller's profile.
func (s *Service) GetProfile(ctx context.Context, req *caseworkv1.GetProfileRequest) (*caseworkv1.Profile, error) {
	a, err := applicantOf(ctx)
	if err != nil {
		return nil, err
	}
	p, _, err := s.profile(ctx, a.IdentityKey)
	if err != nil || req.GetFull() {
		return p, err
	}
	return maskedProfile(p), nil
}

// profile reads what an applicant keeps; an empty one of sequence 0 when it keeps nothing.
func (s *Service) profile(ctx context.Context, key string) (*caseworkv1.Profile, int64, error) {
	seq, data, err := store.Profile(ctx, s.db.Read(), key)
	p := &caseworkv1.Profile{}
	if err != nil || seq == 0 {
		return p, 0, err
	}
	return p, seq, s.unseal(key, profileName(key), data, p)
}

// UpdateProfile saves the caller's profile.
func (s *Service) UpdateProfile(ctx context.Context, req *caseworkv1.UpdateProfileRequest) (*caseworkv1.Profile, error) {
	a, err := applicantOf(ctx)
	if err != nil {
		return nil, err
	}
	// A client may read it again before it repeats itself, so the etag is no part of what
	// makes two requests equal.
	bare := proto.CloneOf(req)
	bare.Profile.Etag = ""
	r := newRequest(a, "", "UpdateProfile", bare)
	m, err := s.updateProfile(ctx, a, r, req.GetProfile())
	e, replayed := feed.Replayed(err)
	if !replayed {
		return m, err
	}
	m = &caseworkv1.Profile{}
	if err := proto.Unmarshal(e.GetResource(), m); err != nil {
		return nil, fmt.Errorf("casework: profile of an event: %w", err)
	}
	return m, nil
}

func (s *Service) updateProfile(ctx context.Context, a authn.Access, r request, sent *caseworkv1.Profile) (*caseworkv1.Profile, error) {
	name := profileName(a.IdentityKey)
	old, seq, err := s.profile(ctx, a.IdentityKey)
	if err != nil {
		return nil, err
	}
	if seq > 0 || sent.GetEtag() != "" {
		if err := feed.CheckEtag(sent.GetEtag(), name, seq); err != nil {
			return nil, s.refused(ctx, r, fault.At("profile", err))
		}
	}
	next, err := s.cleanProfile(a, old, sent)
	if err != nil {
		return nil, s.refused(ctx, r, err)
	}
	next.UpdateTime, next.Etag = stamp(s.clock.Now()), feed.Etag(name, seq+1)
	data, err := s.seal(a.IdentityKey, name, next)
	if err != nil {
		return nil, err
	}
	m := maskedProfile(next)
	err = s.db.Write(ctx, name, func(ctx context.Context, tx *db.Tx) error {
		if _, err := feed.Append(ctx, tx, feed.Draft{
			Subject: name, Sequence: seq + 1, Type: "profile.updated", Resource: m, Actor: a.Subject, RequestKey: r.key, RequestHash: r.hash,
		}); err != nil {
			return err
		}
		return store.PutProfile(ctx, tx, a.IdentityKey, seq+1, data)
	})
	if errors.Is(err, fault.Conflict) {
		return nil, s.refused(ctx, r, fault.ETagStale.New(fault.Field("profile.etag")))
	}
	return m, err
}

// cleanProfile is what was sent in its one spelling. What was sent back as it was shown
// stays as it is.
func (s *Service) cleanProfile(a authn.Access, old, sent *caseworkv1.Profile) (*caseworkv1.Profile, error) {
	p, shown := proto.CloneOf(sent), maskedProfile(old)
	for _, f := range []struct {
		field            string
		value            *string
		shown, unchanged string
		clean            func(string) (string, error)
	}{
		{"display_name", &p.DisplayName, shown.DisplayName, old.DisplayName, codes.CleanName},
		{"contact_name", &p.ContactName, shown.ContactName, old.ContactName, codes.CleanName},
		{"legal_representative", &p.LegalRepresentative, shown.LegalRepresentative, old.LegalRepresentative, codes.CleanName},
		{"phone", &p.Phone, shown.Phone, old.Phone, codes.Phone},
		{"email", &p.Email, shown.Email, old.Email, email},
		{"address", &p.Address, shown.Address, old.Address, func(t string) (string, error) { return codes.Line(t, 300) }},
		{"delivery_address", &p.DeliveryAddress, shown.DeliveryAddress, old.DeliveryAddress, func(t string) (string, error) { return codes.Line(t, 300) }},
		{"id_number", &p.IdNumber, shown.IdNumber, old.IdNumber, func(t string) (string, error) { return s.ownNumber(a, p.IdType, t) }},
	} {
		switch {
		case *f.value == "":
			continue
		case *f.value == f.shown:
			*f.value = f.unchanged
			continue
		}
		text, err := f.clean(*f.value)
		if err != nil {
			return nil, fault.At("profile."+f.field, err)
		}
		*f.value = text
	}
	if p.IdNumber == "" {
		p.IdType = caseworkv1.IdType_ID_TYPE_UNSPECIFIED
	} else if p.IdNumber == old.IdNumber {
		p.IdType = old.IdType
	}
	return p, nil
}

// ownNumber refuses a number that is not the caller's.
func (s *Service) ownNumber(a authn.Access, kind caseworkv1.IdType, number string) (string, error) {
	clean, key, err := s.numbered(kind, number)
	if err != nil {
		return "", err
	}
	if key != a.IdentityKey {
		return "", fault.PermissionDenied.New()
	}
	return clean, nil
}

// numbered is an identity number in its one spelling with the key that stands for it.
func (s *Service) numbered(kind caseworkv1.IdType, number string) (clean, key string, err error) {
	switch kind {
	case caseworkv1.IdType_ID_TYPE_RESIDENT_ID:
		if clean, err = codes.ResidentIDAt(number, s.clock.Now()); err == nil {
			key = s.identity(authn.IDTypeResident, clean)
		}
	case caseworkv1.IdType_ID_TYPE_USCC:
		if clean, err = codes.USCC(number); err == nil {
			key = s.identity(authn.IDTypeUSCC, clean)
		}
	default:
		err = fault.InvalidArgument.New()
	}
	return clean, key, err
}

func email(text string) (string, error) {
	text = strings.TrimSpace(text)
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text {
		return "", fault.InvalidArgument.New(fault.Cause(err))
	}
	return codes.Line(text, 100)
}

// maskedProfile leaves enough for its owner to recognise it.
func maskedProfile(p *caseworkv1.Profile) *caseworkv1.Profile {
	m := proto.CloneOf(p)
	a := maskedApplicant(&caseworkv1.Applicant{
		DisplayName: p.GetDisplayName(), IdType: p.GetIdType(), IdNumber: p.GetIdNumber(), ContactName: p.GetContactName(),
		Phone: p.GetPhone(), Address: p.GetAddress(),
	})
	m.DisplayName, m.IdNumber, m.ContactName, m.Phone, m.Address = a.DisplayName, a.IdNumber, a.ContactName, a.Phone, a.Address
	m.LegalRepresentative, m.DeliveryAddress = codes.MaskName(p.GetLegalRepresentative()), maskAddress(p.GetDeliveryAddress())
	if name, domain, ok := strings.Cut(p.GetEmail(), "@"); ok {
		m.Email = string([]rune(name)[:1]) + "***@" + domain
	}
	return m
}
