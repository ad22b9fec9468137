package supervision_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// publish writes an event of the catalogue.
func (h *house) publish(name string, resource proto.Message) {
	h.t.Helper()
	if err := h.catalogue.db.Write(h.t.Context(), name, func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{Subject: name, Sequence: 1, Type: "hall.created", Resource: resource, Actor: "editor"})
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
}

// yellow makes a case late and gives its yellow card, issued on Thursday 25 October.
func (h *house) yellow(i int) *supervisionv1.Card {
	h.t.Helper()
	h.tell(i, 1, func(c *caseworkv1.Case) { c.StatutoryLimit = 0 })
	h.clock.Set(monday.AddDate(0, 0, 10))
	var found *supervisionv1.Card
	h.eventually("the yellow card", func() bool {
		for _, c := range h.cards("supervisor", &supervisionv1.ListCardsRequest{Parent: hall, Subject: caseName(i), Level: supervisionv1.CardLevel_CARD_LEVEL_YELLOW}) {
			found = c
		}
		return found != nil
	})
	return found
}

func (h *house) appeal(user string, c *supervisionv1.Card) (*supervisionv1.Card, error) {
	return h.client.AppealCard(h.As(user), &supervisionv1.AppealCardRequest{Name: c.GetName(), RequestId: uuid.NewString(), Etag: c.GetEtag(), Content: "当日系统故障，办件无法提交，请予核实"})
}

func (h *house) decide(user string, c *supervisionv1.Card, result supervisionv1.AppealState) (*supervisionv1.Card, error) {
	return h.client.DecideAppeal(h.As(user), &supervisionv1.DecideAppealRequest{Name: c.GetName(), RequestId: uuid.NewString(), Etag: c.GetEtag(),
		Result: result, Opinion: "经核实系统日志，情况属实"})
}

const (
	revoked  = supervisionv1.AppealState_APPEAL_STATE_REVOKED
	rejected = supervisionv1.AppealState_APPEAL_STATE_REJECTED
	referred = supervisionv1.AppealState_APPEAL_STATE_REFERRED
)

// An appeal is made once and in time, and decided by revoking, by rejecting, or above.
func TestAppeals(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.publish(hall, &cataloguev1.Hall{Name: hall, ParentHall: "halls/440000", DisplayName: "惠州市"})
		card := h.yellow(1)
		if card.GetFeedbackDueDate() != "2018-11-01" || card.GetCorrectDueDate() != "2018-11-15" {
			t.Errorf("due %s and %s", card.GetFeedbackDueDate(), card.GetCorrectDueDate())
		}
		if _, err := h.decide("supervisor", card, revoked); !is(err, fault.AppealNone) {
			t.Errorf("decided before it was made: %v", err)
		}
		if _, err := h.appeal("head2", card); !is(err, fault.NotFound) {
			t.Errorf("by another department: %v", err)
		}
		appealed, err := h.appeal("officer", card)
		if err != nil || appealed.GetAppeal().GetState() != supervisionv1.AppealState_APPEAL_STATE_PENDING || appealed.GetAppeal().GetDueDate() != "2018-11-01" {
			t.Fatalf("%v, %v", appealed, err)
		}
		if _, err := h.appeal("head", appealed); !is(err, fault.AppealExists) {
			t.Errorf("twice: %v", err)
		}
		var up *supervisionv1.Card
		h.eventually("the hall above is known", func() bool { up, err = h.decide("supervisor", appealed, referred); return err == nil })
		if up.GetAppeal().GetHall() != "halls/440000" || up.GetState() != supervisionv1.CardState_CARD_STATE_ISSUED {
			t.Errorf("%v", up)
		}
		if _, err := h.decide("supervisor2", up, referred); !is(err, fault.InvalidArgument) {
			t.Errorf("referred above the top: %v", err)
		}
		if _, err := h.decide("supervisor", up, revoked); !is(err, fault.SamePersonForbidden) {
			t.Errorf("by who referred it: %v", err)
		}
		h.clock.Set(monday.AddDate(0, 0, 20))
		done, err := h.decide("supervisor2", up, revoked)
		if err != nil || done.GetState() != supervisionv1.CardState_CARD_STATE_REVOKED || done.GetRevokeReason() == "" || !done.GetAppeal().GetDecidedLate() {
			t.Fatalf("%v, %v", done, err)
		}
		if _, err := h.decide("supervisor", done, rejected); !is(err, fault.CardRevoked) {
			t.Errorf("decided again: %v", err)
		}
	})
}

// What comes late is marked or refused; corrections are told apart from answers; the
// count keeps revoked cards apart.
func TestCardLife(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first, second := h.yellow(1), h.yellow(2)
		appealed, err := h.appeal("head", first)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := h.decide("supervisor", appealed, rejected)
		if err != nil || kept.GetState() != supervisionv1.CardState_CARD_STATE_ISSUED || kept.GetAppeal().GetDecidedLate() {
			t.Fatalf("%v, %v", kept, err)
		}
		if _, err := h.decide("supervisor2", kept, revoked); !is(err, fault.AppealNone) {
			t.Errorf("a rejected appeal decided again: %v", err)
		}
		h.clock.Set(monday.AddDate(0, 0, 18)) // Friday 2 November: the day to answer is over
		if _, err := h.appeal("head", second); !is(err, fault.AppealLate) {
			t.Errorf("too late: %v", err)
		}
		replied, err := h.client.ReplyCard(h.As("officer"), &supervisionv1.ReplyCardRequest{Name: second.GetName(), RequestId: uuid.NewString(), Etag: second.GetEtag(), Reply: "已经办结"})
		if err != nil || !replied.GetReplyLate() {
			t.Fatalf("%v, %v", replied, err)
		}
		corrected, err := h.client.CorrectCard(h.As("officer"), &supervisionv1.CorrectCardRequest{Name: second.GetName(), RequestId: uuid.NewString(), Etag: replied.GetEtag(), Correction: "增派人手，逐日检查到期办件"})
		if err != nil || corrected.GetCorrectLate() || corrected.GetCorrection() == "" {
			t.Fatalf("%v, %v", corrected, err)
		}
		if _, err := h.client.RevokeCard(h.As("supervisor"), &supervisionv1.RevokeCardRequest{Name: second.GetName(), RequestId: uuid.NewString(), Etag: corrected.GetEtag(), Reason: "系统故障造成，予以撤销"}); err != nil {
			t.Fatal(err)
		}
		for user, parent := range map[string]string{"supervisor": "halls/-", "supervisor2": hall, "head": hall} {
			got, err := h.client.CountCards(h.As(user), &supervisionv1.CountCardsRequest{Parent: parent})
			want := &supervisionv1.CountCardsResponse{Valid: 3, Revoked: 1, Counts: []*supervisionv1.CardCount{
				{Hall: hall, Department: d1, Level: supervisionv1.CardLevel_CARD_LEVEL_WARNING, Valid: 2},
				{Hall: hall, Department: d1, Level: supervisionv1.CardLevel_CARD_LEVEL_YELLOW, Valid: 1, Revoked: 1},
			}}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || err != nil {
				t.Errorf("%s: %v, %s", user, err, diff)
			}
		}
		if _, err := h.client.CountCards(h.As("head"), &supervisionv1.CountCardsRequest{Parent: hall, Department: d2}); !is(err, fault.NotFound) {
			t.Errorf("another's department: %v", err)
		}
		got, err := h.client.CountCards(h.As("supervisor"), &supervisionv1.CountCardsRequest{Parent: hall, Department: d2})
		if err != nil || got.GetValid() != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
}
