package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// The limits that neither an item nor a hall sets.
const (
	reviewLimit  = 5 // working days to answer a bad review
	licenseLimit = 3 // working days from the finish to the electronic license
)

// clock is one clock of a case that thresholds watch.
type clock struct {
	kind       string
	occurrence int
	in         workday.Input
	name       string // of a procedure or step
	officer    string // who is answerable, where known
	instant    bool
}

// Finding is one rule found true.
type Finding struct {
	Rule       string
	Level      Level
	Occurrence int
	// AsOf is when it became true.
	AsOf time.Time
	// Used and Limit are in days, where the rule has a clock.
	Used, Limit int
	// Officer is who is answerable, where that is known.
	Officer string
	// Ground is why, in Chinese, with the figures.
	Ground string
	// Version is that of the rules that judged.
	Version string
}

// Key names the finding among those of one case; it is found once.
func (f Finding) Key() string { return key(f.Rule, f.Level, f.Occurrence) }

func key(rule string, level Level, occurrence int) string {
	return fmt.Sprintf("%s.%s.%d", rule, level, occurrence)
}

// Pending is a finding that comes true at a moment if nothing happens before.
type Pending struct {
	Key string
	At  time.Time

	threshold Threshold
	clock     clock
}

// Pending lists the timed findings of the case that are not yet known, the earliest
// first. Their moments may lie in the past.
func (p Policy) Pending(f *Facts, known func(key string) bool) []Pending {
	var all []Pending
	for _, c := range p.clocks(f) {
		for _, t := range p.Preset.Thresholds[c.kind] {
			k := key(t.Rule, t.Level, c.occurrence)
			if known(k) {
				continue
			}
			if at, ok := p.reached(c, t); ok {
				all = append(all, Pending{Key: k, At: at, threshold: t, clock: c})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Pending) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.threshold.Level, b.threshold.Level), cmp.Compare(a.Key, b.Key))
	})
	return all
}

func (p Policy) reached(c clock, t Threshold) (time.Time, bool) {
	limit, ok := c.limit(t)
	if !ok {
		return time.Time{}, false
	}
	if days := p.Hall.AlertDays; days > 0 && c.kind == ClockCase && t.Level == Warning && t.Of != "statutory" {
		t.Percent, t.Plus = 0, -days // the hall has its own mind about when to warn
	}
	at, ok := workday.ReachedAt(p.Calendar, c.in, t.days(limit+workday.Added(p.Calendar, c.in)))
	// What is done at the very moment is done in time.
	if !ok || !c.in.Stopped.IsZero() && !at.Before(c.in.Stopped) {
		return time.Time{}, false
	}
	return at, true
}

// limit is the limit a threshold looks at; false when the clock has none.
func (c clock) limit(t Threshold) (int, bool) {
	if t.Of == "statutory" {
		return c.in.Statutory, c.in.Statutory > 0
	}
	if c.instant {
		// On the spot there is no time to be warned in.
		return c.in.Promised, t.Level != Warning && t.Percent == 0
	}
	return c.in.Promised, c.in.Promised > 0
}

// Find makes the finding of a pending one, with the figures of its moment.
func (p Policy) Find(pending Pending) Finding {
	c, t := pending.clock, pending.threshold
	r := workday.Reckon(p.Calendar, c.in, pending.At)
	f := Finding{Rule: t.Rule, Level: t.Level, Occurrence: c.occurrence, AsOf: pending.At, Used: r.Used, Limit: r.Promised,
		Officer: c.officer, Version: p.Preset.Version}
	due := r.PromisedDue
	if t.Of == "statutory" {
		f.Limit, due = r.Statutory, r.StatutoryDue
	}
	f.Ground = timedGround(c, t, f, due, r.DueKnown)
	return f
}

