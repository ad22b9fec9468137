package casework

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// together runs a call n times at once and gives the answers.
func together(n int, call func(i int) (*caseworkv1.Case, error)) ([]*caseworkv1.Case, []error) {
	cases, errs := make([]*caseworkv1.Case, n), make([]error, n)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			<-start
			cases[i], errs[i] = call(i)
		})
	}
	close(start)
	done.Wait()
	return cases, errs
}

func bytesOf(t *testing.T, m proto.Message) string {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOneRequestIDMakesOneCase(t *testing.T) {
	eachHall(t, func(h *hall) {
		req := filing(promisedItem)
		cases, errs := together(100, func(int) (*caseworkv1.Case, error) {
			return h.client.FileCase(as(h.t.Context(), "ada"), req)
		})
		for i, err := range errs {
			if err != nil {
				h.t.Fatalf("call %d: %s", i, explain(err))
			}
			if bytesOf(h.t, cases[i]) != bytesOf(h.t, cases[0]) {
				h.t.Fatalf("call %d is answered differently:\n%v\n%v", i, cases[i], cases[0])
			}
		}
		list, err := h.client.ListCases(as(h.t.Context(), "ada"), &caseworkv1.ListCasesRequest{Parent: hallName})
		if err != nil || len(list.GetCases()) != 1 {
			h.t.Errorf("%d cases, %v", len(list.GetCases()), err)
		}
		// Whatever has become of the case and the item, a retry gets the first answer.
		h.do(cases[0], "accept", "undertake")
		h.emit("item.paused", promisedItem, item(promisedItem, nil))
		h.settle()
		again, err := h.client.FileCase(as(h.t.Context(), "ada"), req)
		if err != nil || bytesOf(h.t, again) != bytesOf(h.t, cases[0]) {
			h.t.Errorf("late retry: %v, %v", again, err)
		}
		other := proto.CloneOf(req)
		other.Case.Subject = "别的事"
		_, err = h.client.FileCase(as(h.t.Context(), "ada"), other)
		h.refusedWith(err, fault.RequestIDReused)
	})
}

func TestRequestIDsBelongToTheirCaller(t *testing.T) {
	h := oneHall(t)
	mine := h.file(instantItem)
	req := filing(promisedItem)
	req.Consent = true
	atWindow, err := h.client.FileCase(as(t.Context(), "window"), req)
	if err != nil {
		t.Fatal(explain(err))
	}
	req.Consent = false
	byAda, err := h.client.FileCase(as(t.Context(), "ada"), req)
	if err != nil || byAda.GetName() == atWindow.GetName() || byAda.GetName() == mine.GetName() {
		t.Errorf("the same id of another caller: %v, %v", byAda, err)
	}
}

func TestEveryStepCanBeRepeated(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := h.file(fullItem)
		for _, step := range []string{"pre_accept", "request_supplement", "receive_supplement", "accept", "claim", "assign", "release", "undertake", "extend", "start_special",
			"end_special", "examine", "approve", "deny", "finish", "collect", "void"} {
			id, etag, login := newID(), c.GetEtag(), by[step]
			finish := func(ctx context.Context) (*caseworkv1.Case, error) {
				if step == "finish" {
					return h.client.FinishCase(ctx, &caseworkv1.FinishCaseRequest{
						Name: c.GetName(), RequestId: id, Etag: etag, Result: caseworkv1.FinishResult_FINISH_RESULT_FINISHED,
					})
				}
				return commands[step](ctx, h.client, c.GetName(), id, etag, nil)
			}
			cases, errs := together(8, func(int) (*caseworkv1.Case, error) { return finish(as(h.t.Context(), login)) })
			for i, err := range errs {
				if err != nil {
					h.t.Fatalf("%s: %s", step, explain(err))
				}
				if bytesOf(h.t, cases[i]) != bytesOf(h.t, cases[0]) {
					h.t.Errorf("%s is answered differently", step)
				}
			}
			c = cases[0]
		}
		if c.GetEtag()[:3] != "18-" {
			h.t.Errorf("etag %s after 18 events", c.GetEtag())
		}
	})
}

// TestOneWinner lets four officials act on one case at once: one act counts, and the
// others are told that the case has changed.
func TestOneWinner(t *testing.T) {
	eachHall(t, func(h *hall) {
		acts := []string{"decide", "deny", "withdraw", "start_special", "request_supplement", "void"}
		for round := range 8 {
			c := h.do(h.file(promisedItem), "accept", "undertake")
			cases, errs := together(2*len(acts), func(i int) (*caseworkv1.Case, error) {
				act := acts[i%len(acts)]
				return commands[act](as(h.t.Context(), by[act]), h.client, c.GetName(), newID(), c.GetEtag(), nil)
			})
			winners := 0
			for i, err := range errs {
				if err == nil {
					winners++
					continue
				}
				if f := h.refusedWith(err, fault.ETagStale); f.Metadata()["etag"] == c.GetEtag() {
					h.t.Errorf("loser %d is told %v", i, f.Metadata())
				}
			}
			events, err := h.client.ListCaseEvents(as(h.t.Context(), "ada"), &caseworkv1.ListCaseEventsRequest{Parent: c.GetName()})
			if err != nil || winners != 1 || len(events.GetEvents()) != 4 {
				h.t.Fatalf("round %d: %d winners, %d events, %v; %v", round, winners, len(events.GetEvents()), err, cases)
			}
		}
	})
}

func TestManyFilingsAtOnce(t *testing.T) {
	eachHall(t, func(h *hall) {
		cases, errs := together(200, func(i int) (*caseworkv1.Case, error) {
			req := filing(promisedItem)
			req.Case.Subject = fmt.Sprintf("第 %d 件", i)
			return h.client.FileCase(as(h.t.Context(), "ada"), req)
		})
		seen := map[string]bool{}
		for i, err := range errs {
			if err != nil {
				h.t.Fatal(explain(err))
			}
			if seen[cases[i].GetName()] {
				h.t.Errorf("number %s given twice", cases[i].GetName())
			}
			seen[cases[i].GetName()] = true
		}
	})
}
