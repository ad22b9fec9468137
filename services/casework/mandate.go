package casework

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
)

// CreateMandate gives a mandate.
func (s *Service) CreateMandate(ctx context.Context, req *caseworkv1.CreateMandateRequest) (*caseworkv1.Mandate, error) {
	a, err := applicantOf(ctx)
	if err != nil {
		return nil, err
	}
	r := newRequest(a, "", "CreateMandate", req)
	m, row, err := s.newMandate(ctx, a, req.GetMandate())
	if err != nil {
		return replayedMandate(s.refused(ctx, r, err))
	}
	shown := maskedMandate(m)
	err = s.db.Write(ctx, m.GetName(), func(ctx context.Context, tx *db.Tx) error {
		if _, err := feed.Append(ctx, tx, feed.Draft{
			Subject: m.GetName(), Sequence: 1, Type: "mandate.granted", Resource: shown, Actor: a.Subject, RequestKey: r.key, RequestHash: r.hash,
		}); err != nil {
			return err
		}
		return store.InsertMandate(ctx, tx, row)
	})
	if err != nil {
		return replayedMandate(err)
	}
	return shown, nil
}

// fillMandate writes into the mandate what the row knows.
func (s *Service) fillMandate(m *caseworkv1.Mandate, row store.Mandate) {
	m.State = caseworkv1.MandateState(mandateFacts(row, m).State(s.clock.Now()))
	m.RevokeTime, m.Etag = stamp(row.Revoked), feed.Etag(m.GetName(), row.Seq)
}

func mandateFacts(row store.Mandate, m *caseworkv1.Mandate) rules.Mandate {
	return rules.Mandate{Principal: row.Principal, Agent: row.Agent, Items: m.GetItems(), Starts: row.Starts, Ends: row.Ends, Revoked: row.Revoked}
}

// opened is a stored mandate with both sides in full.
func (s *Service) opened(row store.Mandate) (*caseworkv1.Mandate, error) {
	m := &caseworkv1.Mandate{}
	if err := s.unseal(row.Principal, "mandates/"+row.ID, row.Data, m); err != nil {
		return nil, err
	}
	s.fillMandate(m, row)
	return m, nil
}

// mandate reads a mandate that the caller gave or got; others do not exist for it.
func (s *Service) mandate(ctx context.Context, a authn.Access, name string) (*caseworkv1.Mandate, store.Mandate, error) {
	row, found, err := store.GetMandate(ctx, s.db.Read(), lastPart(name))
	if err != nil {
		return nil, row, err
	}
	if !found || (row.Principal != a.IdentityKey && row.Agent != a.IdentityKey) {
		return nil, row, fault.NotFound.New()
	}
	m, err := s.opened(row)
	return m, row, err
}

// GetMandate reads one mandate.
func (s *Service) GetMandate(ctx context.Context, req *caseworkv1.GetMandateRequest) (*caseworkv1.Mandate, error) {
	a, err := applicantOf(ctx)
	if err != nil {
		return nil, err
	}
	m, _, err := s.mandate(ctx, a, req.GetName())
	if err != nil {
		return nil, err
	}
	return maskedMandate(m), nil
}

