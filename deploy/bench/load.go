package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// The kinds of load.
const (
	loadFile = "file"
	loadLife = "life"
	loadLag  = "lag"
)

// loadSpec says what load a process makes.
type loadSpec struct {
	// Base is the gateway, Cast the file of the actors.
	Base, Cast string
	// Kind is file (submissions), life (whole lifecycles) or lag (at a given rate).
	Kind string
	// Clients work at once, For how long.
	Clients int
	For     time.Duration
	// Rate is cases a second of the open loop.
	Rate int
	// First is the first applicant to act, so that loads one after the other are not of
	// the same people.
	First int
}

// loadResult is what came of it.
type loadResult struct {
	// Done are the submissions or lifecycles that were answered well; Calls the calls.
	Done, Calls, Failed int64
	// Failure is the first one.
	Failure string
	// Took is from the first call to the last answer.
	Took time.Duration
	// CPU is what the load's process used.
	CPU time.Duration
	// P50 and P99 are of one call, from sending to the whole answer.
	P50, P99 time.Duration
	// Name is the name of one of the cases.
	Name string
	// Lag is of the open loop alone.
	Lag *lagResult
}

// perSecond is the rate of what was done.
func (r loadResult) perSecond() float64 {
	if r.Took <= 0 {
		return 0
	}
	return float64(r.Done) / r.Took.Seconds()
}

// loadPart makes one load and answers with what came of it.
func loadPart(ctx context.Context, in *bufio.Scanner, answer func(any) error) error {
	var spec loadSpec
	if ok, err := next(in, &spec); !ok || err != nil {
		return errors.Join(errors.New("no spec"), err)
	}
	all, err := readCast(spec.Cast)
	if err != nil {
		return err
	}
	if spec.Kind == loadLag {
		r, err := lag(ctx, spec, all)
		if err != nil {
			return err
		}
		return answer(r)
	}
	before, err := cpuTime()
	if err != nil {
		return err
	}
	r, err := closedLoop(spec, all)
	if err != nil {
		return err
	}
	after, err := cpuTime()
	if err != nil {
		return err
	}
	r.CPU = after - before
	return answer(r)
}

// closedLoop lets clients act, each again as soon as it is answered.
func closedLoop(spec loadSpec, all *cast) (loadResult, error) {
	clients := make([]*client, spec.Clients)
	for i := range clients {
		w, err := dialWire(spec.Base)
		if err != nil {
			return loadResult{}, err
		}
		clients[i] = &client{wire: w, cast: all}
	}
	var turn atomic.Int64
	turn.Store(int64(spec.First))
	began := time.Now()
	end := began.Add(spec.For)
	var group sync.WaitGroup
	for _, c := range clients {
		group.Go(func() {
			for time.Now().Before(end) && c.failure == nil {
				who := &all.Applicants[int(turn.Add(1))%len(all.Applicants)]
				if spec.Kind == loadLife {
					c.failure = c.live(who, len(all.acts()))
				} else {
					_, c.failure = c.file(who)
				}
				if c.failure == nil {
					c.done++
				}
			}
		})
	}
	group.Wait()
	r := loadResult{Took: time.Since(began)}
	var took []time.Duration
	for _, c := range clients {
		r.Done += c.done
		r.Calls += int64(len(c.took))
		took = append(took, c.took...)
		if c.failure != nil {
			r.Failed++
			r.Failure = c.failure.Error()
		}
		if c.name != "" {
			r.Name = c.name
		}
		if err := c.wire.close(); err != nil {
			return r, err
		}
	}
	slices.Sort(took)
	r.P50, r.P99 = quantile(took, .5), quantile(took, .99)
	return r, nil
}

// client is one caller with a connection of its own.
type client struct {
	wire    *wire
	cast    *cast
	body    []byte
	took    []time.Duration
	done    int64
	name    string
	failure error
}

// call makes one call and takes its time; the answer is valid until the next.
func (c *client) call(path, token string, body []byte) ([]byte, error) {
	began := time.Now()
	status, answer, err := c.wire.post(path, token, body)
	if err != nil {
		return nil, err
	}
	c.took = append(c.took, time.Since(began))
	if status != 200 {
		return nil, fmt.Errorf("%s: %d %s", path, status, answer)
	}
	return answer, nil
}

// file submits an application under a new request id.
func (c *client) file(who *actor) ([]byte, error) {
	c.body = append(c.body[:0], who.Body...)
	at := bytes.Index(c.body, []byte(placeholder))
	if at < 0 {
		return nil, errors.New("the application has no request id")
	}
	copy(c.body[at:], newID())
	answer, err := c.call(c.cast.Parent+"/cases:file", who.Token, c.body)
	if err == nil && c.name == "" {
		c.name = field(answer, "name")
	}
	return answer, err
}

// act is one step of a lifecycle.
type act struct{ verb, token, more string }

// live takes one case from its submission through the next acts, each a call of whoever
// does it in the office. All of them end in its finish.
func (c *client) live(who *actor, acts int) error {
	answer, err := c.file(who)
	if err != nil {
		return err
	}
	for _, a := range c.cast.acts()[:acts] {
		name, etag := field(answer, "name"), field(answer, "etag")
		c.body = fmt.Appendf(c.body[:0], `{"requestId":"%s","etag":"%s"%s}`, newID(), etag, a.more)
		if answer, err = c.call("/v1/"+name+":"+a.verb, a.token, c.body); err != nil {
			return err
		}
	}
	return nil
}

// acts are the steps after the submission.
func (c *cast) acts() []act {
	return []act{
		{"accept", c.Window, ""},
		{"undertake", c.Officer, `,"opinion":"材料齐全，现场核查符合要求，拟同意"`},
		{"examine", c.Examiner, `,"opinion":"同意承办意见"`},
		{"approve", c.Head, `,"opinion":"同意"`},
		{"decide", c.Head, `,"result":"DECISION_RESULT_GRANTED"`},
		{"finish", c.Officer, `,"result":"FINISH_RESULT_FINISHED","online":true`},
	}
}

func newID() string { return uuid.NewString() }
