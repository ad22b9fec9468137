package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/deploy/restclient"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// journal is what the callers know: every acknowledged answer.
type journal struct {
	mu    sync.Mutex
	cases map[string]*entry // by case name
	// twice are case names that two filings were answered with.
	twice  []string
	counts counts
}

// entry is a case as it was last acknowledged.
type entry struct {
	requestID string
	last      *caseworkv1.Case
	// events is how many acknowledged changes it has had.
	events int64
}

// counts are the journal's sums.
type counts struct{ filed, acked, unknown, resolved, broken int }

// String implements fmt.Stringer.
func (c counts) String() string {
	return fmt.Sprintf("filings acknowledged %d, steps acknowledged %d, outcomes unknown at first %d, of these resolved %d, answers that must not be %d", c.filed, c.acked, c.unknown, c.resolved, c.broken)
}

func newJournal() *journal { return &journal{cases: map[string]*entry{}} }

// String implements fmt.Stringer.
func (j *journal) String() string { return j.count().String() }

func (j *journal) count() counts {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.counts
}

// filed notes an acknowledged filing.
func (j *journal) filed(requestID string, c *caseworkv1.Case) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, there := j.cases[c.GetName()]; there {
		j.twice = append(j.twice, c.GetName())
	}
	j.cases[c.GetName()] = &entry{requestID: requestID, last: c, events: 1}
	j.counts.filed++
	j.counts.acked++
}

// stepped notes an acknowledged step.
func (j *journal) stepped(c *caseworkv1.Case) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.cases[c.GetName()]
	e.last, e.events = c, e.events+1
	j.counts.acked++
}

func (j *journal) note(change func(*counts)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(&j.counts)
}

// step is one call of a case's way.
type step struct {
	by   *restclient.Client
	verb string
	req  func() proto.Message
}

// licence is the way of a case from its acceptance to its end.
func (c *crash) licence() []step {
	return []step{
		{c.window, "accept", func() proto.Message { return &caseworkv1.AcceptCaseRequest{} }},
		{c.officer, "undertake", func() proto.Message { return &caseworkv1.UndertakeCaseRequest{Opinion: "材料齐全"} }},
		{c.examiner, "examine", func() proto.Message { return &caseworkv1.ExamineCaseRequest{Opinion: "符合条件"} }},
		{c.head, "approve", func() proto.Message { return &caseworkv1.ApproveCaseRequest{Opinion: "同意"} }},
		{c.head, "decide", func() proto.Message {
			return &caseworkv1.DecideCaseRequest{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED}
		}},
		{c.window, "finish", func() proto.Message {
			return &caseworkv1.FinishCaseRequest{Result: caseworkv1.FinishResult_FINISH_RESULT_ISSUED, CertificateName: "许可证", Online: true}
		}},
	}
}

// work files and handles one case after the other until ctx ends. A call that has begun
// is carried to its definite answer.
func (c *crash) work(ctx context.Context, n int) {
	who, client := c.person(n)
	for ctx.Err() == nil {
		req := c.filing(who, house.Hotel)
		req.Parent = ""
		kase := &caseworkv1.Case{}
		if !c.definite(func(ctx context.Context) error {
			return client.Post(ctx, "/v1/"+c.hall+"/cases:file", req, kase)
		}) {
			return
		}
		c.journal.filed(req.GetRequestId(), kase)
		for _, s := range c.licence() {
			if ctx.Err() != nil {
				return
			}
			next, m := &caseworkv1.Case{}, s.req()
			set(m, "request_id", newID())
			if !c.definite(func(ctx context.Context) error { return act(ctx, s.by, kase, s.verb, m, next) }) {
				return
			}
			c.journal.stepped(next)
			kase = next
		}
	}
}

// retryAfter is how long a caller waits before it asks again.
const retryAfter = 50 * time.Millisecond

// definite makes a call again, with the same request id, until its outcome is known. It
// says whether the call was carried out; a refusal must not be.
func (c *crash) definite(call func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for tries := 0; ; tries++ {
		select {
		case <-pause.C:
		case <-ctx.Done():
			c.journal.note(func(n *counts) { n.broken++ })
			c.t.Error("an unknown outcome was not resolved within a minute")
			return false
		}
		err := call(ctx)
		if err == nil {
			if tries > 0 {
				c.journal.note(func(n *counts) { n.resolved++ })
			}
			return true
		}
		if !unknown(err) {
			c.journal.note(func(n *counts) { n.broken++ })
			c.t.Errorf("after %d tries: %v", tries+1, err)
			return false
		}
		if tries == 0 {
			c.journal.note(func(n *counts) { n.unknown++ })
		}
		pause.Reset(retryAfter)
	}
}

// unknown tells whether an error leaves open what became of the call.
func unknown(err error) bool {
	var r *restclient.Error
	if !errors.As(err, &r) {
		return true // the connection broke
	}
	return r.Status == http.StatusServiceUnavailable || r.Status == http.StatusGatewayTimeout
}
