package rules

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/onehall/onehall/services/platform/workday"
)

// TestNoOrderReachesAnIllegalHistory gives random commands in random order to a random
// kind of case, and checks the history of those that were allowed by what the law says,
// without a look at the state machine.
func TestNoOrderReachesAnIllegalHistory(t *testing.T) {
	reached := map[State]bool{}
	for round := 1; round <= 500; round++ { // each of a hundred histories
		rapid.Check(t, func(t *rapid.T) { randomHistory(t, reached) })
		if round >= 20 && len(reached) == int(lastState-Submitted)+1 {
			break
		}
	}
	for s := Submitted; s <= lastState; s++ {
		if !reached[s] {
			t.Errorf("no random history reached %s: the test proves nothing of it", s)
		}
	}
}

func randomHistory(t *rapid.T, reached map[State]bool) {
	c := draft()
	c.Instant, c.FullFlow, c.FourEyes = rapid.Bool().Draw(t, "instant"), rapid.Bool().Draw(t, "full"), rapid.Bool().Draw(t, "four eyes")
	if c.Joint = rapid.IntRange(0, 4).Draw(t, "joint") == 0; c.Joint {
		c.Instant = false
	} else if rapid.IntRange(0, 2).Draw(t, "own flow") == 0 {
		c.Flow = surveyed
	}
	now := day0
	h := checker{c: c, before: c, last: day0}
	for i := range rapid.IntRange(1, 40).Draw(t, "length") {
		now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "hours")) * time.Hour)
		in := randomInput(t, c, now, i)
		before := c.clone()
		next, err := Apply(c, in)
		if err != nil {
			continue
		}
		if err := h.add(in, next); err != nil {
			t.Fatalf("%s in %s: %v\nbefore %+v\nafter %+v\nhistory %v", in.Command, before.State, err, before, next, h.done)
		}
		if c = next; c.State != Draft {
			reached[c.State] = true
		}
	}
}

// randomInput is any command, more often one that leads on, with random contents.
func randomInput(t *rapid.T, c Case, now time.Time, i int) Input {
	commands := []Command{}
	for cmd := Update; cmd <= lastCommand; cmd++ {
		commands = append(commands, cmd)
		if _, ok := machine[c.State][cmd]; ok && !slices.Contains([]Command{Void, Withdraw, NotAccept, Refuse, Claim, Assign, Release, HandOver, ChangeRevision, FillGap, ChargeFee, PayFee, WaiveFee, RefundFee, SendBack}, cmd) {
			commands = append(commands, cmd, cmd, cmd, cmd, cmd)
		}
		if cmd == PerformStep && c.State == Accepted || cmd == PerformStep && c.State == Examining {
			commands = append(commands, cmd, cmd, cmd, cmd, cmd, cmd, cmd, cmd)
		}
	}
	in := do(rapid.SampledFrom(commands).Draw(t, fmt.Sprintf("command %d", i)), rapid.SampledFrom([]string{"ada", "bo", "cy"}).Draw(t, "actor"))
	in.Now = now
	in.Requester = rapid.SampledFrom([]string{"ada", "bo", ""}).Draw(t, "requester")
	in.Granted = rapid.Bool().Draw(t, "granted")
	in.Reason = rapid.SampledFrom([]string{longReason, longReason, "短"}).Draw(t, "reason")
	in.Department = rapid.SampledFrom([]string{"D1", "D2"}).Draw(t, "department")
	in.Assignee, in.Superior = rapid.SampledFrom([]string{"ada", "bo"}).Draw(t, "assignee"), rapid.Bool().Draw(t, "superior")
	if rapid.Bool().Draw(t, "safeguards") {
		in.Becomes.FullFlow, in.Becomes.FourEyes = c.FullFlow, c.FourEyes
	}
	in.AllEnded = rapid.Bool().Draw(t, "all ended")
	in.Becomes.Instant = c.Instant
	in.Becomes.Limits.Promised = rapid.IntRange(0, 1).Draw(t, "promised")
	in.Limit = rapid.IntRange(0, 12).Draw(t, "limit")
	in.Was.Charged = rapid.IntRange(0, 4).Draw(t, "free") > 0
	in.Amount, in.Charge = int64(rapid.IntRange(0, 700).Draw(t, "amount")), rapid.IntRange(1, 3).Draw(t, "charge")
	in.Deleted, in.Filled = rapid.Bool().Draw(t, "deleted"), rapid.SampledFrom([][]string{nil, {"m2"}, {"m3"}}).Draw(t, "filled")
	if len(c.Flow) > 0 {
		in.Step = rapid.SampledFrom(c.Flow).Draw(t, "step").ID
		in.ActorDepartment = rapid.SampledFrom([]string{c.Department, c.Department, c.Department, "D2"}).Draw(t, "of")
		in.Posts = rapid.SampledFrom([][]string{{"勘验岗"}, {"勘验岗"}, {"勘验岗"}, nil}).Draw(t, "posts")
		if p := c.progress(); rapid.IntRange(0, 3).Draw(t, "in turn") > 0 && p.waits() >= 0 {
			in.Step, in.Superior = c.Flow[p.waits()].ID, true
		}
	}
	in.Result = FinishResult(rapid.IntRange(1, 6).Draw(t, "result"))
	in.Due, in.Received = workday.DateOf(now)+3, c.Receipt()
	if in.Command == DeemAccept {
		in.Due = workday.DateOf(now) - workday.Date(rapid.IntRange(0, 3).Draw(t, "overdue"))
	}
	if rapid.IntRange(0, 4).Draw(t, "claims") == 0 {
		in.Happened = now.Add(time.Duration(rapid.IntRange(-300, 10).Draw(t, "claimed")) * time.Hour)
	}
	return in
}

