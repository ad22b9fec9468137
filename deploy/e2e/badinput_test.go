package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/onehall/onehall/deploy/e2e/house"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
)

// bad is one input and the answer it must get. The tables are in the badinput_* files,
// by class. An input with a method and a message goes both ways, by gRPC straight to the
// service and by REST in the form that the contract's HTTP rule gives it.
type bad struct {
	// class is the class of input, as H29; what tells the input apart.
	class, what string
	// rpc and msg are the gRPC form; without them there is only a REST form.
	rpc string
	msg proto.Message
	// http is the REST form where the rule's is not meant; wire is one for bytes that no
	// HTTP client would send.
	http *restForm
	wire *wireForm
	// grpcOnly is for what JSON cannot say.
	grpcOnly bool
	// who calls; nil is nobody. auth, if any, are the authorization headers instead.
	who  *authn.User
	auth []string

	code   codes.Code
	status int
	reason string
	// httpReason is the gateway's, where it sees earlier and elsewhere what is wrong.
	httpReason string
	// field is what the refusal must name; empty where there is no field to name.
	field string
	// secret must not be in the answer.
	secret string
}

func (b bad) String() string { return b.class + " " + b.what }

// wireForm is a request written on a connection: a head, and a body that may be endless.
type wireForm struct {
	head string
	body io.Reader
}

// TestBadInput sends every input of the tables by every transport it has to every shape on
// every database, and wants the same refusal everywhere: with a reason, the field's name, a request id, nothing of the
// value, and nothing left behind.
func TestBadInput(t *testing.T) {
	said := map[string]map[string]string{} // by input, by hall
	house.Each(t, func(t *testing.T, o house.Options) {
		s := newScene(t, o)
		r := badRun{scene: s, fix: s.fixtures(), said: map[string]string{}}
		r.odd()
		r.run()
		for k, v := range r.said {
			if said[k] == nil {
				said[k] = map[string]string{}
			}
			said[k][string(o.Shape)+"/"+o.Driver] = v
		}
	})
	for input, answers := range said {
		var first string
		for hall, a := range answers {
			if first == "" {
				first = a
			}
			if a != first {
				t.Errorf("%s: answered differently: %s: %s, elsewhere %s", input, hall, a, first)
			}
		}
	}
}

type badRun struct {
	*scene
	fix  *fixtures
	said map[string]string
	// calls and slowest are for the report.
	calls   int
	slowest time.Duration
	took    []time.Duration
}

// run goes through all tables and looks at what they left behind.
func (r *badRun) run() {
	rows := slices.Concat(r.framingRows(), r.headerRows(), r.jsonRows(), r.numberRows(), r.textRows(), r.identityRows(), r.pagingRows(), r.requestRows(), r.flowRows())
	before := r.everyEvent()
	tried := 0
	all := rpcs()
	classes := map[string]int{}
	for _, b := range rows {
		classes[b.class]++
		if _, twice := r.said[b.String()]; twice {
			r.t.Errorf("%s is in the tables twice", b)
		}
		r.one(all, b)
		if b.class == "H58" && b.reason != "FIELD_REQUIRED" {
			tried++ // what the law forbids leaves a trace, one for each request id
		}
	}
	if got := len(r.attempts()); got != tried {
		r.t.Errorf("%d refused attempts are recorded, want %d", got, tried)
	}
	if after := r.everyEvent(); before != after {
		r.t.Errorf("events before: %s, after: %s", before, after)
	}
	r.noFaults()
	slices.Sort(r.took)
	r.t.Logf("%d inputs of %d classes, %d calls; half within %v, 99 of 100 within %v, the slowest %v", len(rows), len(classes), r.calls,
		r.took[len(r.took)/2], r.took[len(r.took)*99/100], r.took[len(r.took)-1])
}

// one sends one input every way it has.
func (r *badRun) one(all map[string]rpcMethod, b bad) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var said []string
	if b.msg != nil {
		m, ok := all[b.rpc]
		if !ok {
			r.t.Fatalf("%s: there is no method %s", b, b.rpc)
		}
		said = append(said, r.compare(b, "gRPC", b.reason, r.timed(func() answer { return r.rpcAs(ctx, m, b) })))
		if b.http == nil && b.wire == nil && !b.grpcOnly {
			call, err := house.REST(m.desc, b.msg)
			r.must(b.String(), err)
			b.http = &restForm{method: call.Method, path: call.Path, body: string(call.Body), noBody: call.Body == nil}
		}
	}
	reason := b.reason
	if b.httpReason != "" {
		reason = b.httpReason
	}
	if b.http != nil {
		said = append(said, r.compare(b, "REST", reason, r.timed(func() answer { return r.httpAs(ctx, b) })))
	}
	if b.wire != nil {
		said = append(said, r.compare(b, "REST", reason, r.timed(func() answer { return r.wired(ctx, b) })))
	}
	r.said[b.String()] = strings.Join(said, "; ")
}

func (r *badRun) timed(call func() answer) answer {
	start := time.Now()
	a := call()
	r.calls++
	r.took = append(r.took, time.Since(start))
	return a
}

