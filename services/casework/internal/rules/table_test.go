package rules

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// day0 is a Monday morning in China.
var day0 = time.Date(2026, 3, 2, 10, 0, 0, 0, workday.Zone)

const longReason = "材料内容与登记信息不一致，需要核实"

// history builds a case by a list of inputs that all must be allowed.
func history(t *testing.T, c Case, inputs ...Input) Case {
	t.Helper()
	for i, in := range inputs {
		next, err := Apply(c, in)
		if err != nil {
			t.Fatalf("input %d (%s) in %s: %v", i, in.Command, c.State, err)
		}
		c = next
	}
	return c
}

// do is a command that gives every rule what it asks for.
func do(cmd Command, actor string) Input {
	return Input{
		Command: cmd, Actor: actor, Now: day0.Add(time.Hour), Reason: longReason, Remedies: "可依法申请行政复议", RightBody: "惠州市公安局",
		Gaps: []Gap{{Material: "m2", Due: workday.DateOf(day0) + 10}}, Granted: true, Result: ResultIssued, Handover: true, Requester: "user/other", Name: "专家评审", Limit: 5,
		Due: workday.DateOf(day0) - 1, Received: day0, Assignee: "user/x", Department: "D9", Superior: true,
		Was: &Item{Revision: 1, Charged: true}, Becomes: &Item{Revision: 2},
		Step: "survey", ActorDepartment: "D1", Posts: []string{"勘验岗"}, Charge: 1, Amount: 1000,
	}
}

func draft() Case { return Case{State: Draft, Last: day0, Department: "D1"} }

// jointOf is a case as the parent of others.
func jointOf(c Case) Case {
	c.Joint = true
	return c
}

// samples are a case in every state, reached by allowed steps alone.
func samples(t *testing.T) map[State]Case {
	t.Helper()
	m := map[State]Case{}
	m[Draft] = draft()
	m[Submitted] = history(t, draft(), do(Submit, "a"), do(ChargeFee, "w"))
	m[Supplementing] = history(t, m[Submitted], do(RequestSupplement, "w"))
	m[NotAccepted] = history(t, m[Submitted], do(NotAccept, "w"))
	m[Refused] = history(t, m[Submitted], do(Refuse, "w"))
	m[Accepted] = history(t, m[Submitted], do(Accept, "w"))
	m[Examining] = history(t, m[Accepted], do(Undertake, "o"))
	m[Suspended] = history(t, m[Examining], do(StartExcluded, "h"))
	m[Decided] = history(t, m[Examining], do(Decide, "h"))
	m[Finished] = history(t, m[Decided], do(Finish, "w"))
	m[Collected] = history(t, m[Finished], do(Collect, "w"))
	m[Withdrawn] = history(t, m[Accepted], do(Withdraw, "a"))
	m[Lapsed] = history(t, m[Supplementing], do(Lapse, "w"))
	m[Voided] = history(t, m[Finished], do(Void, "h"))
	m[Revoked] = history(t, m[Collected], do(Revoke, "h"))
	return m
}

// want is the state machine written down a second time, by row and column instead of
// by arrow: every pair that is not here must be refused.
var want = map[State]map[Command]State{
	Draft: {Update: Draft, Submit: Submitted, Reveal: Draft},
	Submitted: {
		PreAccept: Submitted, RequestSupplement: Supplementing, Accept: Accepted, NotAccept: NotAccepted, Refuse: Refused,
		DeemAccept: Accepted, Withdraw: Withdrawn, Void: Voided, Reveal: Submitted,
		Claim: Submitted, Assign: Submitted, HandOver: Submitted, ChangeRevision: Submitted,
	},
	Supplementing: {
		ReceiveSupplement: Submitted, Withdraw: Withdrawn, Lapse: Lapsed, Void: Voided, Reveal: Supplementing,
		Claim: Supplementing, Assign: Supplementing, HandOver: Supplementing, ChangeRevision: Supplementing,
	},
	NotAccepted: {Void: Voided, Reveal: NotAccepted},
	Refused:     {Void: Voided, Reveal: Refused},
	Accepted: {
		RequestSupplement: Supplementing, Undertake: Examining, StartExcluded: Suspended, Extend: Accepted, Withdraw: Withdrawn,
		Void: Voided, Reveal: Accepted,
		FillGap: Accepted, Claim: Accepted, Assign: Accepted, HandOver: Accepted, ChangeRevision: Accepted,
	},
	Examining: {
		RequestSupplement: Supplementing, Examine: Examining, Approve: Examining, Decide: Decided, StartExcluded: Suspended,
		Extend: Examining, Withdraw: Withdrawn, Void: Voided, Reveal: Examining,
		FillGap: Examining, Claim: Examining, Assign: Examining, HandOver: Examining, ChangeRevision: Examining,
	},
	Suspended: {
		EndSpecial: Examining, Withdraw: Withdrawn, Void: Voided, Reveal: Suspended,
		FillGap: Suspended, Claim: Suspended, Assign: Suspended, HandOver: Suspended, ChangeRevision: Suspended,
	},
	Decided:   {Finish: Finished, Void: Voided, Reveal: Decided, FillGap: Decided, Claim: Decided, Assign: Decided},
	Finished:  {Collect: Collected, Void: Voided, Reveal: Finished, FillGap: Finished, Revoke: Revoked, IssueLicense: Finished},
	Collected: {Void: Voided, Reveal: Collected, FillGap: Collected, Revoke: Revoked, IssueLicense: Collected},
	Withdrawn: {Void: Voided, Reveal: Withdrawn},
	Lapsed:    {Void: Voided, Reveal: Lapsed},
	Voided:    {Reveal: Voided},
	Revoked:   {Void: Voided, Reveal: Revoked},
}