// checker knows the law of a history.
type checker struct {
	c Case
	// before is the case before the command.
	before Case
	last   time.Time
	done   []Command
	by     map[Command]string
	flow   flowOracle
	// taker is who took a step of the own flow last, due what was charged and not yet
	// paid or waived, paid what was paid and not given back.
	taker     map[string]string
	due, paid map[int]int64
}

// ownFlow checks the steps of a flow of the case's own.
func (h *checker) ownFlow(in Input) error {
	own := len(h.c.Flow) > 0
	if !own {
		if in.Command == PerformStep || in.Command == SendBack {
			return fmt.Errorf("without a flow of its own")
		}
		return nil
	}
	switch in.Command {
	case Undertake, Examine, Approve:
		return fmt.Errorf("by the usual path")
	case Decide:
		if !h.flow.complete(h.c) {
			return fmt.Errorf("with %v alone", h.flow.stack)
		}
	case SendBack:
		return h.flow.add(h.c, in)
	case PerformStep:
		s := h.c.Flow[slices.IndexFunc(h.c.Flow, func(s FlowStep) bool { return s.ID == in.Step })]
		department := s.Department
		if department == "" {
			department = h.before.Department
		}
		switch {
		case department != in.ActorDepartment, len(s.Posts) > 0 && len(in.Posts) == 0, s.Kind == StepApprove && !in.Superior:
			return fmt.Errorf("%s by %s of %s with %v", s.ID, in.Actor, in.ActorDepartment, in.Posts)
		}
		for _, other := range s.FourEyes {
			if h.taker[other] == in.Actor {
				return fmt.Errorf("%s took %s and %s", in.Actor, other, s.ID)
			}
		}
		if h.taker == nil {
			h.taker = map[string]string{}
		}
		h.taker[s.ID] = in.Actor
		return h.flow.add(h.c, in)
	}
	return nil
}

func ofMoney(cmd Command) bool { return cmd >= ChargeFee && cmd <= RefundFee }

// money checks that nobody pays twice and nobody gets back more than was paid.
func (h *checker) money(in Input, next Case) error {
	if h.due == nil {
		h.due, h.paid = map[int]int64{}, map[int]int64{}
	}
	due, open := h.due[in.Charge]
	switch in.Command {
	case ChargeFee:
		if !in.Was.Charged || in.Amount <= 0 {
			return fmt.Errorf("%d fen on a free item (%t)", in.Amount, !in.Was.Charged)
		}
		h.due[len(next.Charges)] = in.Amount
	case PayFee, WaiveFee:
		if !open {
			return fmt.Errorf("charge %d is not open", in.Charge)
		}
		if in.Command == PayFee {
			h.paid[in.Charge] = due
		}
		delete(h.due, in.Charge)
	case RefundFee:
		if h.paid[in.Charge] -= in.Amount; h.paid[in.Charge] < 0 || in.Amount <= 0 {
			return fmt.Errorf("%d fen too much", -h.paid[in.Charge])
		}
	}
	return nil
}

// gaps checks that only what was missing comes, and once.
func (h *checker) gaps(in Input) error {
	if in.Command != FillGap {
		return nil
	}
	for _, id := range in.Filled {
		if i := slices.IndexFunc(h.before.Gaps, func(g Gap) bool { return g.Material == id && g.Filled.IsZero() }); i < 0 {
			return fmt.Errorf("%s was not missing", id)
		}
	}
	return nil
}

