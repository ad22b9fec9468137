package supervision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/rpc"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

const (
	// wallTick is how often the wall moves on: what comes within one goes together.
	wallTick = 200 * time.Millisecond
	// wallKept is how many changes of cases and cards are kept at hand for those who come
	// back, all halls together.
	wallKept = 8192
	// wallPull is how many events of cases are read at once.
	wallPull = 1000
	// wallLinger is how long the wall goes on when nobody looks.
	wallLinger = time.Minute
)

// place is where a watcher is: the last event of cases and of our own feed it knows.
type place struct{ cases, cards int64 }

func (p place) token() string { return fmt.Sprintf("%d-%d", p.cases, p.cards) }

// behind tells whether there is something at other that is not known here.
func (p place) behind(other place) bool { return p.cases < other.cases || p.cards < other.cards }

func placeOf(token string) (place, bool, error) {
	if token == "" {
		return place{}, false, nil
	}
	left, right, _ := strings.Cut(token, "-")
	cases, err1 := strconv.ParseInt(left, 10, 64)
	cards, err2 := strconv.ParseInt(right, 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return place{}, false, fault.InvalidArgument.New(fault.Field("resume_token"), fault.Cause(err))
	}
	return place{cases, cards}, true, nil
}

// epoch is what came within one tick. Watchers that keep up share its messages.
type epoch struct {
	from, to place
	cases    []*supervisionv1.WallCase
	cards    []change

	mu       sync.Mutex
	messages map[wallScope]*wallMessage
}

// wall follows what supervision itself has applied of the cases, and its own feed, once
// for all watchers. It sleeps while nobody looks.
type wall struct {
	engine *engine
	db     *db.DB
	cards  *hub
	log    *slog.Logger
	source feedv1.FeedServiceClient
	rt     rpcSource

	mu       sync.Mutex
	watchers int
	left     time.Time // when the last watcher went
	awake    chan struct{}
	ready    chan struct{} // closed while the wall moves
	head     place
	epochs   []*epoch
	kept     int
	changed  chan struct{}
	cut      int64

	figures figureBook
}

// rpcSource is the identity by which the wall reads casework's feed.
type rpcSource interface {
	outgoing(ctx context.Context) context.Context
}

func (s *Service) outgoing(ctx context.Context) context.Context {
	return rpc.WithToken(ctx, s.rt.Service)
}

func newWall(e *engine, d *db.DB, cards *hub, source feedv1.FeedServiceClient, rt rpcSource) *wall {
	return &wall{engine: e, db: d, cards: cards, log: e.logger(), source: source, rt: rt,
		awake: make(chan struct{}, 1), ready: make(chan struct{}), changed: make(chan struct{})}
}

// enter counts a watcher in and wakes the wall; what it returns counts it out.
func (w *wall) enter() (leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watchers++
	select {
	case w.awake <- struct{}{}:
	default: // it is being woken
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.watchers--
		w.left = time.Now()
	}
}

// run moves the wall until ctx ends.
func (w *wall) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.awake:
		}
		if err := w.move(ctx); err != nil && ctx.Err() == nil {
			w.log.ErrorContext(ctx, "supervision: the wall stood still", slog.Any("error", err))
		}
	}
}