// wantMoney is the rest of want: charges are asked for until the finish, and paid or
// waived as long as there is a record.
func wantMoney(state State, cmd Command) bool {
	switch cmd {
	case ChargeFee:
		return slices.Contains([]State{Submitted, Supplementing, Accepted, Examining, Suspended, Decided, Finished}, state)
	case PayFee, WaiveFee:
		return state != Draft && state != Voided
	}
	return false
}

func TestEveryStateAndCommand(t *testing.T) {
	for state, c := range samples(t) {
		for cmd := Update; cmd <= lastCommand; cmd++ {
			t.Run(fmt.Sprintf("%s/%s", state, cmd), func(t *testing.T) {
				before := c.clone()
				next, err := Apply(c, do(cmd, "x"))
				if diff := cmp.Diff(before, c); diff != "" {
					t.Errorf("the case given was changed: %s", diff)
				}
				to, allowed := want[state][cmd]
				if wantMoney(state, cmd) {
					to, allowed = state, true
				}
				switch {
				case allowed && err != nil:
					t.Errorf("refused: %v", err)
				case allowed && next.State != to:
					t.Errorf("leads to %s, want %s", next.State, to)
				case !allowed && !errors.Is(err, fault.CaseWrongState):
					t.Errorf("err = %v, want CASE_WRONG_STATE", err)
				case !allowed && fault.Of(err).Metadata()["state"] != state.String():
					t.Errorf("metadata = %v, want state %s", fault.Of(err).Metadata(), state)
				}
			})
		}
	}
}

