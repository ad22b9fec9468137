package supervision

import (
	"context"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// regulation is what one person drafts and another lets hold from a day on: a rule set, a
// formula of scores.
type regulation interface {
	proto.Message
	GetName() string
	GetState() supervisionv1.RuleSetState
	GetAuthor() string
}

// regulations are those of one kind.
type regulations[M regulation] struct {
	// kind is the store's; method, event and collection begin or end the names of calls,
	// events and resources, question those of pages.
	kind, method, event, collection, question string

	parse func(data []byte) (M, error)
	// approved and notAhead are why one is not approved.
	approved, notAhead *fault.Reason
	// approve notes on one who approved it; from is the first day on which it holds.
	approve func(m M, by act, from workday.Date)
}

// act is who did what becomes of a regulation, and when.
type act struct {
	name, etag, person string
	at                 *timestamppb.Timestamp
}

// draft writes a new one, as its content is given.
func (r regulations[M]) draft(ctx context.Context, s *Service, req interface {
	proto.Message
	GetParent() string
	GetRequestId() string
}, content func(by act) M) (answer M, err error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return answer, fault.Unauthenticated.New()
	}
	key, hash := feed.RequestKey(req.GetParent(), access.Subject, "Create"+r.method, req.GetRequestId()), feed.RequestHash(req)
	err = s.db.Write(ctx, req.GetParent(), func(ctx context.Context, tx *db.Tx) error {
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		id := tx.NextID()
		name := fmt.Sprintf("%s/%s/%d", req.GetParent(), r.collection, id)
		m := content(act{name: name, etag: feed.Etag(name, 1), person: access.Subject, at: timestamppb.New(tx.Now())})
		if _, err := feed.Append(ctx, tx, feed.Draft{Subject: name, Sequence: 1, Type: r.event + ".drafted", Resource: m,
			Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash}); err != nil {
			return err
		}
		answer = m
		return store.InsertRuleSet(ctx, tx, store.RuleSet{ID: id, Name: name, Hall: req.GetParent(), Data: marshal(m), Kind: r.kind})
	})
	if e, ok := feed.Replayed(err); ok {
		return r.parse(e.GetResource())
	}
	return answer, err
}

// hold lets one hold from a day on, for another person than its author. The day lies
// ahead, so that nobody can change by what past deeds are judged.
func (r regulations[M]) hold(ctx context.Context, s *Service, req interface {
	proto.Message
	GetName() string
	GetEtag() string
	GetEffectiveDate() string
	GetRequestId() string
}) (answer M, err error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return answer, fault.Unauthenticated.New()
	}
	day, err := workday.ParseDate(req.GetEffectiveDate())
	if err != nil {
		return answer, fault.InvalidArgument.New(fault.Field("effective_date"), fault.Cause(err))
	}
	hall := hallOf(req.GetName())
	key, hash := feed.RequestKey(hall, access.Subject, "Approve"+r.method, req.GetRequestId()), feed.RequestHash(req)
	err = s.db.Write(ctx, hall, func(ctx context.Context, tx *db.Tx) error {
		row, err := store.GetRuleSet(ctx, tx, req.GetName())
		if err != nil {
			return err
		}
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		if err := feed.CheckEtag(req.GetEtag(), row.Name, row.Sequence); err != nil {
			return err
		}
		m, err := r.parse(row.Data)
		if err != nil {
			return err
		}
		switch {
		case m.GetState() != supervisionv1.RuleSetState_RULE_SET_STATE_DRAFT:
			return r.approved.New()
		case m.GetAuthor() == access.Subject:
			return fault.SamePersonForbidden.New()
		case day <= workday.DateOf(tx.Now()):
			return r.notAhead.New(fault.Field("effective_date"))
		}
		row.Sequence, row.Effective = row.Sequence+1, workday.StartOfDay(day)
		r.approve(m, act{name: row.Name, etag: feed.Etag(row.Name, row.Sequence), person: access.Subject, at: timestamppb.New(tx.Now())}, day)
		if _, err := feed.Append(ctx, tx, feed.Draft{Subject: row.Name, Sequence: row.Sequence, Type: r.event + ".approved", Resource: m,
			Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash}); err != nil {
			return err
		}
		row.Data, answer = marshal(m), m
		return store.UpdateRuleSet(ctx, tx, row)
	})
	if e, ok := feed.Replayed(err); ok {
		return r.parse(e.GetResource())
	}
	return answer, err
}

// list lists a hall's, newest first.
func (r regulations[M]) list(ctx context.Context, s *Service, req interface {
	GetParent() string
	GetPageSize() int32
	GetPageToken() string
}) (all []M, next string, err error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, "", fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, "", err
	}
	question := page.FilterHash(r.question, req.GetParent())
	key, err := s.pages.Decode(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, "", err
	}
	before := int64(0)
	if len(key) == 1 {
		if before, err = strconv.ParseInt(key[0], 10, 64); err != nil {
			return nil, "", fault.BadPageToken.New(fault.Cause(err))
		}
	}
	rows, err := store.ListRuleSets(ctx, s.db.Read(), r.kind, req.GetParent(), before, size+1)
	if err != nil {
		return nil, "", err
	}
	if len(rows) > size {
		rows = rows[:size]
		next = s.pages.Encode(access.Subject, question, strconv.FormatInt(rows[size-1].ID, 10))
	}
	for _, row := range rows {
		m, err := r.parse(row.Data)
		if err != nil {
			return nil, "", err
		}
		all = append(all, m)
	}
	return all, next, nil
}