func (h *checker) count(cmd Command) int {
	n := 0
	for _, d := range h.done {
		if d == cmd {
			n++
		}
	}
	return n
}

func (h *checker) did(cmds ...Command) bool {
	return slices.ContainsFunc(cmds, func(c Command) bool { return h.count(c) > 0 })
}

// add checks one more command that was allowed.
func (h *checker) add(in Input, next Case) error {
	if err := h.order(in, next); err != nil {
		return err
	}
	if err := h.persons(in); err != nil {
		return err
	}
	for _, err := range []error{h.ownFlow(in), h.money(in, next), h.gaps(in)} {
		if err != nil {
			return err
		}
	}
	if ofMoney(in.Command) {
		if h.did(Void) || !h.did(Submit) {
			return fmt.Errorf("money on no record")
		}
		h.before, h.last = next, next.Last
		return nil
	}
	waiting := h.count(RequestSupplement) > h.count(ReceiveSupplement)
	running := h.count(StartExcluded) > h.count(EndSpecial)
	undertaken := h.did(Undertake, PerformStep)
	onlyWhileFree := []Command{PerformStep, SendBack, PreAccept, RequestSupplement, Accept, DeemAccept, NotAccept, Refuse, Undertake, Examine, Approve, Decide, StartExcluded, Extend}
	switch {
	case slices.Contains(onlyWhileFree, in.Command) && (waiting || running):
		return fmt.Errorf("while the case waits for papers (%t) or a procedure (%t)", waiting, running)
	case (in.Command == ReceiveSupplement || in.Command == Lapse) && !waiting:
		return fmt.Errorf("without a notice")
	case in.Command == DeemAccept && !next.Last.After(workday.EndOfDay(in.Due)):
		return fmt.Errorf("the hall still had until %s", in.Due)
	case in.Command == DeemAccept && !next.Accepted.Equal(in.Received):
		return fmt.Errorf("accepted from %s and not from the receipt", next.Accepted)
	case in.Command == EndSpecial && !running:
		return fmt.Errorf("without a procedure")
	case in.Command == Decide && h.c.FullFlow && len(h.c.Flow) == 0 && !(h.did(Undertake) && h.did(Examine) && h.did(Approve)):
		return fmt.Errorf("without all three steps")
	case in.Command == Decide && !h.c.Instant && !undertaken:
		return fmt.Errorf("nobody undertook it")
	case in.Command == Decide && !in.Granted && len([]rune(in.Reason)) < MinReason:
		return fmt.Errorf("a denial without reasons")
	}
	if err := h.work(in, next); err != nil {
		return err
	}
	h.before = next
	h.done = append(h.done, in.Command)
	h.last = next.Last
	if h.by == nil {
		h.by = map[Command]string{}
	}
	h.by[in.Command] = in.Actor
	return nil
}

// work checks whose work the case is.
func (h *checker) work(in Input, next Case) error {
	was := h.before.Assignee
	switch {
	case in.Command == Claim && was != "":
		return fmt.Errorf("claimed from %s", was)
	case in.Command == Release && was != in.Actor && !in.Superior:
		return fmt.Errorf("%s gave back the work of %q", in.Actor, was)
	case in.Command == HandOver && (next.Department == h.before.Department || next.Assignee != ""):
		return fmt.Errorf("from %q to %q, assigned to %q", h.before.Department, next.Department, next.Assignee)
	case in.Command != HandOver && next.Department != h.before.Department:
		return fmt.Errorf("it came to %q by itself", next.Department)
	case !slices.Contains([]Command{Claim, Assign}, in.Command) && next.Assignee != was && next.Assignee != "":
		return fmt.Errorf("it came to %s by itself", next.Assignee)
	}
	return nil
}

