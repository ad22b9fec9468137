package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
)

// check holds the hall against the journal.
func (c *crash) check() {
	there := c.everyCase()
	lost, doubled := 0, len(there)-len(c.journal.cases)+len(c.journal.twice)
	for name, e := range c.journal.cases {
		now, ok := there[name]
		switch {
		case !ok:
			lost++
			c.t.Errorf("%s was acknowledged (request %s) and is lost", name, e.requestID)
		case now.GetState() != e.last.GetState() || now.GetEtag() != e.last.GetEtag():
			c.t.Errorf("%s is %v at %s, acknowledged was %v at %s", name, now.GetState(), now.GetEtag(), e.last.GetState(), e.last.GetEtag())
		}
	}
	if doubled != 0 {
		c.t.Errorf("%d cases that no acknowledged filing made; two filings were answered with %v", doubled, c.journal.twice)
	}
	c.histories()
	c.feed()
	c.clocks(there)
	c.hub()
	for _, line := range c.Faults(true) {
		c.t.Errorf("in the log: %s", line)
	}
	c.t.Logf("cases %d, lost %d, doubled %d", len(there), lost, doubled)
}

// everyCase reads all cases of the hall.
func (c *crash) everyCase() map[string]*caseworkv1.Case {
	all := map[string]*caseworkv1.Case{}
	for token := ""; ; {
		page := get(c.scene, c.supervisor, "/v1/"+c.hall+"/cases"+house.Query("pageSize", "200", "pageToken", token), &caseworkv1.ListCasesResponse{})
		for _, one := range page.GetCases() {
			all[one.GetName()] = one
		}
		if token = page.GetNextPageToken(); token == "" {
			return all
		}
	}
}

// histories wants each case's events to be 1..n, and n to be what was acknowledged.
func (c *crash) histories() {
	for name, e := range c.journal.cases {
		list := get(c.scene, c.supervisor, "/v1/"+name+"/events", &caseworkv1.ListCaseEventsResponse{})
		for i, one := range list.GetEvents() {
			if one.GetSequence() != int64(i+1) {
				c.t.Errorf("%s: event %d has the number %d", name, i+1, one.GetSequence())
			}
		}
		if n := int64(len(list.GetEvents())); n != e.events {
			c.t.Errorf("%s has %d events, acknowledged were %d", name, n, e.events)
		}
	}
}

// feed wants casework's feed to hold every event once, in positions without a gap and in
// each case's own order.
func (c *crash) feed() {
	sequence := map[string]int64{}
	for i, e := range c.events("casework") {
		sequence[e.GetSubject()]++
		if e.GetPosition() != int64(i+1) || e.GetSequence() != sequence[e.GetSubject()] {
			c.t.Errorf("feed: %s %d at position %d, want %d at %d", e.GetSubject(), e.GetSequence(), e.GetPosition(), sequence[e.GetSubject()], i+1)
		}
	}
	for name, e := range c.journal.cases {
		if sequence[name] != e.events {
			c.t.Errorf("feed: %d events of %s, acknowledged were %d", sequence[name], name, e.events)
		}
	}
}

// running says what supervision's clock of a case must do.
func running(c *caseworkv1.Case) string {
	switch c.GetState() {
	case caseworkv1.CaseState_CASE_STATE_SUBMITTED:
		return "waiting"
	case caseworkv1.CaseState_CASE_STATE_DECIDED, caseworkv1.CaseState_CASE_STATE_FINISHED:
		return "stopped"
	}
	return "running"
}

// clocks recounts supervision: every case has the clock that its state asks for.
func (c *crash) clocks(there map[string]*caseworkv1.Case) {
	for _, name := range slices.Sorted(maps.Keys(there)) {
		one := there[name]
		house.Eventually(c.t, "the clock of "+name, func(ctx context.Context) (bool, string) {
			clock := &supervisionv1.CaseClock{}
			if err := c.supervisor.Get(ctx, "/v1/"+name+"/clock", clock); err != nil {
				return false, err.Error()
			}
			same := clock.GetRunState() == running(one) && clock.GetPromisedDueDate() == one.GetPromisedDueDate() && clock.GetDepartment() == one.GetDepartment()
			return same, fmt.Sprintf("%v, the case %v due %s", clock, one.GetState(), one.GetPromisedDueDate())
		})
	}
}

// hub recounts the figures, here from the journal and by the program from the sources.
func (c *crash) hub() {
	want := map[string]int64{}
	for _, e := range c.journal.cases {
		want["submitted"]++
		if e.last.GetAcceptTime() != nil {
			want["accepted"]++
		}
		if e.last.GetFinish() != nil {
			want["finished"]++
		}
	}
	house.Eventually(c.t, "the hub has counted everything", func(ctx context.Context) (bool, string) {
		got, err := facts(ctx, c.analyst)
		if err != nil {
			return false, err.Error()
		}
		for k, n := range want {
			if got[k] != n {
				return false, jsonOf(got) + " want " + jsonOf(want)
			}
		}
		return true, ""
	})
	if out, err := c.Run(c.t.Context(), "verify", "recount"); err != nil {
		c.t.Errorf("verify recount: %v\n%s", err, out)
	}
}
