package casework

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// tellCases lets the changed cases become what their rows tell.
func (b *ingestBatch) tellCases(ctx context.Context) error {
	var numbers []string
	for _, c := range b.cases {
		if c.changed && c.known.CaseNo != "" {
			numbers = append(numbers, c.known.CaseNo)
		}
	}
	slices.Sort(numbers)
	stored, err := store.GetMany(ctx, b.tx, numbers)
	if err != nil {
		return err
	}
	var saved []store.ExchangeCase
	for _, no := range slices.Sorted(maps.Keys(b.cases)) {
		c := b.cases[no]
		if c.changed {
			if err := b.tellCase(ctx, c, stored[c.known.CaseNo]); err != nil {
				return err
			}
			saved = append(saved, c.known)
		}
		name := ""
		if c.known.CaseNo != "" {
			name = caseName(hallOf(b.source.GetName()), c.known.CaseNo)
		}
		for i, key := range c.results {
			b.results[i].Case, b.results[i].Waiting = name, strings.Contains(" "+c.known.Waiting+" ", " "+key.Name()+" ")
		}
	}
	return store.SaveExchangeCases(ctx, b.tx, saved)
}

// tellCase tells one case anew. What follows on what was told before becomes an event for
// each fact; what tells it otherwise becomes one event with the corrected case.
func (b *ingestBatch) tellCase(ctx context.Context, c *toldCase, old store.Row) error {
	rows := c.standing()
	item, at := b.itemOf(c, rows)
	traits := exchange.Traits{}
	if item != nil {
		traits = exchange.Traits{Instant: item.Instant, FullFlow: item.FullFlow}
	}
	told, gaps := exchange.Tell(rows, traits, c.known.Forced)
	b.noteGaps(c, gaps)
	if len(told) == 0 || item == nil {
		return nil
	}
	list := toldList(told)
	before := c.known.Told
	c.known.Told = list
	if before == list {
		return nil
	}
	t := &teller{s: b.s, key: sourceKey(b.source.GetName()), item: item}
	if c.known.CaseNo == "" {
		return b.open(ctx, c, t, told, at)
	}
	follows := strings.HasPrefix(list+" ", before+" ")
	return b.goOn(ctx, c, t, told, old, follows, len(strings.Fields(before)))
}

// itemOf is the item revision by the application, or by any row while that is missing.
func (b *ingestBatch) itemOf(c *toldCase, rows []*exchange.Row) (*rules.Item, time.Time) {
	at := c.latest
	for _, r := range rows {
		if r.Table == exchange.Application {
			at = r.At
		}
	}
	return b.s.itemAt("halls/"+hallOf(b.source.GetName())+"/items/"+c.item, at), at
}

// noteGaps notes what waits now, and since when.
func (b *ingestBatch) noteGaps(c *toldCase, gaps []exchange.Gap) {
	was := !c.known.Since.IsZero()
	var waiting, missing []string
	for _, g := range gaps {
		waiting = append(waiting, g.Row.Name())
		for _, k := range g.Missing {
			// What waits itself is not what is missing.
			if _, here := c.rows[exchange.Key{Case: g.Row.Case, Table: k.Table, Serial: k.Serial}]; !here && !slices.Contains(missing, k.Name()) {
				missing = append(missing, k.Name())
			}
		}
	}
	slices.Sort(waiting)
	slices.Sort(missing)
	c.known.Waiting, c.known.Missing = strings.Join(waiting, " "), strings.Join(missing, " ")
	switch now := len(gaps) > 0; {
	case now && !was:
		c.known.Since, b.gaps = b.now, b.gaps+1
	case !now && was:
		c.known.Since, b.gaps = time.Time{}, b.gaps-1
	}
}

// toldList writes down which rows were told, in which version and order. Rows that tell
// nothing by themselves are left out: another version of one is no correction.
func toldList(told []*exchange.Row) string {
	var words []string
	for _, r := range told {
		if !silentRow(r) {
			words = append(words, r.Key.Name()+"@"+strconv.Itoa(r.Version))
		}
	}
	return strings.Join(words, " ")
}

// silentRow reports a status that says only that a supplement was asked for: the notice
// itself tells that.
func silentRow(r *exchange.Row) bool {
	return r.Table == exchange.PreAccept && r.Get("YSLZTDM") == "3" || r.Table == exchange.Acceptance && r.Get("SLZTDM") == "3"
}