func TestGuards(t *testing.T) {
	s := samples(t)
	full := s[Accepted]
	full.FullFlow, full.FourEyes = true, true
	undertaken := history(t, full, do(Undertake, "o"))
	examined := history(t, undertaken, do(Examine, "e"))
	approved := history(t, examined, do(Approve, "h"))
	instant := s[Accepted]
	instant.Instant = true
	instantFull := instant
	instantFull.FullFlow = true
	gaps := s[Submitted]
	gaps.Missing = []string{"m2"}
	ownFlow := s[Accepted]
	ownFlow.Flow = surveyed
	deletable := func(in *Input) { in.Deleted = true }
	ended := func(in *Input) { in.AllEnded = true }
	extended := history(t, s[Accepted], do(Extend, "h"))

	joint := s[Accepted]
	joint.Joint = true
	forward := do(Finish, "w")
	forward.Result = ResultForwarded
	forwarded := history(t, s[Examining], forward)
	claimed := history(t, s[Accepted], Input{Command: Claim, Actor: "o", Now: day0})

	with := func(cmd Command, change func(*Input)) Input {
		in := do(cmd, "h")
		change(&in)
		return in
	}
	for _, tc := range []struct {
		name string
		c    Case
		in   Input
		want *fault.Reason
	}{
		{"pre-accept twice", history(t, s[Submitted], do(PreAccept, "w")), do(PreAccept, "w"), fault.CaseWrongState},
		{"supplement without a word", s[Submitted], with(RequestSupplement, func(in *Input) { in.Reason = "缺" }), fault.ReasonRequired},
		{"accept with unadmitted gaps", gaps, with(Accept, func(in *Input) { in.Gaps = nil }), fault.MaterialMissing},
		{"accept with a gap due yesterday", gaps, with(Accept, func(in *Input) { in.Gaps[0].Due = workday.DateOf(day0) - 1 }), fault.InvalidArgument},
		{"accept with a gap due today", gaps, with(Accept, func(in *Input) { in.Gaps[0].Due = workday.DateOf(day0) }), nil},
		{"fill a gap", s[Accepted], with(FillGap, func(in *Input) { in.Filled = []string{"m2"} }), nil},
		{"fill a gap after the grant", s[Decided], with(FillGap, func(in *Input) { in.Filled = []string{"m2"} }), nil},
		{"fill what is no gap", s[Accepted], with(FillGap, func(in *Input) { in.Filled = []string{"m1"} }), fault.MaterialUnknown},
		{"fill a gap twice", history(t, s[Accepted], with(FillGap, func(in *Input) { in.Filled = []string{"m2"} })), with(FillGap, func(in *Input) { in.Filled = []string{"m2"} }), fault.CaseWrongState},
		{"charge on a free item", s[Accepted], with(ChargeFee, func(in *Input) { in.Was = &Item{} }), fault.FeeOnFree},
		{"charge nothing", s[Accepted], with(ChargeFee, func(in *Input) { in.Amount = 0 }), fault.BadFee},
		{"charge less than nothing", s[Accepted], with(ChargeFee, func(in *Input) { in.Amount = -1 }), fault.BadFee},
		{"charge ten billion yuan", s[Accepted], with(ChargeFee, func(in *Input) { in.Amount = 1_000_000_000_000 }), fault.BadFee},
		{"pay what was not charged", s[Accepted], with(PayFee, func(in *Input) { in.Charge = 2 }), fault.InvalidArgument},
		{"pay twice", history(t, s[Accepted], do(PayFee, "w")), do(PayFee, "w"), fault.CaseWrongState},
		{"pay what was waived", history(t, s[Accepted], do(WaiveFee, "h")), do(PayFee, "w"), fault.CaseWrongState},
		{"waive what was paid", history(t, s[Accepted], do(PayFee, "w")), do(WaiveFee, "h"), fault.CaseWrongState},
		{"waive without reason", s[Accepted], with(WaiveFee, func(in *Input) { in.Reason = "困难" }), fault.ReasonRequired},
		{"give back", history(t, s[Accepted], do(PayFee, "w")), do(RefundFee, "h"), nil},
		{"give back more than was paid", history(t, s[Accepted], do(PayFee, "w")), with(RefundFee, func(in *Input) { in.Amount = 1001 }), fault.BadFee},
		{"give back twice", history(t, s[Accepted], do(PayFee, "w"), do(RefundFee, "h")), do(RefundFee, "h"), fault.BadFee},
		{"give back without reason", history(t, s[Accepted], do(PayFee, "w")), with(RefundFee, func(in *Input) { in.Reason = "" }), fault.ReasonRequired},
		{"give back after the withdrawal", history(t, s[Withdrawn], do(PayFee, "w")), do(RefundFee, "h"), nil},
		{"charge a joint parent", joint, do(ChargeFee, "w"), fault.CaseWrongState},
		{"delete a record made in error", s[Accepted], with(Void, deletable), nil},
		{"delete what was decided", s[Decided], with(Void, deletable), fault.CaseWrongState},
		{"void a joint parent with open parts", joint, do(Void, "h"), fault.CaseWrongState},
		{"void a joint parent when its parts have ended", joint, with(Void, ended), nil},
		{"refuse a joint parent with open parts", jointOf(s[Submitted]), do(Refuse, "w"), fault.CaseWrongState},
		{"do not accept a joint parent with open parts", jointOf(s[Submitted]), do(NotAccept, "w"), fault.CaseWrongState},
		{"lapse a joint parent with open parts", jointOf(s[Supplementing]), do(Lapse, "w"), fault.CaseWrongState},
		{"lapse a joint parent when its parts have ended", jointOf(s[Supplementing]), with(Lapse, ended), nil},
		{"withdraw a joint parent with open parts", joint, do(Withdraw, "a"), nil},
		{"a revision of another flow", ownFlow, with(ChangeRevision, func(in *Input) { in.Was.Flow = surveyed }), fault.RevisionTakes},
		{"a revision of the same flow", ownFlow, with(ChangeRevision, func(in *Input) { in.Was.Flow, in.Becomes.Flow = surveyed, surveyed }), nil},
		{"accept with admitted gaps", gaps, do(Accept, "w"), nil},
		{"silence on the last day", s[Submitted], with(DeemAccept, func(in *Input) { in.Due = workday.DateOf(in.Now) }), fault.CaseWrongState},
		{"silence as the next day begins", s[Submitted], with(DeemAccept, func(in *Input) {
			in.Due, in.Happened = workday.DateOf(day0), workday.StartOfDay(workday.DateOf(day0)+1)
			in.Now = in.Happened
		}), nil},
		{"silence a moment before", s[Submitted], with(DeemAccept, func(in *Input) {
			in.Due, in.Now = workday.DateOf(day0), workday.StartOfDay(workday.DateOf(day0)+1).Add(-time.Microsecond)
		}), fault.CaseWrongState},
		{"not accept with nine characters", s[Submitted], with(NotAccept, func(in *Input) { in.Reason = "一二三四五六七八九" }), fault.ReasonRequired},
		{"not accept with ten characters", s[Submitted], with(NotAccept, func(in *Input) { in.Reason = "一二三四五六七八九十" }), nil},
		{"refuse without the right body", s[Submitted], with(Refuse, func(in *Input) { in.RightBody = "" }), fault.ReasonRequired},
		{"refuse without reason", s[Submitted], with(Refuse, func(in *Input) { in.Reason = "" }), fault.ReasonRequired},
		{"full flow: decide when accepted", full, do(Decide, "h"), fault.CaseWrongState},
		{"full flow: decide when undertaken", undertaken, do(Decide, "h"), fault.CaseWrongState},
		{"full flow: approve when undertaken", undertaken, do(Approve, "h"), fault.CaseWrongState},
		{"full flow: decide when examined", examined, do(Decide, "h"), fault.CaseWrongState},
		{"full flow: decide when approved", approved, do(Decide, "h"), nil},
		{"examine twice", examined, do(Examine, "e"), fault.CaseWrongState},
		{"approve twice", approved, do(Approve, "h"), fault.CaseWrongState},
		{"examine after approval", approved, do(Examine, "e"), fault.CaseWrongState},
		{"four eyes: undertaker approves", examined, do(Approve, "o"), fault.SamePersonForbidden},
		{"four eyes: undertaker decides", approved, do(Decide, "o"), fault.SamePersonForbidden},
		{"two eyes: undertaker decides", s[Examining], do(Decide, "o"), nil},
		{"instant: decide when accepted", instant, do(Decide, "h"), nil},
		{"instant in full flow: decide when accepted", instantFull, do(Decide, "h"), fault.CaseWrongState},
		{"promised: decide when accepted", s[Accepted], do(Decide, "h"), fault.CaseWrongState},
		{"deny without reasons", s[Examining], with(Decide, func(in *Input) { in.Granted, in.Reason = false, "" }), fault.ReasonRequired},
		{"deny with three characters", s[Examining], with(Decide, func(in *Input) { in.Granted, in.Reason = false, "不符合" }), fault.ReasonRequired},
		{"deny without remedies", s[Examining], with(Decide, func(in *Input) { in.Granted, in.Remedies = false, "" }), fault.ReasonRequired},
		{"deny", s[Examining], with(Decide, func(in *Input) { in.Granted = false }), nil},
		{"grant without reasons", s[Examining], with(Decide, func(in *Input) { in.Reason, in.Remedies = "", "" }), nil},
		{"return without description", s[Decided], with(Finish, func(in *Input) { in.Result, in.Reason = ResultReturned, "退" }), fault.ReasonRequired},
		{"finish as void", s[Decided], with(Finish, func(in *Input) { in.Result = ResultVoided }), fault.InvalidArgument},
		{"finish as lapsed", s[Decided], with(Finish, func(in *Input) { in.Result = ResultSupplementLapsed }), fault.InvalidArgument},
		{"issue after a denial", history(t, s[Examining], with(Decide, func(in *Input) { in.Granted = false })), do(Finish, "w"), fault.InvalidArgument},
		{"void without reason", s[Finished], with(Void, func(in *Input) { in.Reason = "错了" }), fault.ReasonRequired},
		{"procedure without ground", s[Accepted], with(StartExcluded, func(in *Input) { in.Reason = "" }), fault.ReasonRequired},
		{"procedure without requester", s[Accepted], with(StartExcluded, func(in *Input) { in.Requester = "" }), fault.FieldRequired},
		{"procedure asked and approved by one", s[Accepted], with(StartExcluded, func(in *Input) { in.Requester = "h" }), fault.SamePersonForbidden},
		{"procedure of open end", s[Accepted], with(StartExcluded, func(in *Input) { in.Limit = 0 }), nil},
		{"extension of ten days", s[Accepted], with(Extend, func(in *Input) { in.Limit = 10 }), nil},
		{"extension of eleven days", s[Accepted], with(Extend, func(in *Input) { in.Limit = 11 }), fault.ExtensionLimit},
		{"extension without days", s[Accepted], with(Extend, func(in *Input) { in.Limit = 0 }), fault.ExtensionLimit},
		{"extension in natural days", s[Accepted], with(Extend, func(in *Input) { in.Unit = workday.NaturalDays }), fault.ExtensionLimit},
		{"second extension", extended, do(Extend, "h"), fault.ExtensionLimit},
		{"extension asked and approved by one", s[Accepted], with(Extend, func(in *Input) { in.Requester = "h" }), fault.SamePersonForbidden},
		{"forward without a decision", s[Examining], with(Finish, func(in *Input) { in.Result = ResultForwarded }), nil},
		{"return without a decision", s[Examining], with(Finish, func(in *Input) { in.Result = ResultReturned }), nil},
		{"return without a decision or a word", s[Examining], with(Finish, func(in *Input) { in.Result, in.Reason = ResultReturned, "退" }), fault.ReasonRequired},
		{"finish otherwise without a decision", s[Examining], with(Finish, func(in *Input) { in.Result = ResultFinished }), fault.CaseWrongState},
		{"forward what nobody undertook", s[Accepted], with(Finish, func(in *Input) { in.Result = ResultForwarded }), fault.CaseWrongState},
		{"open what was forwarded", forwarded, do(Link, "w"), nil},
		{"collect what was forwarded", forwarded, do(Collect, "w"), fault.CaseWrongState},
		{"open it twice", history(t, forwarded, do(Link, "w")), do(Link, "w"), fault.CaseWrongState},
		{"open what was issued", s[Finished], do(Link, "w"), fault.CaseWrongState},
		{"license what was forwarded", forwarded, do(IssueLicense, "w"), fault.CaseWrongState},
		{"license twice", history(t, s[Finished], do(IssueLicense, "w")), do(IssueLicense, "w"), fault.CaseWrongState},
		{"revoke what was forwarded", forwarded, do(Revoke, "h"), fault.CaseWrongState},
		{"revoke a denial", history(t, s[Examining], with(Decide, func(in *Input) { in.Granted = false }), with(Finish, func(in *Input) { in.Result = ResultFinished })),
			do(Revoke, "h"), fault.CaseWrongState},
		{"revoke without reasons", s[Finished], with(Revoke, func(in *Input) { in.Reason = "错了" }), fault.ReasonRequired},
		{"revoke without remedies", s[Finished], with(Revoke, func(in *Input) { in.Remedies = "" }), fault.ReasonRequired},
		{"an older revision", s[Accepted], with(ChangeRevision, func(in *Input) { in.Becomes = &Item{Revision: 1} }), fault.InvalidArgument},
		{"an unknown revision", s[Accepted], with(ChangeRevision, func(in *Input) { in.Becomes = nil }), fault.InvalidArgument},
		{"a revision of tomorrow", s[Accepted], with(ChangeRevision, func(in *Input) { in.Becomes = &Item{Revision: 2, Effective: in.Now.Add(time.Hour)} }), fault.InvalidArgument},
		{"a revision without reason", s[Accepted], with(ChangeRevision, func(in *Input) { in.Reason = "" }), fault.ReasonRequired},
		{"a revision that promises more time to the hall", s[Accepted], with(ChangeRevision, func(in *Input) { in.Becomes = &Item{Revision: 2, Limits: Limits{Promised: 1}} }), fault.RevisionTakes},
		{"a revision of a longer limit by law", s[Accepted], with(ChangeRevision, func(in *Input) { in.Becomes = &Item{Revision: 2, Limits: Limits{Statutory: 1}} }), fault.RevisionTakes},
		{"a revision that counts otherwise", s[Accepted], with(ChangeRevision, func(in *Input) { in.Becomes = &Item{Revision: 2, Limits: Limits{Unit: workday.NaturalDays}} }), fault.RevisionTakes},
		{"a revision without four eyes", full, do(ChangeRevision, "h"), fault.RevisionTakes},
		{"a revision that asks for more", s[Accepted], with(ChangeRevision, func(in *Input) {
			in.Was.Materials = []ItemMaterial{{ID: "m1"}}
			in.Becomes.Materials = []ItemMaterial{{ID: "m1", Necessary: true}}
		}), fault.RevisionTakes},
		{"a revision that asks for less", s[Accepted], with(ChangeRevision, func(in *Input) {
			in.Was.Materials, in.Becomes.Materials = []ItemMaterial{{ID: "m1", Necessary: true}}, []ItemMaterial{{ID: "m2"}}
		}), nil},
		{"a revision that the form does not fit", s[Accepted], with(ChangeRevision, func(in *Input) { in.Unfit = []fault.Violation{{Field: "form.boss"}} }), fault.RevisionTakes},
		{"undertake a joint parent", joint, do(Undertake, "o"), fault.CaseWrongState},
		{"decide a joint parent", joint, do(Decide, "h"), fault.CaseWrongState},
		{"another revision for a joint parent", joint, do(ChangeRevision, "h"), fault.CaseWrongState},
		{"extend a joint parent by fifteen days", joint, with(Extend, func(in *Input) { in.Limit = 15 }), nil},
		{"extend a joint parent by sixteen days", joint, with(Extend, func(in *Input) { in.Limit = 16 }), fault.ExtensionLimit},
		{"conclude a joint parent", joint, with(Conclude, func(in *Input) { in.AllEnded = true }), nil},
		{"conclude before the children", joint, do(Conclude, "s"), fault.CaseWrongState},
		{"conclude what is not joint", s[Accepted], with(Conclude, func(in *Input) { in.AllEnded = true }), fault.CaseWrongState},
		{"claim what is claimed", claimed, do(Claim, "p"), fault.CaseClaimed},
		{"claim again", claimed, do(Claim, "o"), fault.CaseClaimed},
		{"assign what another has claimed", claimed, do(Assign, "h"), nil},
		{"assign to nobody", claimed, with(Assign, func(in *Input) { in.Assignee = "" }), fault.FieldRequired},
		{"assign to whom it is assigned", claimed, with(Assign, func(in *Input) { in.Assignee = "o" }), fault.CaseClaimed},
		{"release one's own", claimed, Input{Command: Release, Actor: "o", Now: day0}, nil},
		{"release another's", claimed, Input{Command: Release, Actor: "p", Now: day0}, fault.PermissionDenied},
		{"release another's as its head", claimed, Input{Command: Release, Actor: "h", Now: day0, Superior: true}, nil},
		{"release what lies in the pool", s[Accepted], do(Release, "h"), fault.CaseWrongState},
		{"hand over without reason", s[Accepted], with(HandOver, func(in *Input) { in.Reason = "错了" }), fault.ReasonRequired},
		{"hand over to oneself", s[Accepted], with(HandOver, func(in *Input) { in.Department = "" }), fault.InvalidArgument},
		{"hand over twice to the same", history(t, s[Accepted], do(HandOver, "h")), do(HandOver, "h"), fault.InvalidArgument},
		{"reveal without purpose", s[Accepted], with(Reveal, func(in *Input) { in.Reason = "看" }), fault.ReasonRequired},
		{"tomorrow", s[Accepted], with(Undertake, func(in *Input) { in.Happened = in.Now.Add(time.Microsecond) }), fault.TimeInFuture},
		{"before the event before", s[Accepted], with(Undertake, func(in *Input) { in.Happened = s[Accepted].Last.Add(-time.Microsecond) }), fault.OrderBroken},
		{"at the moment of the event before", s[Accepted], with(Undertake, func(in *Input) { in.Happened = s[Accepted].Last }), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Apply(tc.c, tc.in)
			if tc.want == nil && err != nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("err = %v, want %v", err, tc.want)
			}
		})
	}
}

