package rules

import (
	"time"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// Command is something that is done to a case.
type Command int

// The commands.
const (
	Update Command = iota + 1
	Submit
	PreAccept
	RequestSupplement
	ReceiveSupplement
	Accept
	NotAccept
	Refuse
	Undertake
	Examine
	Approve
	Decide
	Finish
	Collect
	Withdraw
	Lapse
	Void
	StartExcluded
	Extend
	EndSpecial
	Reveal
	DeemAccept
	Claim
	Assign
	Release
	HandOver
	Revoke
	Link
	ChangeRevision
	Conclude
	IssueLicense
	PerformStep
	SendBack
	FillGap
	ChargeFee
	PayFee
	WaiveFee
	RefundFee
	lastCommand = RefundFee
)

var commandNames = [...]string{"none", "update", "submit", "pre_accept", "request_supplement", "receive_supplement",
	"accept", "not_accept", "refuse", "undertake", "examine", "approve", "decide", "finish", "collect", "withdraw",
	"lapse", "void", "start_excluded", "extend", "end_special", "reveal", "deem_accept", "claim", "assign", "release", "hand_over", "revoke", "link",
	"change_revision", "conclude", "issue_license", "perform_step", "send_back_step", "fill_gap", "charge_fee", "record_payment", "waive_fee", "refund_fee"}

// String is the command's word.
func (c Command) String() string {
	if c < 0 || int(c) >= len(commandNames) {
		return "unknown"
	}
	return commandNames[c]
}

// FinishResult is how a case ends. The numbers are those of the contract's enum.
type FinishResult int32

// The results, by the exchange code list BJJGDM.
const (
	ResultIssued FinishResult = iota + 1
	ResultReturned
	ResultVoided
	ResultForwarded
	ResultSupplementLapsed
	ResultFinished
)

// Input is a command with what its rules ask for. Texts are trimmed.
type Input struct {
	Command Command
	// Actor is the subject of the caller's token.
	Actor string
	// Now is when it is entered; Happened when it is said to have happened, zero for now.
	Now, Happened time.Time
	// Reason is the reason, ground, purpose or description.
	Reason string
	// Remedies and Granted are of a decision.
	Remedies string
	Granted  bool
	// RightBody is the body that has the power a refusing one lacks.
	RightBody string
	// Gaps are the materials that an acceptance does without for now; Filled those that
	// come at last.
	Gaps   []Gap
	Filled []string
	// Step is the id of a step of the item's own flow. ActorDepartment and Posts are the
	// caller's.
	Step, ActorDepartment string
	// StepKind is what kind of step a told one is; others are known by the flow.
	StepKind StepKind
	Posts    []string
	// Charge is the number of a charge from 1, Amount money in fen.
	Charge int
	Amount int64
	// Deleted voids a record made in error.
	Deleted bool
	// Result and Handover are of a finish.
	Result   FinishResult
	Handover bool
	// Requester, Name, Limit and Unit are of a special procedure.
	Requester, Name string
	Limit           int
	Unit            workday.Unit
	// Due is the last day of a limit: the applicant's of a supplement notice, the
	// hall's to accept for a deemed acceptance.
	Due workday.Date
	// Assignee is who is to do the next step, of an assignment.
	Assignee string
	// Department is the one a case is handed over to.
	Department string
	// Was is the item's revision, Becomes the newer one of a change; Unfit is what the case
	// holds that the newer one would not take as it is.
	Was, Becomes *Item
	Unfit        []fault.Violation
	// AllEnded tells that every child of a joint case has ended.
	AllEnded bool
	// Superior tells that the actor is a head, who may take work away from others.
	Superior bool
	// Received is when the papers count as received, of a deemed acceptance.
	Received time.Time
	// Most is how many working days the hall's policy lets an extension add; 0 leaves it
	// to the law.
	Most int
}

// MinReason is how many characters a reason must have to say anything.
const MinReason = 10

// MaxExtension is how many working days the head of a body may add (Art. 42).
const MaxExtension = 10

// What joint handling has by Art. 42 (2): working days in all, and how many more the
// government at that level may add.
const (
	JointLimit        = 45
	MaxJointExtension = 15
)

// at is when the command happened. Without a claim it is now, but never before what
// happened last: replicas' clocks differ by milliseconds.
func (in Input) at(last time.Time) time.Time {
	if !in.Happened.IsZero() {
		return in.Happened
	}
	if in.Now.Before(last) {
		return last
	}
	return in.Now
}
