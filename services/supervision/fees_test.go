package supervision_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/feed"
)

// attempt writes that something was tried on a case and refused.
func (h *house) attempt(i int, serial int64, command, reason string) {
	h.t.Helper()
	subject := caseName(i) + "/attempts"
	if err := h.source.db.Write(h.t.Context(), subject, func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{Subject: subject, Sequence: serial, Type: "case.attempt_refused", Actor: "user/officer", Resource: &caseworkv1.RefusedAttempt{
			Case: caseName(i), Serial: int32(serial), Command: command, Reason: reason, Actor: "user/officer",
		}})
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
}

// Charges are judged by what the item publishes, attempts by themselves, and a dry run of
// the rules in force finds what they found.
func TestFeesAndAttempts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, item := range map[string]*cataloguev1.Item{
			hall + "/items/x": {Charged: true, Fees: []*cataloguev1.Fee{{DisplayName: "工本费", AmountFen: 1000}}},
			hall + "/items/y": {},
		} {
			h.publish(name, &cataloguev1.ItemRevision{Name: name + "/revisions/1", Revision: 1, Item: item})
		}
		charged := func(item string, fen int64, paid *timestamppb.Timestamp) func(*caseworkv1.Case) {
			return func(c *caseworkv1.Case) {
				c.Item, c.ItemRevision = hall+"/items/"+item, 1
				c.Charges = []*caseworkv1.Charge{{Serial: 1, DisplayName: "工本费", AmountFen: fen, Basis: "粤价〔2014〕1号", Officer: "user/cashier", ChargeTime: c.GetAcceptTime(), PaymentTime: paid}}
			}
		}
		h.tell(1, 1, charged("x", 1000, timestamppb.New(monday)))
		h.tell(2, 1, charged("x", 1500, nil))
		h.tell(3, 1, charged("y", 1000, timestamppb.New(monday.AddDate(0, 0, -1))))
		h.tell(4, 1, nil)
		h.attempt(4, 1, "approve", "SAME_PERSON_FORBIDDEN")
		h.attempt(4, 2, "extend", "EXTENSION_LIMIT")
		h.attempt(99, 1, "extend", "EXTENSION_LIMIT") // of a case that nobody told of
		var got []string
		h.eventually("the cards", func() bool {
			got = nil
			for _, c := range h.cards("supervisor", &supervisionv1.ListCardsRequest{Parent: hall}) {
				got = append(got, c.GetSubject()[len(c.GetSubject())-1:]+" "+c.GetRule())
			}
			slices.Sort(got)
			return len(got) >= 5
		})
		want := []string{"2 F2_FEE_AMOUNT", "3 F1_FEE_ON_FREE", "3 F4_FEE_TIMING", "4 P14_REFUSED_ATTEMPT", "4 P14_REFUSED_ATTEMPT"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		res, err := h.client.DryRunRules(h.As("supervisor"), &supervisionv1.DryRunRulesRequest{Parent: hall, StartDate: "2018-10-01", EndDate: "2018-10-31"})
		if err != nil || res.GetCases() != 4 || len(res.GetDifferences()) != 0 || len(res.GetCounts()) != 4 {
			t.Errorf("the rules in force differ from themselves: %v, %v", res, err)
		}
	})
}