func TestInterruptionsReturnToWhereTheyBegan(t *testing.T) {
	s := samples(t)
	for _, tc := range []struct {
		from       State
		begin, end Command
	}{
		{Submitted, RequestSupplement, ReceiveSupplement},
		{Accepted, RequestSupplement, ReceiveSupplement},
		{Examining, RequestSupplement, ReceiveSupplement},
		{Accepted, StartExcluded, EndSpecial},
		{Examining, StartExcluded, EndSpecial},
	} {
		// Twice, since a second notice is allowed and counted.
		c := history(t, s[tc.from], do(tc.begin, "h"), do(tc.end, "h"), do(tc.begin, "h"), do(tc.end, "h"))
		if c.State != tc.from {
			t.Errorf("%s after %s and %s is %s", tc.from, tc.begin, tc.end, c.State)
		}
	}
}

func TestTimeWithoutClaim(t *testing.T) {
	c := draft()
	in := do(Submit, "a")
	in.Now = c.Last.Add(-time.Millisecond) // this replica's clock is behind
	if got := history(t, c, in).Submitted; !got.Equal(c.Last) {
		t.Errorf("submitted at %s, want not before %s", got, c.Last)
	}
	filed, err := File(Case{}, Input{Actor: "w", Now: day0, Happened: day0.Add(-48 * time.Hour)})
	if err != nil || filed.State != Submitted || !filed.Submitted.Equal(day0.Add(-48*time.Hour)) {
		t.Errorf("filing of papers received before: %+v, %v", filed, err)
	}
}

