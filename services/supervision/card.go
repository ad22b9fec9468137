package supervision

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

const (
	defaultPage = 50
	maxPage     = 200
)

func cardOf(data []byte) (*supervisionv1.Card, error) {
	c := &supervisionv1.Card{}
	if err := proto.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("stored card: %w", err)
	}
	return c, nil
}

// covers reports whether a thing of a hall and department, given by resource names, is
// within the caller's reach.
func covers(a authn.Access, hall, department, ownerKey string) bool {
	return a.Covers(divisionOf(hall), lastPart(department), ownerKey)
}

// GetCard reads a card.
func (s *Service) GetCard(ctx context.Context, req *supervisionv1.GetCardRequest) (*supervisionv1.Card, error) {
	access, _ := authn.AccessFrom(ctx)
	row, err := store.GetCard(ctx, s.db.Read(), req.GetName())
	if err != nil {
		return nil, err
	}
	if !covers(access, row.Hall, row.Department, "") || row.State.Hidden() && !seesHidden(access) {
		return nil, fault.NotFound.New()
	}
	c, err := cardOf(row.Data)
	if err != nil {
		return nil, err
	}
	return c, s.escalate(ctx, c)
}

// ownDepartment is the department a list is narrowed to: the one asked for, and for
// who reaches no further than a department its own. Another's is not found.
func ownDepartment(a authn.Access, hall, asked string) (string, error) {
	if a.Scope != optionsv1.Scope_SCOPE_DEPARTMENT {
		return asked, nil
	}
	own := "halls/" + a.Hall + "/departments/" + a.Department
	if a.Department == "" || hall != "halls/"+a.Hall || asked != "" && asked != own {
		return "", fault.NotFound.New()
	}
	return own, nil
}

