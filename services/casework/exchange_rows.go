package casework

import (
	"slices"
	"strconv"
	"strings"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/casework/internal/rules"
)

// rowsOf writes a case as rows of the ten tables, in the order of the tables. It is the
// other direction of teller: a case told by these rows gives the same rows. titles gives
// the guide's name of a material, parent is the joint case that it is part of.
func rowsOf(c *caseworkv1.Case, titles func(id string) string, parent *caseworkv1.SourceParent) []*exchange.Row {
	if c.GetSubmitTime() == nil {
		return nil // a draft is its applicant's own business
	}
	w := &rowWriter{c: c, titles: titles, parent: parent, key: sourceKey(c.GetSource())}
	w.application()
	w.acceptance()
	w.approval()
	w.supplements()
	w.specials()
	w.finish()
	if x := c.GetCollection(); x != nil {
		w.add(exchange.Collection, 1, timeOf(x.GetCollectTime()), map[string]string{"LQRXM": x.GetCollector(), "LQFS": wayCode(x.GetWay())})
	}
	slices.SortStableFunc(w.rows, exchange.Compare)
	return w.rows
}

// rowWriter writes the rows of one case.
type rowWriter struct {
	c      *caseworkv1.Case
	titles func(id string) string
	parent *caseworkv1.SourceParent
	key    string
	rows   []*exchange.Row
}

// caseNoOf is the number by which rows of the case are joined: the source's own where the
// case came from one.
func caseNoOf(c *caseworkv1.Case) string {
	if no := c.GetSourceCaseNo(); no != "" {
		return no
	}
	return lastPart(c.GetName())
}

// add adds a row, with what every row has.
func (w *rowWriter) add(table string, serial int, at time.Time, columns map[string]string) {
	t, _ := exchange.Find(table)
	columns["SBLSH"], columns["SXBM"], columns["XZQHDM"] = caseNoOf(w.c), lastPart(w.c.GetItem()), hallOf(w.c.GetName())
	columns[t.Time] = exchange.FormatTime(at)
	if t.Serial != "" && columns[t.Serial] == "" {
		columns[t.Serial] = strconv.Itoa(serial)
	}
	for _, c := range t.Columns {
		v := strings.TrimSpace(columns[c.Name])
		if v == "" {
			delete(columns, c.Name)
			continue
		}
		if runes := []rune(v); len(runes) > c.Width {
			v = string(runes[:c.Width])
		}
		columns[c.Name] = v
	}
	w.rows = append(w.rows, &exchange.Row{Key: exchange.Key{Case: columns["SBLSH"], Table: table, Serial: serial}, Version: 1, At: at, Columns: columns})
}

// body is the organisation code of the department, which is in the item's code.
func (w *rowWriter) body() string {
	if code := lastPart(w.c.GetItem()); len(code) >= 17 {
		return code[8:17]
	}
	return ""
}

// named is an officer as the rows name it: without the mark of the source.
func (w *rowWriter) named(officer string) string {
	if w.key == "" {
		return officer
	}
	return strings.TrimPrefix(officer, w.key+":")
}

func (w *rowWriter) application() {
	c, a := w.c, w.c.GetApplicant()
	kind, id := "1", exchange.IDResident
	if a.GetType() == caseworkv1.ApplicantType_APPLICANT_TYPE_ENTERPRISE {
		kind, id = "2", exchange.IDUSCC
	}
	var names []string
	for _, m := range c.GetMaterials() {
		name := m.GetDisplayName()
		if name == "" {
			name = m.GetMaterialId()
		}
		if m.GetPromised() && m.GetSha256() == "" && !m.GetPaper() {
			name += promisedMark
		}
		names = append(names, name)
	}
	former := ""
	if c.GetOriginCase() != "" {
		former = lastPart(c.GetOriginCase())
	}
	w.add(exchange.Application, 1, timeOf(c.GetSubmitTime()), map[string]string{
		"SXMC": c.GetItemTitle(), "SQRLX": kind, "SQRMC": a.GetDisplayName(), "SQRZJHM": a.GetIdNumber(), "SQRZJLX": id,
		"LXRXM": a.GetContactName(), "LXRSJ": a.GetPhone(), "SBXMMC": c.GetSubject(), "SBCLQD": exchange.Join(names),
		"TJFS": wayCode(c.GetChannel()), "QDFS": channelCode(c.GetChannel()), "SBBMZZJGDM": w.body(), "YSBLSH": former,
		"FSXBM": w.parent.GetItemCode(), "FSXMC": w.parent.GetTitle(), exchange.FreeColumn: exchange.JoinMarks(append(w.kin(), w.charges()...)),
	})
}

