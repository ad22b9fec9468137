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

const (
	// feedbackDays are the working days in which a department answers a card.
	feedbackDays = 5
	// confirmDays are the working days in which a supervisor confirms or cancels one.
	confirmDays = 2
)

// cardDraft is a finding on its way to become a card.
type cardDraft struct {
	finding rules.Finding
	subject subject
	policy  rules.Policy
	// again counts the cards of this name that a new calendar has revoked.
	again int
}

// name is made of what the card is about and nothing else, so that whoever comes to
// the same finding again comes to the same name.
func (d cardDraft) name() string {
	name := fmt.Sprintf("%s/cards/%s.%s", hallOf(d.subject.name), d.subject.id(), d.finding.Key())
	if d.again > 0 {
		name += fmt.Sprintf(".%d", d.again+1)
	}
	return name
}

// issue writes the drafted cards and their events, but for those that are there already.
func (e *engine) issue(ctx context.Context, tx *db.Tx, drafts ...cardDraft) error {
	if len(drafts) == 0 {
		return nil
	}
	own, err := e.own.inForce(ctx, tx)
	if err != nil {
		return err
	}
	past, held := rules.MonthOf(tx.Now()), false
	for _, d := range drafts {
		card, err := d.issue(ctx, tx, settingAt(own, hallOf(d.subject.name), d.finding))
		if err != nil {
			return err
		}
		month := rules.MonthOf(d.finding.AsOf)
		if card == nil || month >= past || !stateOf(card).Standing() {
			continue
		}
		// What is told of a month that is over may come when its scores are frozen, or are
		// being frozen just now.
		if !held {
			if err := store.HoldMonths(ctx, tx); err != nil {
				return err
			}
			held = true
		}
		if err := e.scoreAgain(ctx, tx, card, "后发"); err != nil {
			return err
		}
	}
	return nil
}

// card is the draft as a card that nobody has answered.
func (d cardDraft) card(issued time.Time) *supervisionv1.Card {
	f, c := d.finding, d.subject
	return &supervisionv1.Card{
		Name: d.name(), Rule: f.Rule, RuleVersion: f.Version, Level: supervisionv1.CardLevel(f.Level),
		Subject: c.name, ItemTitle: c.itemTitle, Item: c.item, Department: c.department, Officer: f.Officer,
		Ground: f.Ground, LegalSource: d.policy.LegalSource(f.Rule), AsOf: timestamppb.New(f.AsOf), IssueTime: timestamppb.New(issued),
		DaysUsed: int32(f.Used), Limit: int32(f.Limit), Etag: feed.Etag(d.name(), 1),
	}
}

// issue writes the card and its event, unless the card is there already. Whether it waits
// for confirmation is by the setting at its moment, so a replay comes to the same. It
// returns the card, or nil when nothing was written.
func (d cardDraft) issue(ctx context.Context, tx *db.Tx, s setting) (*supervisionv1.Card, error) {
	card := d.card(tx.Now())
	row := store.Card{ID: tx.NextID(), Name: card.GetName(), Hall: hallOf(card.GetSubject()), Department: card.GetDepartment(),
		Subject: card.GetSubject(), Level: d.finding.Level, State: store.Issued,
		Rule: card.GetRule(), Item: card.GetItem(), Officer: card.GetOfficer(), AsOf: d.finding.AsOf}
	event := "card.issued"
	from := answerFrom(d.finding.AsOf, tx.Now())
	if s.confirm {
		due, _ := d.policy.Calendar.Add(divisionOf(row.Hall), from, confirmDays)
		event, row.State, row.ConfirmBy = "card.pending", store.Pending, workday.StartOfDay(due+1)
		card.State, card.ConfirmDueDate = supervisionv1.CardState_CARD_STATE_PENDING, due.String()
	} else {
		enforce(card, d.policy, s, from)
	}
	row.Data = marshal(card)
	fresh, err := store.InsertCard(ctx, tx, row)
	if err != nil {
		return nil, err
	}
	if !fresh {
		return d.issueAgain(ctx, tx, s)
	}
	_, err = feed.Append(ctx, tx, feed.Draft{
		Subject: card.GetName(), Sequence: 1, Type: event, Resource: card, Actor: systemActor, HappenedAt: d.finding.AsOf,
	})
	return card, err
}

// enforce makes a card count from a day on: the days to answer begin, and there is
// something to tell.
func enforce(c *supervisionv1.Card, p rules.Policy, s setting, from workday.Date) {
	division := divisionOf(c.GetName())
	feedback, _ := p.Calendar.Add(division, from, feedbackDays)
	correct, _ := p.Calendar.Add(division, from, correctDays)
	c.State, c.FeedbackDueDate, c.CorrectDueDate = supervisionv1.CardState_CARD_STATE_ISSUED, feedback.String(), correct.String()
	c.Notice = s.notice(c, p)
}

// issueAgain issues the card under a further name where the one of the name was revoked
// because the calendar changed: the condition has come true a second time.
func (d cardDraft) issueAgain(ctx context.Context, tx *db.Tx, s setting) (*supervisionv1.Card, error) {
	row, err := store.GetCard(ctx, tx, d.name())
	if err != nil || row.State.Standing() {
		return nil, err
	}
	c, err := cardOf(row.Data)
	if err != nil || !c.GetRevokedByRecompute() {
		return nil, err
	}
	d.again++
	return d.issue(ctx, tx, s)
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
