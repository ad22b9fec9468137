package supervision

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/supervision/internal/rules"
)

var attemptType = string((&caseworkv1.RefusedAttempt{}).ProtoReflect().Descriptor().FullName())

// applyAttempt judges what was tried on a case and refused. The case is as it was.
func (e *engine) applyAttempt(ctx context.Context, tx *db.Tx, b *batch, ev *feedv1.Event) error {
	m := &caseworkv1.RefusedAttempt{}
	if err := proto.Unmarshal(ev.GetResource(), m); err != nil {
		return fmt.Errorf("refused attempt of %s: %w", ev.GetSubject(), err)
	}
	w := b.cases[m.GetCase()]
	if w == nil {
		found, err := e.load(ctx, tx, []string{m.GetCase()})
		if err != nil {
			return err
		}
		if w = found[m.GetCase()]; w == nil {
			return nil // of a case that supervision does not know
		}
		b.cases[m.GetCase()] = w
	}
	entered := ev.GetEnteredAt().AsTime()
	due, err := w.fallDue(entered)
	if err != nil {
		return err
	}
	if err := w.load(); err != nil {
		return err
	}
	w.policy.Rules = setAt(b.own, w.row.Hall, entered).rules
	deed := rules.Deed{Type: ev.GetType(), Sequence: ev.GetSequence(), Actor: ev.GetActor(), Happened: timeOf(ev.GetHappenedAt()),
		Entered: entered, Attempt: m.GetCommand(), Refused: m.GetReason()}
	w.row.Deeds += encodeDeed(deed)
	w.dirty = true
	found, err := w.policy.Conduct(w.facts, deed, w.known)
	if err != nil {
		e.report(ctx, m.GetCase(), err)
	}
	b.drafts = append(b.drafts, due...)
	for _, f := range found {
		b.drafts = append(b.drafts, w.raise(f))
	}
	return nil
}
