package supervision

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

const (
	defaultTrial = 2000
	maxTrial     = 5000
	// trialChunk is how many cases are read at once.
	trialChunk = 500
	// maxDifferences is how many differing cards are shown.
	maxDifferences = 200
)

// encodeDeed is a line that tells who told what when.
func encodeDeed(d rules.Deed) string {
	refused := ""
	if d.Refused != "" {
		refused = "\t" + d.Attempt + "\t" + d.Refused
	}
	return fmt.Sprintf("%s\t%d\t%s\t%d\t%d\t%d%s\n", d.Type, d.Sequence, strings.Join(strings.Fields(d.Actor), " "), db.Micros(d.Happened), db.Micros(d.Entered), d.Burst, refused)
}

func decodeDeeds(text string) ([]rules.Deed, error) {
	var all []rules.Deed
	for line := range strings.Lines(text) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(parts) != 6 && len(parts) != 8 {
			return nil, fmt.Errorf("stored deed: %q", line)
		}
		numbers := make([]int64, 0, 4)
		for _, i := range []int{1, 3, 4, 5} {
			n, err := strconv.ParseInt(parts[i], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("stored deed: %w", err)
			}
			numbers = append(numbers, n)
		}
		deed := rules.Deed{Type: parts[0], Sequence: numbers[0], Actor: parts[2], Happened: db.Time(numbers[1]), Entered: db.Time(numbers[2]), Burst: int(numbers[3])}
		if len(parts) == 8 {
			deed.Attempt, deed.Refused = parts[6], parts[7]
		}
		all = append(all, deed)
	}
	return all, nil
}

// trial is one page of a dry run.
type trial struct {
	policy rules.Policy
	book   *almanac.Book
	terms  map[string]*rules.Terms
	until  time.Time
	counts map[countKey]*supervisionv1.DryRunCount
	res    *supervisionv1.DryRunRulesResponse
}

type countKey struct {
	rule  string
	level rules.Level
}

// DryRunRules judges a page of past cases by other rules.
func (s *Service) DryRunRules(ctx context.Context, req *supervisionv1.DryRunRulesRequest) (*supervisionv1.DryRunRulesResponse, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultTrial, maxTrial)
	if err != nil {
		return nil, err
	}
	from, to, err := span(req.GetStartDate(), req.GetEndDate())
	if err != nil {
		return nil, err
	}
	policy, err := s.trialPolicy(req)
	if err != nil {
		return nil, err
	}
	question := page.FilterHash("dry run", req.GetParent(), req.GetStartDate(), req.GetEndDate(), policy.Version())
	key, err := s.pages.Decode(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, err
	}
	after, name := time.Time{}, ""
	if len(key) == 2 {
		micros, err := strconv.ParseInt(key[0], 10, 64)
		if err != nil {
			return nil, fault.BadPageToken.New(fault.Cause(err))
		}
		after, name = db.Time(micros), key[1]
	}
	t := &trial{policy: policy, book: s.engine.almanac.Book(), until: s.judgedUntil(), terms: map[string]*rules.Terms{}, counts: map[countKey]*supervisionv1.DryRunCount{},
		res: &supervisionv1.DryRunRulesResponse{Version: policy.Version()}}
	last, err := t.run(ctx, s.db.Read(), pastCases{hall: req.GetParent(), from: from, to: to, after: after, name: name, left: size})
	if err != nil {
		return nil, err
	}
	if last != nil {
		t.res.NextPageToken = s.pages.Encode(access.Subject, question, strconv.FormatInt(db.Micros(last.Submitted), 10), last.Case)
	}
	return t.answer(), nil
}

// pastCases are the cases a trial is of: those submitted in a span, behind a place in
// their order, so many of them.
type pastCases struct {
	hall            string
	from, to, after time.Time
	name            string
	left            int
}

// pastChunk is some of them, with the cards there are.
type pastChunk struct {
	rows  []*store.Clock
	cards map[string]map[string]bool
}