func wayCode(c caseworkv1.Channel) string {
	switch c {
	case caseworkv1.Channel_CHANNEL_WEB, caseworkv1.Channel_CHANNEL_MOBILE:
		return "1"
	case caseworkv1.Channel_CHANNEL_COURIER:
		return "8"
	}
	return "0"
}

func channelCode(c caseworkv1.Channel) string {
	for code, known := range channelCodes {
		if known == c {
			return code
		}
	}
	return "1"
}

func (w *rowWriter) acceptance() {
	c := w.c
	if at := c.GetPreAcceptTime(); at != nil {
		w.add(exchange.PreAccept, 1, timeOf(at), map[string]string{"YSLZTDM": "1", "YSLBMZZJGDM": w.body()})
	}
	columns := map[string]string{"SLBMZZJDDM": w.body()}
	at := timeOf(c.GetAcceptTime())
	switch c.GetState() {
	case caseworkv1.CaseState_CASE_STATE_NOT_ACCEPTED:
		at, columns["SLZTDM"], columns["BSLYY"] = timeOf(c.GetEndTime()), "2", c.GetEndReason()
	case caseworkv1.CaseState_CASE_STATE_REFUSED:
		at, columns["SLZTDM"], columns["BSLYY"] = timeOf(c.GetEndTime()), "4", c.GetEndReason()
	default:
		columns["SLZTDM"] = exchange.Accepted
		if c.GetDeemedAcceptTime() != nil {
			columns["BZ"] = deemedMark
		}
		columns[exchange.FreeColumn] = w.gaps()
	}
	if !at.IsZero() {
		w.add(exchange.Acceptance, 1, at, columns)
	}
}

// approval writes the steps. The third is written with the decision that it leads to.
func (w *rowWriter) approval() {
	d := w.c.GetDecision()
	approver := ""
	for i, s := range w.c.GetSteps() {
		if s.GetStepId() != "" {
			w.flowStep(i+1, s)
			continue
		}
		if s.GetKind() == caseworkv1.StepKind_STEP_KIND_APPROVE {
			approver = s.GetOfficerName()
			if d != nil {
				continue
			}
		}
		w.step(int(s.GetKind()), s.GetOfficerName(), s.GetOpinion(), "9", "", timeOf(s.GetStepTime()))
	}
	if d == nil {
		return
	}
	status := "2"
	if d.GetResult() == caseworkv1.DecisionResult_DECISION_RESULT_GRANTED {
		status = "1"
	}
	if approver == "" {
		approver = w.named(d.GetOfficer())
	}
	if approver != "" {
		w.step(3, approver, d.GetReason(), status, d.GetRemedies(), timeOf(d.GetDecideTime()))
	}
}

func (w *rowWriter) step(kind int, officer, opinion, status, remark string, at time.Time) {
	if status == "9" && kind < int(rules.StepApprove) {
		status = "1" // a step taken before the last agrees, or the case would not have gone on
	}
	w.add(exchange.Approval, kind, at, map[string]string{
		"SPHJMC": exchange.CodeTitle("step", strconv.Itoa(kind)), "SPBMZZJDMD": w.body(), "SPRXM": officer, "SPYJ": opinion, "SPHJZTDM": status, "BZ": remark,
	})
}

func (w *rowWriter) supplements() {
	for i, s := range w.c.GetSupplements() {
		var names []string
		for _, id := range s.GetMaterialIds() {
			names = append(names, w.titles(id))
		}
		w.add(exchange.Notice, i+1, timeOf(s.GetNoticeTime()), map[string]string{
			"BJGZFCRXM": w.named(s.GetOfficer()), "BJGZYY": s.GetReason(), "BJCLQD": exchange.Join(names), "BZSX": strconv.Itoa(int(s.GetLimitDays())),
		})
		if s.GetReceiptTime() != nil {
			w.add(exchange.Receipt, i+1, timeOf(s.GetReceiptTime()), map[string]string{})
		}
	}
}

