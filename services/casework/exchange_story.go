package casework

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/workday"
)

// teller builds a case from the rows that tell of it. What comes out depends on the rows
// and the item alone: not on when they came, in which order or how often.
type teller struct {
	s    *Service
	key  string // of the source: it stands before the names of its officers
	item *rules.Item
	c    *caseworkv1.Case
	f    rules.Case
	// was is the case as it was told before, nil at first.
	was *caseworkv1.Case
	// scenes are the case after each fact, now is how it was reckoned after the last.
	scenes []scene
	now    reckoned
}

// scene is a case after one fact.
type scene struct {
	event, actor string
	at           time.Time
	c            *caseworkv1.Case
	f            rules.Case
}

// telling is what the teller does with the rows of a table.
var telling = map[string]func(*teller, *exchange.Row){
	exchange.Application: (*teller).application, exchange.PreAccept: (*teller).preAcceptance, exchange.Acceptance: (*teller).acceptance,
	exchange.Approval: (*teller).approval, exchange.Notice: (*teller).notice, exchange.Receipt: (*teller).receipt,
	exchange.SpecialStart: (*teller).specialStart, exchange.SpecialEnd: (*teller).specialEnd, exchange.Finish: (*teller).finish,
	exchange.Collection: (*teller).collection,
}

// tell takes in the next row.
func (t *teller) tell(r *exchange.Row) { telling[r.Table](t, r) }

// officer is who did it at the source, in a word that no other source has; empty when the
// row names nobody.
func (t *teller) officer(name string) string {
	if name == "" {
		return ""
	}
	return t.key + ":" + name
}

// systemOf is who stands in the events of what a source told without naming anybody.
func systemOf(key string) string { return "system/exchange/" + key }

// fact records what happened and writes it into the case.
func (t *teller) fact(event string, in rules.Input, effect func(at time.Time)) {
	t.f = rules.Record(t.f, in)
	t.c.LastChannel = caseworkv1.Channel_CHANNEL_UNSPECIFIED
	effect(in.Happened)
	t.c.State = caseworkv1.CaseState(t.f.State)
	actor := in.Actor
	if actor == "" {
		actor = systemOf(t.key)
	} else {
		addHandler(t.c, actor)
	}
	t.now = t.s.reckon(t.c, t.f, t.f.Last)
	t.scenes = append(t.scenes, scene{event: event, actor: actor, at: in.Happened, c: proto.CloneOf(t.c), f: t.f})
}

// input is a fact of a row.
func input(command rules.Command, r *exchange.Row, actor string) rules.Input {
	return rules.Input{Command: command, Actor: actor, Now: r.At, Happened: r.At}
}

func (t *teller) application(r *exchange.Row) {
	c := t.c
	c.Item, c.ItemRevision, c.ItemTitle, c.Department = t.item.Name, t.item.Revision, t.item.Title, t.item.Department
	c.CaseType, c.FullFlow, c.FourEyes = caseworkv1.CaseType_CASE_TYPE_PROMISED, t.item.FullFlow, t.item.FourEyes
	if t.item.Instant {
		c.CaseType = caseworkv1.CaseType_CASE_TYPE_INSTANT
	}
	c.PromisedLimit, c.StatutoryLimit = int32(t.item.Limits.Promised), int32(t.item.Limits.Statutory)
	c.LimitUnit = unitName(t.item.Limits.Unit)
	t.kin(r)
	t.charges(r)
	c.SourceCaseNo, c.Subject, c.Channel = r.Case, r.Get("SBXMMC"), channelOf(r)
	c.Applicant, c.ApplicantKey = t.s.applicantOf(r)
	for _, m := range t.materials(r.Get("SBCLQD")) {
		c.Materials = append(c.Materials, m)
	}
	if former, err := codes.ParseCaseNo(r.Get("YSBLSH")); err == nil {
		c.OriginCase = caseName(former.Division, r.Get("YSBLSH"))
	}
	c.CreateTime = stamp(r.At)
	t.f = factsOf(c, time.Time{})
	t.fact("case.submitted", input(rules.Submit, r, ""), func(at time.Time) {
		c.SubmitTime, c.LastChannel = stamp(at), c.Channel
		if c.Channel == caseworkv1.Channel_CHANNEL_WINDOW && c.SourceParent == nil {
			c.Visits++ // for the whole of a joint case one comes once
		}
	})
}

// applicantOf is who applies, and the key by which that person finds the case.
func (s *Service) applicantOf(r *exchange.Row) (*caseworkv1.Applicant, string) {
	a := &caseworkv1.Applicant{
		Type: caseworkv1.ApplicantType_APPLICANT_TYPE_PERSON, IdType: caseworkv1.IdType_ID_TYPE_RESIDENT_ID,
		DisplayName: r.Get("SQRMC"), IdNumber: r.Get("SQRZJHM"), ContactName: r.Get("LXRXM"), Phone: r.Get("LXRSJ"),
	}
	kind := authn.IDTypeResident
	if r.Get("SQRZJLX") == exchange.IDUSCC {
		a.Type, a.IdType, kind = caseworkv1.ApplicantType_APPLICANT_TYPE_ENTERPRISE, caseworkv1.IdType_ID_TYPE_USCC, authn.IDTypeUSCC
	}
	return a, s.identity(kind, a.IdNumber)
}

