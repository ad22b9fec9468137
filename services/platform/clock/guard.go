package clock

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// warnBy is by how much a clock may differ before somebody is told, refuseBy before
	// it is not believed: so much is what the margins of feeds and followers bear.
	warnBy, refuseBy = time.Second, 5 * time.Second
	// settle is how long a clock that was put, and that nobody else can confirm, is not
	// believed. One that is put back meanwhile is believed again at once.
	settle = 10 * time.Minute
	// askEvery is how often others are asked, askFor how long one may take to answer.
	askEvery, askFor = 5 * time.Second, 2 * time.Second
)

// Source is a clock that also tells how long it has run, which no correction changes.
type Source interface {
	Clock
	// Reading is the time of day and the time elapsed since some moment, read at once.
	Reading() (now time.Time, elapsed time.Duration)
}

// Answer is what another clock shows.
type Answer struct {
	Time time.Time
	// Machine is whose clock it is, as ThisMachine; empty for one of its own.
	Machine string
}

// Guard is a clock that knows when it cannot be believed: when it was put, or when most
// of the other clocks it is held against differ. What the law makes of a moment cannot be
// taken back, so nothing is written meanwhile (see db.DB.Write).
//
// It looks for a jump whenever it is read, and asks the others every few seconds.
type Guard struct {
	src     Source
	log     *slog.Logger
	machine string

	// trusted is the reading that others were last in accord with; doubt is why the clock
	// is not believed, nil while it is.
	trusted atomic.Pointer[reading]
	doubt   atomic.Pointer[string]
	jumps   atomic.Int64

	mu     sync.Mutex
	others map[string]*other
	// shift is by how much the clock was put since it was trusted, since when.
	shift  time.Duration
	since  time.Duration
	warned bool
}

type reading struct {
	now     time.Time
	elapsed time.Duration
}

// other is another clock.
type other struct {
	ask func(ctx context.Context) (Answer, error)
	// offset is by how much it is ahead of ours, known whether it answered the last time.
	offset time.Duration
	known  bool
	// anchor is when by it the time elapsed began, as it was before this clock was put.
	anchor   time.Time
	anchored bool
}

// NewGuard guards a clock, believed until there is reason not to.
func NewGuard(src Source, log *slog.Logger) *Guard {
	g := &Guard{src: src, log: log, machine: ThisMachine(), others: map[string]*other{}}
	g.trust(g.read())
	return g
}

// Now is the time of day.
func (g *Guard) Now() time.Time {
	r := g.read()
	if shift := g.shifted(r); beyond(shift, refuseBy) && g.doubt.Load() == nil {
		g.mu.Lock()
		g.jumped(r, shift)
		g.mu.Unlock()
	}
	return r.now
}

// NewTimer makes a timer of the guarded clock.
func (g *Guard) NewTimer(d time.Duration) Timer { return g.src.NewTimer(d) }

// Doubt is why the clock is not believed now, or nil.
func (g *Guard) Doubt() error {
	if why := g.doubt.Load(); why != nil {
		return fmt.Errorf("clock: %s", *why)
	}
	return nil
}

// Doubt is why a clock is not believed now, or nil; one without a guard always is.
func Doubt(c Clock) error {
	if g, ok := c.(interface{ Doubt() error }); ok {
		return g.Doubt()
	}
	return nil
}

// Ask has another clock asked from now on, until forget is called.
func (g *Guard) Ask(name string, ask func(ctx context.Context) (Answer, error)) (forget func()) {
	o := &other{ask: ask}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.others[name] = o
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.others[name] == o {
			delete(g.others, name)
		}
	}
}

// Run asks the others until ctx ends.
func (g *Guard) Run(ctx context.Context) {
	for Sleep(ctx, g.src, askEvery) == nil {
		g.Check(ctx)
	}
}

// vote is the word of one machine.
type vote struct {
	name string
	// offset is by how much it is ahead of us at least, steady whether it ran on evenly
	// while this clock was put.
	offset time.Duration
	steady bool
}

// Check asks all others once, and judges.
func (g *Guard) Check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	g.mu.Lock()
	asked := make(map[string]*other, len(g.others))
	for name, o := range g.others {
		asked[name] = o
	}
	g.mu.Unlock()
	answers := make(chan heard, len(asked))
	for name, o := range asked {
		go func() { answers <- g.askOne(ctx, name, o) }()
	}
	all := make([]heard, len(asked))
	for i := range all {
		all[i] = <-answers
	}
	g.judge(all)
}

// heard is what one other said: offset, give or take the margin.
type heard struct {
	name           string
	other          *other
	err            error
	machine        string
	offset, margin time.Duration
	anchor         time.Time
}

// askOne asks one. Its answer is of some moment between question and answer: of the
// middle, give or take half the time in between.
func (g *Guard) askOne(ctx context.Context, name string, o *other) heard {
	before := g.read()
	a, err := o.ask(ctx)
	after := g.read()
	half := (after.elapsed - before.elapsed) / 2
	return heard{name: name, other: o, err: err, machine: a.Machine, margin: half,
		offset: a.Time.Sub(after.now.Add(-half)), anchor: a.Time.Add(-(after.elapsed - half))}
}

