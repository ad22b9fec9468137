package supervision

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// The supervision system raises cards by itself.
const systemActor = "system/supervision"

// feedbackDays are the working days in which a department answers a card.
const feedbackDays = 5

// cardDraft is a finding on its way to become a card.
type cardDraft struct {
	finding rules.Finding
	subject subject
	policy  rules.Policy
}

// name is made of what the card is about and nothing else, so that whoever comes to
// the same finding again comes to the same name.
func (d cardDraft) name() string {
	return fmt.Sprintf("%s/cards/%s.%s", hallOf(d.subject.name), d.subject.id(), d.finding.Key())
}

// issue writes the card and its event, unless the card is there already.
func (d cardDraft) issue(ctx context.Context, tx *db.Tx) error {
	f, c := d.finding, d.subject
	from := answerFrom(f.AsOf, tx.Now())
	correct, _ := d.policy.Calendar.Add(divisionOf(c.name), from, correctDays)
	feedback, _ := d.policy.Calendar.Add(divisionOf(c.name), from, feedbackDays)
	card := &supervisionv1.Card{
		Name: d.name(), Rule: f.Rule, RuleVersion: f.Version, Level: supervisionv1.CardLevel(f.Level),
		Subject: c.name, ItemTitle: c.itemTitle, Item: c.item, Department: c.department, Officer: f.Officer,
		Ground: f.Ground, LegalSource: d.policy.LegalSource(f.Rule), AsOf: timestamppb.New(f.AsOf), IssueTime: timestamppb.New(tx.Now()),
		FeedbackDueDate: feedback.String(), CorrectDueDate: correct.String(), State: supervisionv1.CardState_CARD_STATE_ISSUED,
		DaysUsed: int32(f.Used), Limit: int32(f.Limit), Etag: feed.Etag(d.name(), 1),
	}
	fresh, err := store.InsertCard(ctx, tx, store.Card{
		ID: tx.NextID(), Name: card.GetName(), Hall: hallOf(c.name), Department: card.GetDepartment(), Subject: card.GetSubject(),
		Level: f.Level, Data: marshal(card),
	})
	if err != nil || !fresh {
		return err
	}
	_, err = feed.Append(ctx, tx, feed.Draft{
		Subject: card.GetName(), Sequence: 1, Type: "card.issued", Resource: card, Actor: systemActor, HappenedAt: f.AsOf,
	})
	return err
}

// answerFrom is the day from which a department's days to answer count: that of the
// condition, or of the card where that came later. After an outage the limits to reply
// and appeal must not have run out before anybody could know of the card.
func answerFrom(asOf, issued time.Time) workday.Date {
	return max(workday.DateOf(asOf), workday.DateOf(issued))
}

// notePolicy tells in the feed that the clocks were reckoned again.
func notePolicy(ctx context.Context, tx *db.Tx, former, version string, clocks int) error {
	const subject = "supervision/policy"
	last, err := feed.LastSequence(ctx, tx, subject)
	if err != nil {
		return err
	}
	_, err = feed.Append(ctx, tx, feed.Draft{
		Subject: subject, Sequence: last + 1, Type: "policy.changed", Actor: systemActor,
		Resource: &supervisionv1.PolicyChange{FormerVersion: former, Version: version, Clocks: int64(clocks), ChangeTime: timestamppb.New(tx.Now())},
	})
	return err
}

// marshal is for messages we made ourselves, which always can be.
func marshal(m proto.Message) []byte { return feed.Deterministic(m) }