// channelOf is the way the application came: by the finer code where there is one.
func channelOf(r *exchange.Row) caseworkv1.Channel {
	if c, ok := channelCodes[r.Get("QDFS")]; ok {
		return c
	}
	return ways[r.Get("TJFS")]
}

var (
	channelCodes = map[string]caseworkv1.Channel{
		"1": caseworkv1.Channel_CHANNEL_WINDOW, "2": caseworkv1.Channel_CHANNEL_WEB, "3": caseworkv1.Channel_CHANNEL_MOBILE, "4": caseworkv1.Channel_CHANNEL_COURIER,
	}
	ways = map[string]caseworkv1.Channel{
		"0": caseworkv1.Channel_CHANNEL_WINDOW, "1": caseworkv1.Channel_CHANNEL_WEB, "8": caseworkv1.Channel_CHANNEL_COURIER,
	}
)

// materials are what a list names: those of the guide by their id or title, others as the
// source calls them. What it does not hold is promised for later (容缺).
func (t *teller) materials(list string) []*caseworkv1.CaseMaterial {
	var out []*caseworkv1.CaseMaterial
	for i, name := range exchange.List(list) {
		title, promised := strings.CutSuffix(name, promisedMark)
		m := &caseworkv1.CaseMaterial{MaterialId: "x" + strconv.Itoa(i+1), DisplayName: title, Copies: 1, Paper: !promised, Promised: promised}
		if at := slices.IndexFunc(t.item.Materials, func(im rules.ItemMaterial) bool { return im.ID == title || im.Title == title }); at >= 0 {
			m.MaterialId, m.DisplayName = t.item.Materials[at].ID, t.item.Materials[at].Title
		}
		out = append(out, m)
	}
	return out[:min(len(out), rules.MaxMaterials)]
}

// promisedMark stands behind the name of a material that will come later.
const promisedMark = "（容缺）"

func (t *teller) preAcceptance(r *exchange.Row) {
	switch by := t.officer(r.Get("BLRXM")); r.Get("YSLZTDM") {
	case "1":
		t.fact("case.pre_accepted", input(rules.PreAccept, r, by), func(at time.Time) { t.c.PreAcceptTime = stamp(at) })
	case "2":
		t.leave("case.not_accepted", rules.NotAccept, r, by, r.Get("BSLYY"))
	}
}

func (t *teller) acceptance(r *exchange.Row) {
	switch by := t.officer(r.Get("BLRXM")); r.Get("SLZTDM") {
	case exchange.Accepted:
		if r.Get("BZ") == deemedMark {
			in := input(rules.DeemAccept, r, "")
			in.Received, in.Gaps = r.At, t.gaps(r)
			t.fact("case.deemed_accepted", in, func(at time.Time) { t.c.AcceptTime, t.c.DeemedAcceptTime = stamp(at), stamp(at) })
			return
		}
		in := input(rules.Accept, r, by)
		in.Gaps = t.gaps(r)
		t.fact("case.accepted", in, func(at time.Time) { t.c.AcceptTime = stamp(at) })
	case "2":
		t.leave("case.not_accepted", rules.NotAccept, r, by, r.Get("BSLYY"))
	case "4":
		t.leave("case.refused", rules.Refuse, r, by, r.Get("BSLYY"))
	}
}

// deemedMark tells an acceptance by silence from one by a person.
const deemedMark = "视为受理"

// leave records an end without a finish.
func (t *teller) leave(event string, command rules.Command, r *exchange.Row, by, reason string) {
	t.fact(event, input(command, r, by), func(at time.Time) { t.c.EndReason, t.c.EndTime = reason, stamp(at) })
}

func (t *teller) approval(r *exchange.Row) {
	if r.IsFlow() {
		t.flowStep(r)
		return
	}
	by := t.officer(r.Get("SPRXM"))
	kind := rules.StepKind(r.Serial)
	step := func(event string, command rules.Command) {
		t.fact(event, input(command, r, by), func(at time.Time) {
			t.c.Steps = append(t.c.Steps, &caseworkv1.Step{
				Kind: caseworkv1.StepKind(kind), Officer: by, OfficerName: r.Get("SPRXM"), Opinion: r.Get("SPYJ"), StepTime: stamp(at),
			})
		})
	}
	switch kind {
	case rules.StepUndertake:
		step("case.undertaken", rules.Undertake)
	case rules.StepExamine:
		step("case.examined", rules.Examine)
	case rules.StepApprove:
		step("case.approved", rules.Approve)
		if status := r.Get("SPHJZTDM"); status == "1" || status == "2" {
			t.decide(r, by, status == "1", r.Get("SPYJ"), r.Get("BZ"))
		}
	}
}

