package casework

import (
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/codes"
)

// What tells apart finishes of one code, in the columns that are free for it.
const (
	withdrawnMark = "撤回"
	grantedMark   = "准予"
	deniedMark    = "不予"
	onlineMark    = "网上办结"
)

// finishResults are the finishes by their code; those that are missing end a case without one.
var finishResults = map[string]caseworkv1.FinishResult{
	exchange.ResultIssued:   caseworkv1.FinishResult_FINISH_RESULT_ISSUED,
	exchange.ResultReturned: caseworkv1.FinishResult_FINISH_RESULT_RETURNED,
	exchange.ResultForward:  caseworkv1.FinishResult_FINISH_RESULT_FORWARDED,
	exchange.ResultFinished: caseworkv1.FinishResult_FINISH_RESULT_FINISHED,
}

func (t *teller) finish(r *exchange.Row) {
	code := r.Get("BJJGDM")
	switch {
	case code == exchange.ResultVoided || code == exchange.ResultDeleted:
		t.c.Deleted = code == exchange.ResultDeleted
		t.leave("case.voided", rules.Void, r, "", r.Get("ZFHTHYY"))
		return
	case code == exchange.ResultLapsed:
		t.leave("case.lapsed", rules.Lapse, r, "", r.Get("ZFHTHYY"))
		return
	case code == exchange.ResultReturned && r.Get("BJJGMS") == withdrawnMark:
		t.leave("case.withdrawn", rules.Withdraw, r, "", r.Get("ZFHTHYY"))
		return
	}
	t.paid(r)
	if t.c.GetDecision() == nil && !t.f.Joint && (code == exchange.ResultIssued || code == exchange.ResultFinished) {
		// A finish with a result contains the decision where no approval told it.
		t.decide(r, "", code == exchange.ResultIssued || r.Get("BJJGMS") != deniedMark, r.Get("ZFHTHYY"), "")
	}
	f := &caseworkv1.Finish{
		Result: finishResults[code], Description: r.Get("BJJGMS"), CertificateName: r.Get("ZJGZMC"), CertificateNo: r.Get("ZJBH"),
		Online: r.Marked(onlineMark),
	}
	if code == exchange.ResultReturned {
		f.Description = r.Get("ZFHTHYY")
	}
	if division, err := codes.Division6(r.Get("BZ")); err == nil && code == exchange.ResultForward {
		f.ForwardedTo = "halls/" + division
	}
	in := input(rules.Finish, r, "")
	in.Result, in.Handover = rules.FinishResult(f.Result), handover(f)
	t.fact("case.finished", in, func(at time.Time) {
		f.FinishTime = stamp(at)
		t.c.Finish = f
	})
	t.revocation(r)
}