func (r *badRun) rpcAs(ctx context.Context, m rpcMethod, b bad) answer {
	for _, a := range b.auth {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", a)
	}
	return r.rpc(ctx, m, b.who, b.msg)
}

func (r *badRun) httpAs(ctx context.Context, b bad) answer {
	f := *b.http
	f.header = f.header.Clone()
	if f.header == nil {
		f.header = http.Header{}
	}
	if _, given := f.header["Content-Type"]; !given && !f.noBody {
		f.header.Set("Content-Type", "application/json")
	}
	for _, a := range b.auth {
		f.header.Add("Authorization", a)
	}
	return r.http(ctx, f, b.who)
}

// wired writes a request as it stands and reads the answer. That the hall stops reading
// what is too much is as it should be.
func (r *badRun) wired(ctx context.Context, b bad) answer {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(r.Gateway, "http://"))
	r.must(b.String(), err)
	defer func() { _ = conn.Close() }() // it is of no further use
	r.must(b.String(), conn.SetDeadline(time.Now().Add(15*time.Second)))
	_, err = io.WriteString(conn, b.wire.head)
	r.must(b.String(), err)
	if b.wire.body != nil {
		go func() { _, _ = io.Copy(conn, b.wire.body) }() // ends with the connection at the latest
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	r.must(b.String(), err)
	defer func() { _ = resp.Body.Close() }() // it was read
	return restAnswer(r.t, resp)
}

// compare holds an answer against what must be, and puts it into a word.
func (r *badRun) compare(b bad, transport, reason string, a answer) string {
	r.t.Helper()
	var wrong []string
	note := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	note(a.code == b.code, "code %v, want %v", a.code, b.code)
	if transport == "REST" {
		want := b.status
		if b.code == codes.OK {
			want = http.StatusOK
		}
		note(a.http == want, "status %d, want %d", a.http, want)
		note(a.code == codes.OK || a.requestID != "", "no request id")
	}
	note(a.reason == reason, "reason %q, want %q", a.reason, reason)
	if b.field != "" {
		field := b.field
		if transport == "REST" {
			field = camel(field)
		}
		note(slices.Contains(a.fields, field), "names %q, want %q", a.fields, field)
	}
	// The request's id is random: digits of it are no echo of a short value.
	note(b.secret == "" || !strings.Contains(strings.ReplaceAll(a.body, a.requestID, ""), b.secret), "echoes the value")
	if len(wrong) > 0 {
		r.t.Errorf("%s, by %s: %s; the answer: %.400s", b, transport, strings.Join(wrong, "; "), a.body)
	}
	return fmt.Sprintf("%s %v %d %s %v", transport, a.code, a.http, a.reason, a.fields)
}

// camel writes a path as JSON does.
func camel(path string) string {
	parts := strings.Split(path, "_")
	for i := range parts[1:] {
		if p := parts[i+1]; p != "" {
			parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

// everyEvent counts the events of every service that writes.
func (s *scene) everyEvent() string {
	s.t.Helper()
	var out strings.Builder
	for _, role := range []string{"catalogue", "casework", "review", "supervision"} {
		n := 0
		for _, e := range s.events(role) {
			if !ofAttempt(e) {
				n++
			}
		}
		fmt.Fprintf(&out, "%s %d ", role, n)
	}
	return out.String()
}

// ofAttempt tells the traces of what the law forbids, and the warnings about them, from
// what changes something.
func ofAttempt(e *feedv1.Event) bool {
	card := &supervisionv1.Card{}
	if e.GetResourceType() == string(card.ProtoReflect().Descriptor().FullName()) {
		return proto.Unmarshal(e.GetResource(), card) == nil && card.GetRule() == "P14_REFUSED_ATTEMPT"
	}
	return e.GetType() == "case.attempt_refused"
}

// attempts are the traces of what the law forbids.
func (s *scene) attempts() []*feedv1.Event {
	s.t.Helper()
	return slices.DeleteFunc(s.events("casework"), func(e *feedv1.Event) bool { return e.GetType() != "case.attempt_refused" })
}

// events are all that a service has written before this moment. The feed is told of them
// a little after they are written, so it is read until it says that it is complete.
func (s *scene) events(role string) []*feedv1.Event {
	s.t.Helper()
	client := feedv1.NewFeedServiceClient(s.Conn(role))
	now := time.Now()
	var all []*feedv1.Event
	house.Eventually(s.t, "the feed of "+role+" is complete", func(ctx context.Context) (bool, string) {
		for {
			page, err := client.ReadEvents(s.Context(ctx, house.Service()), &feedv1.ReadEventsRequest{After: int64(len(all)), PageSize: 1000})
			if err != nil {
				return false, err.Error()
			}
			all = append(all, page.GetEvents()...)
			if len(page.GetEvents()) == 0 {
				return page.GetCompleteUntil().AsTime().After(now), page.GetCompleteUntil().AsTime().String()
			}
		}
	})
	return all
}