// ListCards lists cards, newest first.
func (s *Service) ListCards(ctx context.Context, req *supervisionv1.ListCardsRequest) (*supervisionv1.ListCardsResponse, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	filter := store.CardFilter{Subject: req.GetSubject(), Level: rules.Level(req.GetLevel()), State: store.CardState(req.GetState()), Hidden: seesHidden(access)}
	if filter.Department, err = ownDepartment(access, req.GetParent(), req.GetDepartment()); err != nil {
		return nil, err
	}
	if req.GetParent() != "halls/-" {
		filter.Hall = req.GetParent()
	}
	question := page.FilterHash("cards", req.GetParent(), filter.Department, filter.Subject, strconv.Itoa(int(filter.Level)), strconv.Itoa(int(filter.State)))
	key, err := s.pages.Decode(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if len(key) == 1 {
		if before, err = strconv.ParseInt(key[0], 10, 64); err != nil {
			return nil, fault.BadPageToken.New(fault.Cause(err))
		}
	}
	rows, err := store.ListCards(ctx, s.db.Read(), filter, before, size+1)
	if err != nil {
		return nil, err
	}
	res := &supervisionv1.ListCardsResponse{}
	if len(rows) > size {
		rows = rows[:size]
		res.NextPageToken = s.pages.Encode(access.Subject, question, strconv.FormatInt(rows[size-1].ID, 10))
	}
	for _, row := range rows {
		if !matches(filter, row) || !covers(access, row.Hall, row.Department, "") {
			continue // found by its subject, which may be anybody's
		}
		c, err := cardOf(row.Data)
		if err != nil {
			return nil, err
		}
		if err := s.escalate(ctx, c); err != nil {
			return nil, err
		}
		res.Cards = append(res.Cards, c)
	}
	return res, nil
}

// matches holds a row against the parts of the filter that the query did not use.
func matches(f store.CardFilter, row store.Card) bool {
	return (f.Hall == "" || row.Hall == f.Hall) && (f.Department == "" || row.Department == f.Department)
}

// RevokeCard takes a card back; it stays visible as revoked.
func (s *Service) RevokeCard(ctx context.Context, req *supervisionv1.RevokeCardRequest) (*supervisionv1.Card, error) {
	reason, err := codes.Text(req.GetReason(), 1000)
	if err != nil {
		return nil, fault.At("reason", err)
	}
	return s.changeCard(ctx, cardChange{
		method: "RevokeCard", event: "card.revoked", name: req.GetName(), etag: req.GetEtag(),
		key: req.GetRequestId(), request: req,
		change: func(_ context.Context, _ *db.Tx, c *supervisionv1.Card, now *timestamppb.Timestamp) error {
			c.State, c.RevokeReason, c.RevokeTime = supervisionv1.CardState_CARD_STATE_REVOKED, reason, now
			return nil
		},
	})
}

// ReplyCard answers a card for its department; a later answer replaces the former,
// and the events keep both.
func (s *Service) ReplyCard(ctx context.Context, req *supervisionv1.ReplyCardRequest) (*supervisionv1.Card, error) {
	reply, err := codes.Text(req.GetReply(), 2000)
	if err != nil {
		return nil, fault.At("reply", err)
	}
	return s.changeCard(ctx, cardChange{
		method: "ReplyCard", event: "card.replied", name: req.GetName(), etag: req.GetEtag(),
		key: req.GetRequestId(), request: req,
		change: func(_ context.Context, _ *db.Tx, c *supervisionv1.Card, now *timestamppb.Timestamp) error {
			if c.GetReplyTime() == nil {
				c.ReplyLate = late(c.GetFeedbackDueDate(), now)
			}
			c.Reply, c.ReplyTime = reply, now
			return nil
		},
	})
}

// cardChange is one change of a card that a request asks for.
type cardChange struct {
	method, event, name, etag, key string
	request                        proto.Message
	// from are the states it is allowed in; empty for a card that stands.
	from []store.CardState
	// change makes the change, or refuses it before anything is written.
	change func(ctx context.Context, tx *db.Tx, c *supervisionv1.Card, now *timestamppb.Timestamp) error
}

func (s *Service) changeCard(ctx context.Context, ch cardChange) (*supervisionv1.Card, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	key, hash := feed.RequestKey(hallOf(ch.name), access.Subject, ch.method, ch.key), feed.RequestHash(ch.request)
	var answer *supervisionv1.Card
	err := s.db.Write(ctx, hallOf(ch.name), func(ctx context.Context, tx *db.Tx) error {
		row, err := store.GetCard(ctx, tx, ch.name)
		if err != nil {
			return err
		}
		if !covers(access, row.Hall, row.Department, "") || row.State.Hidden() && !seesHidden(access) {
			return fault.NotFound.New()
		}
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		if err := feed.CheckEtag(ch.etag, row.Name, row.Sequence); err != nil {
			return err
		}
		if err := ch.allowed(row.State); err != nil {
			return err
		}
		c, err := cardOf(row.Data)
		if err != nil {
			return err
		}
		if err := ch.change(ctx, tx, c, timestamppb.New(tx.Now())); err != nil {
			return err
		}
		counted := row.State.Standing()
		if err := saveCard(ctx, tx, row, c, feed.Draft{Type: ch.event, Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash}); err != nil {
			return err
		}
		if counted != stateOf(c).Standing() {
			if err := s.engine.scoreAgain(ctx, tx, c, "变更"); err != nil {
				return err
			}
		}
		answer = c
		return nil
	})
	if e, ok := feed.Replayed(err); ok {
		return cardOf(e.GetResource())
	}
	return answer, err
}

// cardStates are the states' names in refusals.
var cardStates = map[store.CardState]string{store.Pending: "待确认", store.Issued: "已发出", store.Revoked: "已撤销", store.Cancelled: "已取消", store.UnderOrder: "督办中"}

// allowed refuses a change in a state it is not meant for.
func (ch cardChange) allowed(state store.CardState) error {
	switch {
	case len(ch.from) == 0 && state == store.Revoked:
		return fault.CardRevoked.New()
	case len(ch.from) == 0 && !state.Standing(), len(ch.from) > 0 && !slices.Contains(ch.from, state):
		return fault.CardWrongState.New(fault.Meta("state", cardStates[state]))
	}
	return nil
}

// saveCard writes a card one sequence on, and the event that says why.
func saveCard(ctx context.Context, tx *db.Tx, row store.Card, c *supervisionv1.Card, event feed.Draft) error {
	c.Etag = feed.Etag(row.Name, row.Sequence+1)
	event.Subject, event.Sequence, event.Resource = row.Name, row.Sequence+1, c
	if _, err := feed.Append(ctx, tx, event); err != nil {
		return err
	}
	return store.UpdateCard(ctx, tx, row.Name, marshal(c), stateOf(c), row.Sequence+1)
}

// ListRules lists the rules in force by the general scheme.
func (s *Service) ListRules(context.Context, *supervisionv1.ListRulesRequest) (*supervisionv1.ListRulesResponse, error) {
	policy := s.engine.policies.general
	res := &supervisionv1.ListRulesResponse{Preset: policy.Preset.Name}
	for _, r := range policy.Catalog() {
		res.Rules = append(res.Rules, &supervisionv1.Rule{
			Id: r.ID, DisplayName: r.Name, Description: r.Description, Level: supervisionv1.CardLevel(r.Level),
			LegalSource: r.Source, Version: r.Version,
		})
	}
	return res, nil
}