func (w *rowWriter) specials() {
	for i, p := range w.c.GetSpecialProcedures() {
		kind, unit := "B", "G"
		if p.GetKind() == caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXTENSION {
			kind = exchange.Extension
		}
		if p.GetLimitUnit() == caseworkv1.TimeUnit_TIME_UNIT_NATURAL_DAY {
			unit = "Z"
		}
		w.add(exchange.SpecialStart, i+1, timeOf(p.GetStartTime()), map[string]string{
			"TBCXZL": kind, "TBCXZLMC": p.GetDisplayName(), "TBCXPZR": w.named(p.GetApprover()), "TBCXQDLY": p.GetGround(),
			"TBCXSX": strconv.Itoa(int(p.GetLimit())), "TBCXSXDW": unit, "BYZD": w.named(p.GetRequester()),
		})
		if end := p.GetEndTime(); end != nil && kind != exchange.Extension {
			w.add(exchange.SpecialEnd, i+1, timeOf(end), map[string]string{"TBCXJG": p.GetResult()})
		}
	}
}

func (w *rowWriter) finish() {
	c := w.c
	columns := map[string]string{"BJBMZZJDDM": w.body()}
	at := timeOf(c.GetEndTime())
	switch c.GetState() {
	case caseworkv1.CaseState_CASE_STATE_WITHDRAWN:
		columns["BJJGDM"], columns["BJJGMS"], columns["ZFHTHYY"] = exchange.ResultReturned, withdrawnMark, c.GetEndReason()
	case caseworkv1.CaseState_CASE_STATE_LAPSED:
		columns["BJJGDM"], columns["ZFHTHYY"] = exchange.ResultLapsed, c.GetEndReason()
	case caseworkv1.CaseState_CASE_STATE_VOIDED:
		columns["BJJGDM"], columns["ZFHTHYY"] = exchange.ResultVoided, c.GetEndReason()
		if c.GetDeleted() {
			columns["BJJGDM"] = exchange.ResultDeleted
		}
	default:
		f := c.GetFinish()
		if f == nil {
			return
		}
		at = timeOf(f.GetFinishTime())
		w.finished(f, columns)
	}
	w.add(exchange.Finish, 1, at, columns)
}

func (w *rowWriter) finished(f *caseworkv1.Finish, columns map[string]string) {
	columns["ZJGZMC"], columns["ZJBH"], columns["BJJGMS"] = f.GetCertificateName(), f.GetCertificateNo(), f.GetDescription()
	for code, result := range finishResults {
		if result == f.GetResult() {
			columns["BJJGDM"] = code
		}
	}
	switch columns["BJJGDM"] {
	case exchange.ResultReturned:
		columns["BJJGMS"], columns["ZFHTHYY"] = "", f.GetDescription()
	case exchange.ResultForward:
		columns["BZ"] = hallOf(f.GetForwardedTo())
	case exchange.ResultFinished:
		if columns["BJJGMS"] == "" {
			columns["BJJGMS"] = deniedMark
			if w.c.GetDecision().GetResult() == caseworkv1.DecisionResult_DECISION_RESULT_GRANTED {
				columns["BJJGMS"] = grantedMark
			}
		}
	}
	w.paid(columns)
	var marks []string
	if f.GetOnline() {
		marks = append(marks, onlineMark)
	}
	if r := w.c.GetRevocation(); r != nil {
		marks = append(marks, exchange.Mark(exchange.RevokedMark, exchange.FormatTime(timeOf(r.GetRevokeTime())), w.named(r.GetOfficer())))
		columns["ZFHTHYY"], columns["BZ"] = r.GetReason(), r.GetRemedies()
	}
	columns[exchange.FreeColumn] = exchange.JoinMarks(marks)
}

// sourceKey is the short name of a source: oa of halls/441300/exchangeSources/oa.
func sourceKey(name string) string {
	if name == "" {
		return ""
	}
	return lastPart(name)
}