// ListMandates lists the caller's mandates, newest first.
func (s *Service) ListMandates(ctx context.Context, req *caseworkv1.ListMandatesRequest) (*caseworkv1.ListMandatesResponse, error) {
	a, err := applicantOf(ctx)
	if err != nil {
		return nil, err
	}
	size, err := page.Size(req.GetPageSize(), 50, 200)
	if err != nil {
		return nil, err
	}
	hash := page.FilterHash("ListMandates", req.GetSide().String())
	key, err := s.pages.Decode(req.GetPageToken(), a.Subject, hash)
	if err != nil {
		return nil, err
	}
	f := store.MandateFilter{Principal: a.IdentityKey, Size: size + 1}
	if req.GetSide() == caseworkv1.MandateSide_MANDATE_SIDE_RECEIVED {
		f.Principal, f.Agent = "", a.IdentityKey
	}
	if len(key) == 2 {
		micros, err := strconv.ParseInt(key[0], 10, 64)
		if err != nil {
			return nil, fault.BadPageToken.New(fault.Field("page_token"), fault.Cause(err))
		}
		f.Before = store.Mandate{ID: key[1], Created: db.Time(micros)}
	}
	rows, err := store.Mandates(ctx, s.db.Read(), f)
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListMandatesResponse{}
	if len(rows) > size {
		rows = rows[:size]
		last := rows[size-1]
		res.NextPageToken = s.pages.Encode(a.Subject, hash, strconv.FormatInt(db.Micros(last.Created), 10), last.ID)
	}
	for _, row := range rows {
		m, err := s.opened(row)
		if err != nil {
			return nil, err
		}
		res.Mandates = append(res.Mandates, maskedMandate(m))
	}
	return res, nil
}

// RevokeMandate ends a mandate, by either side.
func (s *Service) RevokeMandate(ctx context.Context, req *caseworkv1.RevokeMandateRequest) (*caseworkv1.Mandate, error) {
	a, err := applicantOf(ctx)
	if err != nil {
		return nil, err
	}
	r := newRequest(a, "", "RevokeMandate", req)
	m, row, err := s.mandate(ctx, a, req.GetName())
	if err != nil {
		return nil, err
	}
	if err := feed.CheckEtag(req.GetEtag(), m.GetName(), row.Seq); err != nil {
		return replayedMandate(s.refused(ctx, r, err))
	}
	if !row.Revoked.IsZero() {
		return replayedMandate(s.refused(ctx, r, fault.MandateRevoked.New()))
	}
	row.Seq++
	row.Revoked = s.clock.Now()
	s.fillMandate(m, row)
	shown := maskedMandate(m)
	err = s.db.Write(ctx, m.GetName(), func(ctx context.Context, tx *db.Tx) error {
		if _, err := feed.Append(ctx, tx, feed.Draft{
			Subject: m.GetName(), Sequence: row.Seq, Type: "mandate.revoked", Resource: shown, Actor: a.Subject, RequestKey: r.key, RequestHash: r.hash,
		}); err != nil {
			return err
		}
		return store.RevokeMandate(ctx, tx, row.ID, row.Seq, row.Revoked)
	})
	if errors.Is(err, fault.Conflict) {
		err = s.refused(ctx, r, fault.ETagStale.New(fault.Field("etag")))
	}
	if err != nil {
		return replayedMandate(err)
	}
	return shown, nil
}

// replayedMandate is the mandate that a repeated request made the first time, or the error.
func replayedMandate(err error) (*caseworkv1.Mandate, error) {
	e, ok := feed.Replayed(err)
	if !ok {
		return nil, err
	}
	m := &caseworkv1.Mandate{}
	if err := proto.Unmarshal(e.GetResource(), m); err != nil {
		return nil, fmt.Errorf("casework: mandate of an event: %w", err)
	}
	return m, nil
}

func maskedMandate(m *caseworkv1.Mandate) *caseworkv1.Mandate {
	out := proto.CloneOf(m)
	out.Principal, out.Agent = maskedParty(m.GetPrincipal()), maskedParty(m.GetAgent())
	return out
}

func maskedParty(p *caseworkv1.Party) *caseworkv1.Party {
	a := maskedApplicant(&caseworkv1.Applicant{DisplayName: p.GetDisplayName(), IdType: p.GetIdType(), IdNumber: p.GetIdNumber()})
	return &caseworkv1.Party{DisplayName: a.DisplayName, IdType: a.IdType, IdNumber: a.IdNumber}
}

// reaches reports whether a mandate is for an item.
func reaches(m *caseworkv1.Mandate, item string) bool {
	return len(m.GetItems()) == 0 || slices.Contains(m.GetItems(), item)
}

// mandateID is the id in a mandate's name.
func mandateID(name string) string { return strings.TrimPrefix(name, "mandates/") }