func TestLapseOnlyAfterTheLastDay(t *testing.T) {
	c := history(t, draft(), do(Submit, "a"))
	notice := do(RequestSupplement, "w")
	notice.Due = workday.DateOf(day0) + 7
	c = history(t, c, notice)
	lapse := do(Lapse, "w")
	lapse.Now = workday.EndOfDay(notice.Due)
	if _, err := Apply(c, lapse); !errors.Is(err, fault.SupplementRunning) {
		t.Errorf("in the last moment: %v, want SUPPLEMENT_RUNNING", err)
	}
	lapse.Now = lapse.Now.Add(time.Microsecond)
	if next := history(t, c, lapse); next.State != Lapsed {
		t.Errorf("a moment later: %s", next.State)
	}
}

// TestClaimsEndWithTheirStep goes the whole way with a claim before each step.
func TestClaimsEndWithTheirStep(t *testing.T) {
	claim := Input{Command: Claim, Actor: "o", Now: day0.Add(time.Hour)}
	for _, tc := range []struct {
		name   string
		after  []Input
		keeps  bool
		prefix []Input
	}{
		{"acceptance", []Input{do(Accept, "w")}, false, nil},
		{"pre-acceptance is not all of it", []Input{do(PreAccept, "w")}, true, nil},
		{"papers before acceptance", []Input{do(RequestSupplement, "w"), do(ReceiveSupplement, "w")}, true, nil},
		{"silence", []Input{do(DeemAccept, "system")}, false, nil},
		{"undertaking", []Input{do(Undertake, "o")}, false, []Input{do(Accept, "w")}},
		{"papers after acceptance", []Input{do(RequestSupplement, "o"), do(ReceiveSupplement, "w")}, true, []Input{do(Accept, "w")}},
		{"a procedure", []Input{do(StartExcluded, "h"), do(EndSpecial, "h")}, true, []Input{do(Accept, "w")}},
		{"another department", []Input{do(HandOver, "h")}, false, []Input{do(Accept, "w")}},
		{"the decision", []Input{do(Decide, "h")}, false, []Input{do(Accept, "w"), do(Undertake, "o")}},
		{"the finish", []Input{do(Finish, "w")}, false, []Input{do(Accept, "w"), do(Undertake, "o"), do(Decide, "h")}},
		{"the withdrawal", []Input{do(Withdraw, "a")}, false, nil},
	} {
		c := history(t, draft(), append([]Input{do(Submit, "a")}, tc.prefix...)...)
		if c = history(t, c, append([]Input{claim}, tc.after...)...); (c.Assignee == "o") != tc.keeps {
			t.Errorf("after %s the assignee is %q", tc.name, c.Assignee)
		}
	}
}

func TestEnded(t *testing.T) {
	ended := map[State]bool{NotAccepted: true, Refused: true, Finished: true, Collected: true, Withdrawn: true, Lapsed: true, Voided: true, Revoked: true}
	for state, c := range samples(t) {
		if c.Ended() != ended[state] {
			t.Errorf("%s: ended %t", state, c.Ended())
		}
	}
}
