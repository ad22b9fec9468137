package clock

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// peer is another clock, off from the virtual one by so much, or away.
type peer struct {
	off     time.Duration
	away    bool
	machine string
	// apart tells that it runs on by itself when the virtual one is put.
	apart bool
	took  time.Duration
}

// bench is a guard over a virtual clock, and its peers.
type bench struct {
	*Virtual
	g     *Guard
	peers map[string]*peer
	log   *strings.Builder
}

func newBench(peers map[string]*peer) *bench {
	b := &bench{Virtual: NewVirtual(start), peers: peers, log: &strings.Builder{}}
	b.g = NewGuard(b.Virtual, slog.New(slog.NewTextHandler(b.log, nil)))
	for name, p := range peers {
		b.g.Ask(name, func(context.Context) (Answer, error) {
			if p.away {
				return Answer{}, errors.New("away")
			}
			now, elapsed := b.Reading()
			if p.apart {
				now = start.Add(elapsed)
			}
			b.Advance(p.took)
			return Answer{Time: now.Add(p.off), Machine: p.machine}, nil
		})
	}
	return b
}

// put puts the clock by so much, as an operator or a time server does.
func (b *bench) put(by time.Duration) { b.Jump(b.Virtual.Now().Add(by)) }

// rounds lets time pass, with a look at the others every few seconds.
func (b *bench) rounds(t *testing.T, d time.Duration) {
	for end := b.Virtual.Now().Add(d); b.Virtual.Now().Before(end); {
		b.Advance(askEvery)
		b.g.Check(t.Context())
	}
}

func TestGuardBelieves(t *testing.T) {
	hour := 2 * time.Hour
	for name, c := range map[string]struct {
		peers map[string]*peer
		// put is by how much the clock is put after the first look; then so long passes.
		put, pass time.Duration
		want      string // part of the doubt; empty for none
		logged    string
	}{
		"alone":                                 {},
		"alone and put":                         {put: hour, want: "it was put by 2h"},
		"put back":                              {put: -hour, want: "it was put by -2h"},
		"put by little":                         {put: 4 * time.Second},
		"put for less than it takes to settle":  {put: hour, pass: 9 * time.Minute, want: "put by"},
		"put for good":                          {put: hour, pass: 11 * time.Minute, logged: "confirmed again"},
		"the others differ by little":           {peers: map[string]*peer{"db": {off: 900 * time.Millisecond}}},
		"a warning":                             {peers: map[string]*peer{"db": {off: -2 * time.Second}}, logged: "level=WARN"},
		"the database differs":                  {peers: map[string]*peer{"db": {off: hour}}, want: "it differs from db by 2h"},
		"the database is away":                  {peers: map[string]*peer{"db": {off: hour, away: true}}},
		"one of two differs":                    {peers: map[string]*peer{"db": {}, "hub": {off: hour}}, logged: "level=WARN"},
		"two of three differ":                   {peers: map[string]*peer{"db": {}, "hub": {off: hour}, "review": {off: hour}}, want: "differs from"},
		"many processes of one other machine":   {peers: map[string]*peer{"db": {}, "hub": {off: hour, machine: "m"}, "review": {off: hour, machine: "m"}}},
		"neighbours on this machine":            {peers: map[string]*peer{"db": {off: hour}, "hub": {machine: ThisMachine()}, "review": {machine: ThisMachine()}}, want: "differs from db"},
		"a slow answer accuses nobody":          {peers: map[string]*peer{"db": {off: -4 * time.Second, took: 16 * time.Second}}},
		"put together with the database":        {peers: map[string]*peer{"db": {}}, put: hour, pass: time.Minute, want: "it was put by 2h"},
		"put away from the database":            {peers: map[string]*peer{"db": {apart: true}}, put: hour, pass: time.Minute, want: "differs from db by -2h"},
		"put away from a database on this host": {peers: map[string]*peer{"db": {apart: true, machine: ThisMachine()}}, put: hour, pass: time.Minute, want: "differs from db"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(c.peers)
			b.g.Check(t.Context())
			b.put(c.put)
			b.g.Now()
			if jumped := c.put > refuseBy || c.put < -refuseBy; jumped != (b.g.Jumps() == 1) {
				t.Errorf("%d jumps", b.g.Jumps())
			}
			b.rounds(t, c.pass)
			err := b.g.Doubt()
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("doubt %v, want %q", err, c.want)
			}
			if !strings.Contains(b.log.String(), c.logged) {
				t.Errorf("the log has no %q:\n%s", c.logged, b.log)
			}
		})
	}
}

// A clock that was put right, as the database has known all along, is believed at once;
// so is one that is put back to where it was.
func TestGuardConfirmsAgain(t *testing.T) {
	b := newBench(map[string]*peer{"db": {off: 2 * time.Hour, apart: true}})
	b.g.Check(t.Context())
	if b.g.Doubt() == nil {
		t.Fatal("believed a clock that is two hours behind the database's")
	}
	b.put(2 * time.Hour)
	b.rounds(t, askEvery)
	if err := b.g.Doubt(); err != nil {
		t.Errorf("put right: %v", err)
	}
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		b.put(by)
		b.g.Now()
		if b.g.Doubt() == nil {
			t.Errorf("believed right after it was put by %s", by)
		}
		b.put(-by)
		b.rounds(t, askEvery)
		if err := b.g.Doubt(); err != nil {
			t.Errorf("put by %s and back: %v", by, err)
		}
	}
	// Slow drift: the database pulls away until it is too far, and the clock is put after it.
	b.peers["db"].off -= 6 * time.Second
	b.rounds(t, askEvery)
	if b.g.Doubt() == nil {
		t.Error("believed six seconds away from the database")
	}
	b.put(-6 * time.Second)
	b.rounds(t, askEvery)
	if off := b.g.Offsets()["db"]; off != 0 {
		t.Errorf("%s from the database", off)
	}
}

// A clock that is moved on purpose is none of the guard's business, and advancing is no
// jump.
func TestGuardLetsTimePass(t *testing.T) {
	b := newBench(nil)
	b.Advance(30 * 24 * time.Hour)
	b.g.Now()
	b.rounds(t, time.Minute)
	if err := errors.Join(b.g.Doubt(), Doubt(b.Virtual), Doubt(System())); err != nil {
		t.Error(err)
	}
	forget := b.g.Ask("db", func(context.Context) (Answer, error) { return Answer{Time: start.AddDate(9, 0, 0)}, nil })
	forget()
	b.rounds(t, time.Minute)
	if err := b.g.Doubt(); err != nil {
		t.Errorf("asked whom it had forgotten: %v", err)
	}
}