// judge decides whether the clock is believed, by what the others said.
func (g *Guard) judge(all []heard) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.read()
	for _, h := range all {
		h.other.offset, h.other.known = h.offset, h.err == nil
	}
	all = slices.DeleteFunc(all, func(h heard) bool { return h.err != nil })
	shift := g.shifted(r)
	votes := g.votes(all, beyond(shift, refuseBy))
	far, steady := 0, 0
	for _, v := range votes {
		if beyond(v.offset, refuseBy) {
			far++
		} else if v.steady {
			steady++
		}
	}
	if !beyond(shift, refuseBy) {
		anchor(all)
	}
	switch {
	case 2*far > len(votes):
		worst := votes[0]
		g.mistrust(fmt.Sprintf("it differs from %s by %s", worst.name, worst.offset.Round(time.Millisecond)))
	case beyond(shift, refuseBy) && 2*steady <= len(votes):
		// Those who were put together with this clock, or were not known before, cannot
		// tell which of the two times is right.
		g.jumped(r, shift)
		if r.elapsed-g.since < settle {
			return
		}
		fallthrough
	default:
		if len(votes) > 0 || beyond(shift, refuseBy) {
			g.trust(r)
		}
		anchor(all)
		g.shift = 0
		if g.doubt.Swap(nil) != nil {
			g.log.Info("clock: confirmed again, writing goes on")
		}
		g.warn(votes)
	}
}

// anchor remembers how the others stand to the time elapsed, which no jump changes.
func anchor(all []heard) {
	for _, h := range all {
		h.other.anchor, h.other.anchored = h.anchor, true
	}
}

// votes is one vote for each machine, the farthest first. Who reads the very clock of this
// process agrees anyhow, and has a vote only when it differs, or was not put with it.
func (g *Guard) votes(all []heard, put bool) []vote {
	slices.SortFunc(all, func(a, b heard) int { return cmp.Compare(a.margin, b.margin) })
	seen := map[string]bool{}
	var votes []vote
	for _, h := range all {
		v := vote{name: h.name, steady: h.other.anchored && !beyond(h.anchor.Sub(h.other.anchor), refuseBy)}
		if h.offset > 0 {
			v.offset = max(0, h.offset-h.margin)
		} else {
			v.offset = min(0, h.offset+h.margin)
		}
		machine := cmp.Or(h.machine, h.name)
		if seen[machine] || machine == g.machine && !beyond(v.offset, refuseBy) && !(put && v.steady) {
			continue
		}
		seen[machine] = true
		votes = append(votes, v)
	}
	slices.SortFunc(votes, func(a, b vote) int { return cmp.Compare(b.offset.Abs(), a.offset.Abs()) })
	return votes
}

// jumped notes that the clock was put; further jumps begin the waiting anew.
func (g *Guard) jumped(r reading, shift time.Duration) {
	if beyond(shift-g.shift, refuseBy) {
		g.shift, g.since = shift, r.elapsed
		g.jumps.Add(1)
	}
	g.mistrust(fmt.Sprintf("it was put by %s", shift.Round(time.Millisecond)))
}

func (g *Guard) mistrust(why string) {
	if former := g.doubt.Swap(&why); former == nil {
		g.log.Error("clock: not believed, nothing is written until it is confirmed", "reason", why)
	}
}

// warn tells once when a clock differs that is still believed.
func (g *Guard) warn(votes []vote) {
	off := len(votes) > 0 && beyond(votes[0].offset, warnBy)
	if off && !g.warned {
		g.log.Warn("clock: it differs from another", "other", votes[0].name, "by", votes[0].offset)
	}
	g.warned = off
}

// Offsets are by how much the others are ahead, of those who answered the last time.
func (g *Guard) Offsets() map[string]time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := map[string]time.Duration{}
	for name, o := range g.others {
		if o.known {
			all[name] = o.offset
		}
	}
	return all
}

// Jumps is how often the clock was put.
func (g *Guard) Jumps() int64 { return g.jumps.Load() }

func (g *Guard) read() reading {
	now, elapsed := g.src.Reading()
	return reading{now, elapsed}
}

func (g *Guard) trust(r reading) { g.trusted.Store(&r) }

// shifted is by how much the clock was put since it was trusted.
func (g *Guard) shifted(r reading) time.Duration {
	t := g.trusted.Load()
	return r.now.Sub(t.now) - (r.elapsed - t.elapsed)
}

func beyond(d, limit time.Duration) bool { return d > limit || d < -limit }

// ThisMachine names the machine whose clock this process reads: containers on one have it
// in common.
var ThisMachine = sync.OnceValue(func() string {
	if id, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		return strings.TrimSpace(string(id))
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Sprintf("process %d", os.Getpid()) // then it counts as a machine of its own
	}
	return host
})