// read hands on the cases in chunks until there are no more, or as many as wanted, and
// tells whether there are more behind.
func (p pastCases) read(ctx context.Context, q db.Querier, out chan<- pastChunk) (more bool, err error) {
	for p.left > 0 {
		n := min(p.left, trialChunk)
		rows, err := store.SubmittedCases(ctx, q, p.hall, p.from, p.to, p.after, p.name, n)
		if err != nil {
			return false, err
		}
		names := make([]string, len(rows))
		for i, row := range rows {
			names[i] = row.Case
		}
		cards, err := store.CardNames(ctx, q, names)
		if err != nil {
			return false, err
		}
		select {
		case out <- pastChunk{rows, cards}:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		if p.left -= len(rows); len(rows) < n {
			return false, nil
		}
		p.after, p.name = rows[n-1].Submitted, rows[n-1].Case
	}
	return true, nil
}

// run judges the cases, and reads the next while it does. It returns the last one judged
// if there are more behind it.
func (t *trial) run(ctx context.Context, q db.Querier, p pastCases) (last *store.Clock, err error) {
	g, ctx := errgroup.WithContext(ctx)
	chunks, more := make(chan pastChunk, 1), false
	g.Go(func() (err error) {
		defer close(chunks)
		more, err = p.read(ctx, q, chunks)
		return err
	})
	g.Go(func() error {
		for c := range chunks {
			if err := t.judge(ctx, q, c); err != nil {
				return err
			}
			if len(c.rows) > 0 {
				last = c.rows[len(c.rows)-1]
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil || !more {
		return nil, err
	}
	return last, nil
}

// judgedUntil is the moment up to which the cases are judged.
func (s *Service) judgedUntil() time.Time {
	until, now := s.follower.Status().CompleteUntil, s.rt.Clock.Now()
	if until.IsZero() || now.Before(until) {
		return now
	}
	return until
}

// span reads two days, both included.
func span(first, last string) (from, to time.Time, err error) {
	a, err := workday.ParseDate(first)
	if err != nil {
		return from, to, fault.InvalidArgument.New(fault.Field("start_date"), fault.Cause(err))
	}
	b, err := workday.ParseDate(last)
	if err != nil || b < a {
		return from, to, fault.InvalidArgument.New(fault.Field("end_date"), fault.Cause(err))
	}
	return workday.StartOfDay(a), workday.StartOfDay(b + 1), nil
}

// trialPolicy is the hall's policy with what is to be tried.
func (s *Service) trialPolicy(req *supervisionv1.DryRunRulesRequest) (rules.Policy, error) {
	p := s.engine.policyAt(divisionOf(req.GetParent()), s.rt.Clock.Now())
	if req.GetPreset() != "" {
		preset, err := rules.PresetByName(req.GetPreset())
		if err != nil {
			return p, fault.InvalidArgument.New(fault.Field("preset"), fault.Cause(err))
		}
		p.Preset = preset
	}
	var err error
	p.Rules, err = checkRules("trial", req.GetRules(), req.GetDisabledRules())
	return p, err
}

// judge judges cases, as many at once as there are processors.
func (t *trial) judge(ctx context.Context, q db.Querier, c pastChunk) error {
	cases := make([]*watched, len(c.rows))
	found := make([][]rules.Finding, len(c.rows))
	if err := together(len(c.rows), func(i int) error {
		cases[i] = &watched{row: c.rows[i], policy: t.policy, book: t.book}
		return cases[i].load()
	}); err != nil {
		return err
	}
	for _, w := range cases {
		var err error
		if w.facts.Terms, err = t.termsOf(ctx, q, w); err != nil {
			return err
		}
	}
	if err := together(len(c.rows), func(i int) error {
		deeds, err := decodeDeeds(c.rows[i].Deeds)
		if err != nil {
			return err
		}
		if found[i], err = cases[i].policy.Trial(cases[i].facts, deeds, t.until); err != nil {
			return fault.BadRule.New(fault.Meta("detail", err.Error()), fault.Field("rules"))
		}
		return nil
	}); err != nil {
		return err
	}
	for i, w := range cases {
		t.compare(w, found[i], c.cards[w.row.Case])
	}
	return nil
}

// together does n things on all processors, each taking the next that is left.
func together(n int, do func(i int) error) error {
	var next atomic.Int64
	var g errgroup.Group
	for range min(n, runtime.GOMAXPROCS(0)) {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := do(i); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// termsOf are the terms that a case was filed under, each revision read once.
func (t *trial) termsOf(ctx context.Context, q db.Querier, w *watched) (*rules.Terms, error) {
	if w.kept.GetItemRevision() == 0 {
		return nil, nil
	}
	name := fmt.Sprintf("%s/revisions/%d", w.kept.GetItem(), w.kept.GetItemRevision())
	if terms, ok := t.terms[name]; ok {
		return terms, nil
	}
	raw, _, err := store.GetTerms(ctx, q, name)
	if err != nil {
		return nil, err
	}
	t.terms[name], err = decodeTerms(raw)
	return t.terms[name], err
}

// compare puts what the trial found of a case beside the cards there are.
func (t *trial) compare(w *watched, found []rules.Finding, cards map[string]bool) {
	t.res.Cases++
	would := map[string]bool{}
	for _, f := range found {
		name := cardDraft{finding: f, subject: w.subject, policy: t.policy}.name()
		would[name] = true
		c := t.count(f.Rule, f.Level)
		c.Would++
		if cards[name] {
			c.Both++
			continue
		}
		t.differ(&supervisionv1.DryRunCard{Card: name, Case: w.row.Case, Rule: f.Rule, Level: supervisionv1.CardLevel(f.Level),
			AsOf: timestamppb.New(f.AsOf), Ground: f.Ground})
	}
	for name, stands := range cards {
		rule, level, ok := ruleOf(name)
		if !stands || !ok {
			continue
		}
		t.count(rule, level).Stands++
		if !would[name] {
			t.differ(&supervisionv1.DryRunCard{Card: name, Case: w.row.Case, Rule: rule, Level: supervisionv1.CardLevel(level), Stands: true})
		}
	}
}

// ruleOf reads rule and level out of a card's name: …/cards/{subject}.{rule}.{level}.{n}.
func ruleOf(name string) (string, rules.Level, bool) {
	parts := strings.Split(lastPart(name), ".")
	level := rules.None
	if len(parts) < 4 || level.UnmarshalText([]byte(parts[2])) != nil {
		return "", level, false
	}
	return parts[1], level, true
}

func (t *trial) count(rule string, level rules.Level) *supervisionv1.DryRunCount {
	key := countKey{rule, level}
	if t.counts[key] == nil {
		t.counts[key] = &supervisionv1.DryRunCount{Rule: rule, Level: supervisionv1.CardLevel(level)}
	}
	return t.counts[key]
}

func (t *trial) differ(c *supervisionv1.DryRunCard) {
	if len(t.res.Differences) < maxDifferences {
		t.res.Differences = append(t.res.Differences, c)
	}
}

// answer orders the counts and differences, so that the same question has one answer.
func (t *trial) answer() *supervisionv1.DryRunRulesResponse {
	for _, c := range t.counts {
		t.res.Counts = append(t.res.Counts, c)
	}
	slices.SortFunc(t.res.Counts, func(a, b *supervisionv1.DryRunCount) int {
		return cmp.Or(cmp.Compare(a.GetRule(), b.GetRule()), cmp.Compare(a.GetLevel(), b.GetLevel()))
	})
	slices.SortStableFunc(t.res.Differences, func(a, b *supervisionv1.DryRunCard) int { return cmp.Compare(a.GetCard(), b.GetCard()) })
	return t.res
}