// story lets the teller tell all rows, and counts the scenes of the first so many.
// What rows cannot tell is kept from the case as it was.
func (t *teller) story(source string, was *caseworkv1.Case, told []*exchange.Row, behind int) int {
	t.c, t.scenes = &caseworkv1.Case{Name: was.GetName(), Source: source, ForwardedCase: was.GetForwardedCase(), DueChange: was.GetDueChange()}, nil
	t.was = was
	skip, n := 0, 0
	for _, r := range told {
		if silentRow(r) {
			continue
		}
		t.tell(r)
		if n++; n == behind {
			skip = len(t.scenes)
		}
	}
	return skip
}

// open makes the case that the rows tell of.
func (b *ingestBatch) open(ctx context.Context, c *toldCase, t *teller, told []*exchange.Row, at time.Time) error {
	for try := 1; ; try++ {
		no, err := b.s.drawNumber(hallOf(b.source.GetName()), at)
		if err != nil {
			return err
		}
		t.story(b.source.GetName(), &caseworkv1.Case{Name: caseName(hallOf(b.source.GetName()), no)}, told, 0)
		err = b.append(ctx, t.scenes[0], 1)
		if errors.Is(err, fault.Conflict) && try < numberTries {
			b.s.serials.leave()
			continue // the number is taken
		}
		if err != nil {
			return err
		}
		c.known.CaseNo = no
		last, err := b.appendAll(ctx, t.scenes[1:], 2)
		if err != nil {
			return err
		}
		row, err := b.rowOf(t, last)
		if err != nil {
			return err
		}
		return store.Insert(ctx, b.tx, row)
	}
}

// goOn writes what became of a case that is known.
func (b *ingestBatch) goOn(ctx context.Context, c *toldCase, t *teller, told []*exchange.Row, old store.Row, follows bool, behind int) error {
	var was caseworkv1.Case
	if err := proto.Unmarshal(old.Data, &was); err != nil {
		return fmt.Errorf("casework: stored case %s: %w", old.CaseNo, err)
	}
	skip := t.story(b.source.GetName(), &was, told, behind)
	corrections := was.GetCorrections()
	scenes := t.scenes[skip:]
	if !follows {
		corrections++
		last := t.scenes[len(t.scenes)-1]
		last.event, last.actor, last.at = correctedEvent, systemOf(t.key), time.Time{}
		scenes = []scene{last}
	}
	for _, sc := range scenes {
		sc.c.Corrections = corrections
	}
	t.c.Corrections = corrections
	if len(scenes) == 0 {
		return nil
	}
	last, err := b.appendAll(ctx, scenes, old.Seq+1)
	if err != nil {
		return err
	}
	row, err := b.rowOf(t, last)
	if err != nil {
		return err
	}
	return store.SaveTold(ctx, b.tx, old, row)
}

// correctedEvent tells that a source told a case otherwise than before.
const correctedEvent = "case.corrected"

// appendAll writes the events of scenes and gives the sequence of the last.
func (b *ingestBatch) appendAll(ctx context.Context, scenes []scene, first int64) (int64, error) {
	for i, sc := range scenes {
		if err := b.append(ctx, sc, first+int64(i)); err != nil {
			return 0, err
		}
	}
	return first + int64(len(scenes)) - 1, nil
}

func (b *ingestBatch) append(ctx context.Context, sc scene, seq int64) error {
	sc.c.UpdateTime, sc.c.Etag = stamp(b.now), feed.Etag(sc.c.GetName(), seq)
	_, err := feed.Append(ctx, b.tx, feed.Draft{
		Subject: sc.c.GetName(), Sequence: seq, Type: sc.event, Resource: masked(sc.c), Actor: sc.actor, HappenedAt: sc.at,
	})
	return err
}

// rowOf is the case as stored.
func (b *ingestBatch) rowOf(t *teller, seq int64) (store.Row, error) {
	c := t.c
	c.UpdateTime, c.Etag = stamp(b.now), feed.Etag(c.GetName(), seq)
	data, err := proto.Marshal(c)
	if err != nil {
		return store.Row{}, fmt.Errorf("casework: case: %w", err)
	}
	return store.Row{
		CaseNo: lastPart(c.GetName()), Hall: hallOf(c.GetName()), Department: departmentKey(c.GetDepartment()), ApplicantKey: c.GetApplicantKey(),
		State: t.f.State, Stage: t.now.stage, Due: t.now.due, Dated: t.now.dated, Reckoned: t.now.book, Seq: seq, Happened: t.f.Last, Data: data,
	}, nil
}