// order checks what must come before or may come once only.
func (h *checker) order(in Input, next Case) error {
	if next.Last.Before(h.last) || next.Last.After(in.Now) && next.Last.After(h.last) {
		return fmt.Errorf("it happened at %s, after %s, entered at %s", next.Last, h.last, in.Now)
	}
	if ofMoney(in.Command) {
		return nil // it has no place among the other steps
	}
	for _, once := range []Command{Submit, PreAccept, Accept, DeemAccept, NotAccept, Refuse, Undertake, Examine, Approve, Decide, Finish, Collect, Withdraw, Lapse, Void, Extend, Link, Revoke, Conclude, IssueLicense} {
		if in.Command == once && h.did(once) {
			return fmt.Errorf("a second time")
		}
	}
	for cmd, needs := range map[Command]Command{
		PreAccept: Submit, RequestSupplement: Submit, Accept: Submit, NotAccept: Submit, Refuse: Submit, DeemAccept: Submit, Claim: Submit, Assign: Submit, HandOver: Submit, Undertake: Accept, Examine: Undertake,
		Approve: Undertake, PerformStep: Accept, SendBack: PerformStep, FillGap: Accept, Decide: Accept, Collect: Finish, IssueLicense: Finish, Withdraw: Submit, StartExcluded: Accept, Extend: Accept,
	} {
		if needs == Accept && h.did(DeemAccept) {
			continue // by law as good as accepted
		}
		if in.Command == cmd && !h.did(needs) {
			return fmt.Errorf("before %s", needs)
		}
	}
	upOrBack := in.Result == ResultForwarded || in.Result == ResultReturned
	switch {
	case in.Command == Finish && !h.did(Decide) && !(upOrBack && h.did(Undertake, PerformStep)):
		return fmt.Errorf("before the decision")
	case h.did(Finish) && !slices.Contains([]Command{Collect, Link, Revoke, Void, Reveal, FillGap, IssueLicense}, in.Command):
		return fmt.Errorf("after the finish")
	case h.c.Joint && slices.Contains([]Command{Undertake, Examine, Approve, Decide, Finish, ChangeRevision, PerformStep, ChargeFee}, in.Command):
		return fmt.Errorf("a joint case is handled itself")
	case in.Command == Conclude && !(h.c.Joint && in.AllEnded && h.did(Accept, DeemAccept)):
		return fmt.Errorf("before its children, or not joint (%t)", h.c.Joint)
	case h.did(Conclude) && !slices.Contains([]Command{Collect, Void, Reveal, FillGap}, in.Command):
		return fmt.Errorf("after the conclusion")
	case h.c.Joint && !in.AllEnded && slices.Contains([]Command{Void, Refuse, NotAccept, Lapse}, in.Command):
		return fmt.Errorf("over the heads of its parts")
	case in.Command == Void && in.Deleted && h.did(Decide):
		return fmt.Errorf("deleted what was decided")
	case in.Command == Link && h.before.Result != ResultForwarded:
		return fmt.Errorf("not forwarded but %d", h.before.Result)
	case in.Command == Revoke && !(h.did(Decide) && h.before.Granted):
		return fmt.Errorf("nothing was granted")
	case in.Command == ChangeRevision && in.Becomes.Limits.Promised > in.Was.Limits.Promised:
		return fmt.Errorf("the hall gets more time")
	case in.Command == ChangeRevision && (h.before.FullFlow && !next.FullFlow || h.before.FourEyes && !next.FourEyes):
		return fmt.Errorf("a safeguard is gone")
	case h.did(Revoke) && !slices.Contains([]Command{Void, Reveal}, in.Command):
		return fmt.Errorf("after the revocation")
	}
	if (in.Command == Accept || in.Command == DeemAccept) && h.did(Accept, DeemAccept) {
		return fmt.Errorf("accepted twice")
	}
	ends := []Command{NotAccept, Refuse, Withdraw, Lapse}
	switch {
	case in.Command == Reveal:
		return nil
	case h.did(Void):
		return fmt.Errorf("after it was voided")
	case h.did(ends...) && in.Command != Void:
		return fmt.Errorf("after the end")
	case h.did(Decide) && !slices.Contains([]Command{Finish, Collect, Void, Claim, Assign, Release, Link, Revoke, FillGap, IssueLicense}, in.Command):
		return fmt.Errorf("after the decision")
	}
	return nil
}

// persons checks who must not be the same.
func (h *checker) persons(in Input) error {
	switch {
	case h.c.FourEyes && (in.Command == Approve || in.Command == Decide) && h.by[Undertake] == in.Actor:
		return fmt.Errorf("%s undertook it and approves it", in.Actor)
	case (in.Command == StartExcluded || in.Command == Extend) && (in.Requester == in.Actor || in.Requester == ""):
		return fmt.Errorf("asked by %q and approved by %q", in.Requester, in.Actor)
	case in.Command == Extend && in.Limit > MaxExtension && !(h.c.Joint && in.Limit <= MaxJointExtension):
		return fmt.Errorf("%d days", in.Limit)
	}
	return nil
}