// decide records the decision that an approval or a finish contains.
func (t *teller) decide(r *exchange.Row, by string, granted bool, reason, remedies string) {
	in := input(rules.Decide, r, by)
	in.Granted = granted
	t.fact("case.decided", in, func(at time.Time) {
		result := caseworkv1.DecisionResult_DECISION_RESULT_DENIED
		if granted {
			result = caseworkv1.DecisionResult_DECISION_RESULT_GRANTED
		}
		t.c.GrantedWithGaps = granted && slices.ContainsFunc(t.f.Gaps, func(g rules.Gap) bool { return g.Filled.IsZero() || g.Filled.After(at) })
		t.c.Decision = &caseworkv1.Decision{Result: result, Reason: reason, Remedies: remedies, Officer: by, DecideTime: stamp(at)}
	})
}

func (t *teller) notice(r *exchange.Row) {
	days, err := strconv.Atoi(r.Get("BZSX"))
	if err != nil || days < 1 {
		days = t.s.almanac.Book().Policy(hallOf(t.c.GetItem()), workday.DateOf(t.f.Submitted)).SupplementDays
	}
	by := t.officer(r.Get("BJGZFCRXM"))
	in := input(rules.RequestSupplement, r, by)
	in.Due = rules.SupplementDue(t.s.almanac.Book().Calendar, hallOf(t.c.GetItem()), r.At, days)
	for _, n := range t.was.GetSupplements() {
		if n.GetSerial() == int32(r.Serial) && n.GetLimitDays() == int32(days) && timeOf(n.GetNoticeTime()).Equal(r.At) {
			in.Due = max(in.Due, dateOf(n.GetDueDate())) // what was told in writing never comes nearer
		}
	}
	t.fact("case.supplement_requested", in, func(time.Time) {
		n := t.f.Supplements[len(t.f.Supplements)-1]
		var ids []string
		for _, m := range t.materials(r.Get("BJCLQD")) {
			id := m.GetMaterialId()
			if m.GetDisplayName() != "" && strings.HasPrefix(id, "x") {
				id = m.GetDisplayName() // what the guide does not list is told by its name
			}
			ids = append(ids, id)
		}
		t.c.Supplements = append(t.c.Supplements, &caseworkv1.Supplement{
			Serial: int32(r.Serial), Reason: r.Get("BJGZYY"), MaterialIds: ids, LimitDays: int32(days), DueDate: n.Due.String(),
			NoticeTime: stamp(n.Told), Officer: by, AfterAcceptance: n.AfterAcceptance,
		})
	})
}

func (t *teller) receipt(r *exchange.Row) {
	t.fact("case.supplement_received", input(rules.ReceiveSupplement, r, t.officer(r.Get("BJSLBLRXM"))), func(time.Time) {
		for i, n := range t.f.Supplements {
			t.c.Supplements[i].ReceiptTime = stamp(n.Received)
		}
	})
}

func (t *teller) specialStart(r *exchange.Row) {
	limit, err := strconv.Atoi(r.Get("TBCXSX"))
	if err != nil {
		limit = 0 // an open end
	}
	command, kind := rules.StartExcluded, caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXCLUDED
	if r.Get("TBCXZL") == exchange.Extension {
		command, kind = rules.Extend, caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXTENSION
	}
	approver := t.officer(r.Get("TBCXPZR"))
	in := input(command, r, approver)
	in.Name, in.Limit, in.Unit = r.Get("TBCXZLMC"), limit, workday.WorkingDays
	if r.Get("TBCXSXDW") == "Z" {
		in.Unit = workday.NaturalDays
	}
	t.fact("case.special_started", in, func(time.Time) {
		p := t.f.Specials[len(t.f.Specials)-1]
		t.c.SpecialProcedures = append(t.c.SpecialProcedures, &caseworkv1.SpecialProcedure{
			Serial: int32(r.Serial), Kind: kind, DisplayName: p.Name, Ground: r.Get("TBCXQDLY"), Requester: t.officer(r.Get("BYZD")), Approver: approver,
			Limit: int32(p.Limit), LimitUnit: unitName(p.Unit), StartTime: stamp(p.Start), EndTime: stamp(p.End),
		})
	})
}

func (t *teller) specialEnd(r *exchange.Row) {
	t.fact("case.special_ended", input(rules.EndSpecial, r, ""), func(time.Time) {
		for i, p := range t.f.Specials {
			own := t.c.SpecialProcedures[i]
			if own.GetSerial() == int32(r.Serial) {
				own.Result = r.Get("TBCXJG")
			}
			own.EndTime = stamp(p.End)
		}
	})
}

func (t *teller) collection(r *exchange.Row) {
	t.fact("case.collected", input(rules.Collect, r, ""), func(at time.Time) {
		t.c.Collection = &caseworkv1.Collection{Collector: r.Get("LQRXM"), Way: ways[r.Get("LQFS")], CollectTime: stamp(at)}
		if t.c.LastChannel = t.c.Collection.Way; t.c.LastChannel == caseworkv1.Channel_CHANNEL_WINDOW {
			t.c.Visits++
		}
	})
}