// move follows until nobody has looked for a while. A source that is away for a while
// only delays watchers.
func (w *wall) move(ctx context.Context) error {
	ticker := time.NewTicker(wallTick)
	defer ticker.Stop()
	started := false
	for {
		err := error(nil)
		if !started {
			started, err = w.start(ctx)
		} else {
			err = w.pull(ctx)
		}
		if err != nil && ctx.Err() == nil {
			w.log.ErrorContext(ctx, "supervision: the wall could not move on", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if w.rest() {
			return nil
		}
	}
}

// start begins at the present.
func (w *wall) start(ctx context.Context) (bool, error) {
	at, err := w.present(ctx)
	if err != nil {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.head, w.epochs, w.kept = at, nil, 0
	close(w.ready)
	return true, nil
}

// rest ends the moving when nobody has looked for a while.
func (w *wall) rest() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watchers > 0 || time.Since(w.left) < wallLinger {
		return false
	}
	select {
	case <-w.ready:
		w.ready = make(chan struct{})
	default: // it never came to start
	}
	w.epochs, w.kept = nil, 0
	return true
}

// present is how far this supervision has applied the cases, and its own feed.
func (w *wall) present(ctx context.Context) (at place, err error) {
	if at.cases, err = feed.Position(ctx, w.db.Read(), sourceCasework, "supervision"); err != nil {
		return at, err
	}
	at.cards, err = store.LastPosition(ctx, w.db.Read())
	return at, err
}

// pull makes one epoch of what came since the last. Cases are shown when they have been
// judged and not before: a case and its card come in that order.
func (w *wall) pull(ctx context.Context) error {
	at, err := w.present(ctx)
	if err != nil {
		return err
	}
	e := &epoch{from: w.head, to: w.head, messages: map[wallScope]*wallMessage{}}
	if at.cases > e.to.cases {
		page, err := w.source.ReadEvents(w.rt.outgoing(ctx), &feedv1.ReadEventsRequest{After: e.to.cases, PageSize: wallPull})
		if err != nil {
			return err
		}
		for _, ev := range page.GetEvents() {
			if ev.GetPosition() > at.cases {
				break
			}
			e.to.cases = ev.GetPosition()
			line, err := w.line(ev)
			if err != nil {
				return err
			}
			if line != nil {
				e.cases = append(e.cases, line)
			}
		}
	}
	changes, complete, _ := w.cards.since(e.to.cards)
	if !complete {
		if changes, err = readChanges(ctx, w.db.Read(), e.to.cards); err != nil {
			return err
		}
	}
	for _, c := range changes {
		if e.to.cards = c.position; c.card != nil {
			e.cards = append(e.cards, c)
		}
	}
	w.publish(e)
	return nil
}

func (w *wall) publish(e *epoch) {
	if e.from == e.to {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.epochs, w.kept, w.head = append(w.epochs, e), w.kept+len(e.cases)+len(e.cards), e.to
	drop := 0
	for ; w.kept > wallKept && drop < len(w.epochs)-1; drop++ {
		w.kept -= len(w.epochs[drop].cases) + len(w.epochs[drop].cards)
	}
	w.epochs = w.epochs[drop:]
	close(w.changed)
	w.changed = make(chan struct{})
}

// after is the first epoch with something that is not known at a place; nil when there is
// none yet. It is false for a place further back than is kept.
func (w *wall) after(p place) (e *epoch, next <-chan struct{}, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := w.head
	if len(w.epochs) > 0 {
		first = w.epochs[0].from
	}
	if p.behind(first) {
		return nil, w.changed, false
	}
	i := sort.Search(len(w.epochs), func(i int) bool { return p.behind(w.epochs[i].to) })
	if i == len(w.epochs) {
		return nil, w.changed, true
	}
	return w.epochs[i], w.changed, true
}

// line is what the wall shows of an event; nil for what nobody but the applicant may see.
func (w *wall) line(ev *feedv1.Event) (*supervisionv1.WallCase, error) {
	if ev.GetResourceType() != caseType {
		return nil, nil
	}
	c := &caseworkv1.Case{}
	if err := proto.Unmarshal(ev.GetResource(), c); err != nil {
		return nil, fmt.Errorf("case of %s: %w", ev.GetSubject(), err)
	}
	if c.GetSubmitTime() == nil {
		return nil, nil
	}
	x := w.engine.watch(&store.Clock{Case: c.GetName()})
	x.kept, x.facts = c, factsOf(c)
	x.settle()
	x.wait(ev.GetEnteredAt().AsTime())
	l := lineOf(x, c)
	l.Event, l.EventTime, l.Position = ev.GetType(), ev.GetEnteredAt(), ev.GetPosition()
	l.Stage = stageOf(c)
	w.count(l, w.engine.clock.Now())
	return l, nil
}

func lineOf(x *watched, c *caseworkv1.Case) *supervisionv1.WallCase {
	l := &supervisionv1.WallCase{Case: x.row.Case, Department: c.GetDepartment(), ItemTitle: c.GetItemTitle(), Stage: x.row.Stage, Open: x.row.Open}
	if x.row.Open && x.row.Due != unknownDue {
		l.DueDate = workday.Date(x.row.Due).String()
	}
	return l
}

// count writes the working days left onto a line.
func (w *wall) count(l *supervisionv1.WallCase, now time.Time) {
	if due, err := workday.ParseDate(l.GetDueDate()); err == nil {
		division := divisionOf(l.GetCase())
		l.DaysLeft = int32(daysLeft(w.engine.almanac.Book().Calendar, division, workday.DateOf(now), due))
	}
}

// daysLeft are the working days from today to a day, negative once it is over.
func daysLeft(cal *workday.Calendar, division string, today, due workday.Date) int {
	if due >= today {
		return cal.Count(division, today, due)
	}
	return min(-1, -cal.Count(division, due, today))
}

// stageOf is a case's state in the words of the contract, in lower case.
func stageOf(c *caseworkv1.Case) string {
	return strings.ToLower(strings.TrimPrefix(c.GetState().String(), "CASE_STATE_"))
}
