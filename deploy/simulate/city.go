package simulate

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"

	"github.com/onehall/onehall/deploy/sample"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/workday"
)

// Options is what a simulation needs.
type Options struct {
	Casework caseworkv1.CaseworkServiceClient
	Flow     caseworkv1.FlowServiceClient
	Review   reviewv1.ReviewServiceClient
	// As gives a context whose calls are made by a person.
	As func(ctx context.Context, who Person) context.Context
	// Clock is the hall's; the simulation moves it.
	Clock *clock.Virtual
	// Items are what is applied for, with the most asked for first.
	Items []sample.Item
	// Departments are the items' departments.
	Departments []sample.Department
	// Seed makes the same city again. Days and PerDay are its size, Workers how
	// many of its people act at once.
	Seed                  uint64
	Days, PerDay, Workers int
	Shares                Shares
	// Speed is how many days of the hall pass in a second at the most; 0 means as
	// fast as it goes.
	Speed float64
	// Progress, if given, is told after each day.
	Progress func(day workday.Date, s Stats)
}

// Person is somebody who calls.
type Person struct {
	Login, Name, Role, Hall, Department, Post string
	IDType, IDNumber                          string
}

// Stats is what happened.
type Stats struct {
	Filed, Online, Accepted, Finished, Granted, Late, Supplements, Reviews int
	Ended                                                                  int // not accepted, refused, withdrawn
	Calls                                                                  int
}

// act is something that will happen at a moment.
type act struct {
	at    time.Time
	order int
	do    func(ctx context.Context) error
}

type agenda []*act

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].order < a[j].order
	}
	return a[i].at.Before(a[j].at)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(*act)) }
func (a *agenda) Pop() any {
	old := *a
	last := old[len(old)-1]
	*a = old[:len(old)-1]
	return last
}

// City is a running simulation.
type City struct {
	opt        Options
	rand       *rand.Rand
	applicants []sample.Applicant
	staff      map[string][]sample.Official // by hall/department

	mu     sync.Mutex
	agenda agenda
	made   int
	stats  Stats
}

// New prepares a city.
func New(o Options) *City {
	c := &City{opt: o, rand: rand.New(rand.NewPCG(o.Seed, 2014)), staff: map[string][]sample.Official{}}
	c.applicants = sample.Applicants(o.Seed+1, max(50, min(5000, o.Days*o.PerDay/4)))
	for _, d := range o.Departments {
		c.staff[d.Division+"/"+d.ID] = sample.Officials(d)
	}
	return c
}

// tick is the grain of time: what falls into one happens side by side.
const tick = 10 * time.Minute

// Run lives through the days and then on until everything that was begun has ended
// or the tail has passed.
func (c *City) Run(ctx context.Context) (Stats, error) {
	day := workday.DateOf(c.opt.Clock.Now())
	for n := 0; n < c.opt.Days; n++ {
		day++
		if workday.China().IsWorkday("441300", day) {
			for range c.opt.PerDay {
				c.plan(day)
			}
		}
		if err := c.live(ctx, day); err != nil {
			return c.stats, err
		}
	}
	for tail := 0; tail < 60 && c.open() > 0; tail++ {
		day++
		if err := c.live(ctx, day); err != nil {
			return c.stats, err
		}
	}
	return c.stats, nil
}

func (c *City) open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.agenda)
}

// live lets one day pass.
func (c *City) live(ctx context.Context, day workday.Date) error {
	began, end := time.Now(), workday.StartOfDay(day+1)
	for now := workday.StartOfDay(day).Add(tick); !now.After(end); now = now.Add(tick) {
		due := c.due(now)
		if len(due) == 0 {
			continue
		}
		c.opt.Clock.Set(now)
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(max(1, c.opt.Workers))
		for _, a := range due {
			g.Go(func() error { return a.do(gctx) })
		}
		if err := g.Wait(); err != nil {
			return fmt.Errorf("on %s: %w", now.In(workday.Zone).Format(time.DateTime), err)
		}
	}
	c.opt.Clock.Set(end)
	if c.opt.Progress != nil {
		c.opt.Progress(day, c.Stats())
	}
	if c.opt.Speed > 0 {
		return clock.Sleep(ctx, clock.System(), time.Duration(float64(time.Second)/c.opt.Speed)-time.Since(began))
	}
	return ctx.Err()
}

// due takes what happens before now off the agenda. No two acts of one case are in
// one batch: a case's next act is planned by the one before it.
func (c *City) due(now time.Time) []*act {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*act
	for len(c.agenda) > 0 && c.agenda[0].at.Before(now) {
		out = append(out, heap.Pop(&c.agenda).(*act))
	}
	return out
}

func (c *City) at(t time.Time, do func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	heap.Push(&c.agenda, &act{at: t, order: c.made, do: do})
}

// Stats is what has happened so far.
func (c *City) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

func (c *City) count(f func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.stats)
}

// plan draws one case of a day.
func (c *City) plan(day workday.Date) {
	s := &life{
		city: c, fate: c.opt.Shares.draw(c.rand), item: drawItem(c.rand, c.opt.Items),
		rand: rand.New(rand.NewPCG(c.rand.Uint64(), c.rand.Uint64())), day: day,
	}
	s.applicant = c.applicantFor(s.item)
	at := inHours(s.rand, day)
	if s.fate.channel != caseworkv1.Channel_CHANNEL_WINDOW {
		at = anyHour(s.rand, day)
	}
	c.at(at, s.file)
}

// applicantFor picks somebody whom the item is for.
func (c *City) applicantFor(it sample.Item) sample.Applicant {
	persons, companies := false, false
	for _, o := range it.ServiceObjects {
		persons = persons || o == sample.ObjectPerson
		companies = companies || o != sample.ObjectPerson
	}
	for {
		a := c.applicants[c.rand.IntN(len(c.applicants))]
		if a.Company && companies || !a.Company && persons {
			return a
		}
	}
}

func newID() string { return uuid.NewString() }