// clocks are the clocks that run or ran for the case.
func (p Policy) clocks(f *Facts) []clock {
	if r := f.Review; r != nil {
		if r.Stars > badStars || r.Created.IsZero() {
			return nil
		}
		return []clock{p.plain(f, ClockReview, 1, r.Created, r.Replied, reviewLimit)}
	}
	if f.Clocked != nil {
		return p.clocked(f)
	}
	if f.Submitted.IsZero() && f.Accepted.IsZero() {
		return nil
	}
	all := p.acceptance(f)
	if f.Online && !f.Submitted.IsZero() {
		all = append(all, p.preAccept(f))
	}
	if !f.Accepted.IsZero() {
		all = append(all, clock{kind: ClockCase, occurrence: 1, in: p.Input(f), instant: f.Instant})
	}
	for _, s := range f.Specials {
		if s.Extension || s.Limit <= 0 {
			continue
		}
		// A procedure left open after the decision is judged on; one of a case that was
		// voided or withdrawn is not.
		c := p.plain(f, ClockSpecial, s.Serial, s.Start, earliest(s.End, f.Ended), s.Limit)
		c.in.Unit, c.name = s.Unit, s.Name
		all = append(all, c)
	}
	if f.Decision != nil && f.Decision.Granted {
		end := f.Collected
		if f.Finish != nil {
			end = earliest(f.Finish.Time, end)
		}
		all = append(all, p.plain(f, ClockDelivery, 1, f.Decision.Time, earliest(end, f.Ended), p.Hall.DeliveryDays))
	}
	if f.ELicense && f.Finish != nil && f.Finish.Issued {
		all = append(all, p.plain(f, ClockLicense, 1, f.Finish.Time, earliest(f.Licensed, f.Ended), licenseLimit))
	}
	all = append(all, p.pauses(f)...)
	if f.Finish != nil && f.Finish.Forwarded && !f.Accepted.IsZero() {
		all = append(all, p.forward(f))
	}
	return append(append(all, p.steps(f)...), p.gapClocks(f)...)
}

// clocked is the clock of something that told its own limit. What was called off is
// judged up to then.
func (p Policy) clocked(f *Facts) []clock {
	k := f.Clocked
	if k.Opened.IsZero() || k.Limit <= 0 {
		return nil
	}
	c := p.plain(f, k.Kind, 1, k.Opened, earliest(k.Closed, k.Voided), k.Limit)
	c.in.Unit, c.in.Pauses, c.name, c.officer = k.Unit, k.Pauses, k.Title, k.Officer
	return []clock{c}
}

// acceptance are the clocks of Art. 32: one from the submission, and a new one from each
// receipt of a supplement before acceptance.
func (p Policy) acceptance(f *Facts) []clock {
	if f.Recreated == nil {
		return p.acceptanceFrom(f, f.Submitted)
	}
	all := p.acceptanceFrom(f, f.Recreated.Submitted)
	if len(all) > 0 {
		all[0].in.Pauses = f.Recreated.Away
	}
	return all
}

// acceptanceFrom are they when the first began at a moment.
func (p Policy) acceptanceFrom(f *Facts, start time.Time) []clock {
	var all []clock
	for _, s := range f.Supplements {
		if s.Accepted || start.IsZero() {
			continue
		}
		all = append(all, p.receipt(f, ClockAcceptance, len(all)+1, start, s.Notice, p.Hall.AcceptanceDays))
		start = s.Receipt
	}
	if start.IsZero() {
		return all
	}
	end := earliest(f.Accepted, f.Stopped())
	if !f.Deemed.IsZero() {
		end = f.Stopped() // that the law accepted it does not undo that nobody did
	}
	return append(all, p.receipt(f, ClockAcceptance, len(all)+1, start, end, p.Hall.AcceptanceDays))
}

// preAccept is the clock of the first look at an online application.
func (p Policy) preAccept(f *Facts) clock {
	accepted := f.Accepted
	if !f.Deemed.IsZero() {
		// What fell due at the very moment was missed, not done in time.
		accepted = f.Deemed.Add(time.Microsecond)
	}
	end := earliest(f.PreAccepted, earliest(accepted, f.Stopped()))
	if len(f.Supplements) > 0 {
		end = earliest(end, f.Supplements[0].Notice)
	}
	return p.receipt(f, ClockPreAccept, 1, f.Submitted, end, p.Hall.PreAcceptanceDays)
}

// receipt is a clock that begins when the papers count as received.
func (p Policy) receipt(f *Facts, kind string, occurrence int, submitted, end time.Time, limit int) clock {
	return p.plain(f, kind, occurrence, p.Hall.Received(p.Calendar, f.Division, submitted), end, limit)
}

// plain is a clock in working days without pauses.
func (p Policy) plain(f *Facts, kind string, occurrence int, start, end time.Time, limit int) clock {
	return clock{kind: kind, occurrence: occurrence, in: workday.Input{
		Division: f.Division, Start: start, Stopped: end, Promised: limit, Mode: p.Hall.Mode, Hours: p.Hall.Hours,
	}}
}

// earliest is the earlier of two moments that have happened.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Timed tells whether a finding's key is of a threshold, which time alone brings about.
func (p Policy) Timed(key string) bool {
	for _, list := range p.Preset.Thresholds {
		for _, t := range list {
			if strings.HasPrefix(key, t.Rule+"."+t.Level.String()+".") {
				return true
			}
		}
	}
	return false
}
