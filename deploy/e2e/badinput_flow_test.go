package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
)

// lists are the requests for pages, each as who may make it.
func (r *badRun) lists() map[string]struct {
	who string
	msg proto.Message
} {
	type entry = struct {
		who string
		msg proto.Message
	}
	return map[string]entry{
		"ListHalls": {"citizen", &cataloguev1.ListHallsRequest{}}, "ListDepartments": {"citizen", &cataloguev1.ListDepartmentsRequest{Parent: r.hall}},
		"ListDirectoryEntries": {"citizen", &cataloguev1.ListDirectoryEntriesRequest{}}, "ListItems": {"citizen", &cataloguev1.ListItemsRequest{Parent: r.hall}},
		"ListItemRevisions": {"citizen", &cataloguev1.ListItemRevisionsRequest{Parent: r.data.Items[house.Residence].GetName()}},
		"SearchItems":       {"citizen", &cataloguev1.SearchItemsRequest{Query: "证"}},
		"ListCases":         {"citizen", &caseworkv1.ListCasesRequest{Parent: r.hall}}, "ListInbox": {"officer", &caseworkv1.ListInboxRequest{Parent: r.hall}},
		"ListCaseEvents": {"citizen", &caseworkv1.ListCaseEventsRequest{Parent: r.fix.accepted.GetName()}},
		"ListCaseClocks": {"officer", &supervisionv1.ListCaseClocksRequest{Parent: r.hall}}, "ListCards": {"officer", &supervisionv1.ListCardsRequest{Parent: r.hall}},
		"ListReviews": {"citizen", &reviewv1.ListReviewsRequest{Parent: r.hall}}, "ListReviewables": {"citizen", &reviewv1.ListReviewablesRequest{}},
		"ListFacts":     {"analyst", &hubv1.ListFactsRequest{}},
		"ListFactCases": {"analyst", &hubv1.ListFactCasesRequest{Hall: r.hall, Count: "submitted", Date: "2026-01-01"}},
	}
}

// pagingRows are H49 and H50.
func (r *badRun) pagingRows() []bad {
	var rows []bad
	size := func(m proto.Message, n int32) proto.Message {
		c := proto.Clone(m)
		c.ProtoReflect().Set(field(c.ProtoReflect(), "page_size"), protoInt(n))
		return c
	}
	token := func(m proto.Message, t string) proto.Message {
		c := proto.Clone(m)
		set(c, "page_token", t)
		return c
	}
	for name, l := range r.lists() {
		rows = append(rows, invalid("H49", name+" by -1", name, size(l.msg, -1), "BAD_PAGE_SIZE", "page_size").as(r, l.who))
		rows = append(rows, bad{class: "H49", what: name + " by 0", rpc: name, msg: size(l.msg, 0)}.as(r, l.who))
		rows = append(rows, bad{class: "H49", what: name + " by a thousand million", rpc: name, msg: size(l.msg, 1e9)}.as(r, l.who))
		rows = append(rows, invalid("H50", name+" from a made-up place", name, token(l.msg, "bWFkZSB1cA"), "BAD_PAGE_TOKEN", "page_token").as(r, l.who))
		rows = append(rows, invalid("H50", name+" from a place too long to be one", name, token(l.msg, strings.Repeat("x", 1001)), "BAD_PAGE_TOKEN", "page_token").as(r, l.who))
	}
	mine := r.pageToken("citizen", "/v1/"+r.hall+"/cases")
	theirs := r.pageToken("window", "/v1/"+r.hall+"/cases")
	cases := &caseworkv1.ListCasesRequest{Parent: r.hall}
	for what, c := range map[string]struct {
		who string
		msg proto.Message
	}{
		"edited": {"citizen", token(cases, mine[:len(mine)-2]+"xx")}, "cut short": {"citizen", token(cases, mine[:len(mine)/2])}, "of another caller": {"citizen", token(cases, theirs)},
		"of another caller yet": {"window", token(cases, mine)}, "with another filter": {"citizen", token(&caseworkv1.ListCasesRequest{Parent: r.hall, State: caseworkv1.CaseState_CASE_STATE_DECIDED}, mine)},
		"with another hall": {"citizen", token(&caseworkv1.ListCasesRequest{Parent: "halls/" + house.Foreign}, mine)},
		"of another list":   {"citizen", nil},
	} {
		name, msg := "ListCases", c.msg
		if msg == nil {
			name, msg = "ListReviews", token(&reviewv1.ListReviewsRequest{Parent: r.hall}, mine)
		}
		rows = append(rows, invalid("H50", "a place "+what, name, msg, "BAD_PAGE_TOKEN", "page_token").as(r, c.who))
	}
	return rows
}

// pageToken is a real one.
func (r *badRun) pageToken(who, path string) string {
	r.t.Helper()
	page := &caseworkv1.ListCasesResponse{}
	user := bad{}.as(r, who).who
	get(r.scene, r.As(*user), path+"?pageSize=1", page)
	if page.GetNextPageToken() == "" {
		r.t.Fatalf("%s has no second page", path)
	}
	return page.GetNextPageToken()
}

// requestRows are H53 and H54.
func (r *badRun) requestRows() []bad {
	f := r.fix
	var rows []bad
	steps := map[string]struct {
		who string
		msg proto.Message
	}{
		"AcceptCase":      {"window", &caseworkv1.AcceptCaseRequest{Name: f.submitted.GetName(), Etag: f.submitted.GetEtag()}},
		"FileCase":        {"citizen", r.filing(f.citizen, house.Residence)},
		"CreateCase":      {"citizen", &caseworkv1.CreateCaseRequest{Parent: r.hall, Case: house.Application(r.data.Items[house.Residence], f.citizen)}},
		"PauseItem":       {"publisher", &cataloguev1.PauseItemRequest{Name: r.data.Items[house.Residence].GetName(), Reason: "依据正在修订"}},
		"CreateReview":    {"citizen", &reviewv1.CreateReviewRequest{Parent: r.hall, Review: &reviewv1.Review{Case: f.finished.GetName(), Moment: 3, Stars: 5}}},
		"RevealApplicant": {"window", &caseworkv1.RevealApplicantRequest{Name: f.submitted.GetName(), Purpose: "核对申请人身份"}},
	}
	for name, s := range steps {
		for what, id := range map[string]string{
			"none": "", "zero": "00000000-0000-0000-0000-000000000000", "no UUID": "1", "braces": "{" + newID() + "}", "no hyphens": strings.ReplaceAll(newID(), "-", ""), "a URN": "urn:uuid:" + newID(), "a blank": newID() + " ",
		} {
			m := proto.Clone(s.msg)
			set(m, "request_id", id)
			reason := "REQUEST_ID_INVALID"
			if id == "" {
				reason = "REQUEST_ID_MISSING"
			}
			rows = append(rows, invalid("H53", name+" with "+what, name, m, reason, "request_id").as(r, s.who))
		}
	}
	reused := house.Clone(f.used)
	reused.Case.Subject = "别的事情"
	rows = append(rows,
		bad{class: "H53", what: "reused with other content", rpc: "FileCase", msg: reused, code: codes.AlreadyExists, status: http.StatusConflict, reason: "REQUEST_ID_REUSED"}.as(r, "citizen"),
		bad{class: "H53", what: "repeated with the same content", rpc: "FileCase", msg: f.used}.as(r, "citizen"))
	number, _, _ := strings.Cut(f.accepted.GetEtag(), "-")
	seq, err := strconv.Atoi(number)
	r.must("etag", err)
	future := strings.Replace(f.accepted.GetEtag(), number, strconv.Itoa(seq+7), 1)
	for what, e := range map[string]struct {
		etag, reason string
		code         codes.Code
		status       int
	}{
		"none": {"", "ETAG_MISSING", codes.FailedPrecondition, http.StatusPreconditionRequired}, "stale": {f.filed.GetEtag(), "ETAG_STALE", codes.Aborted, http.StatusConflict},
		"of the future": {future, "ETAG_INVALID", codes.InvalidArgument, http.StatusBadRequest}, "of another case": {f.examining.GetEtag(), "ETAG_INVALID", codes.InvalidArgument, http.StatusBadRequest},
		"nonsense": {"x", "ETAG_INVALID", codes.InvalidArgument, http.StatusBadRequest}, "a star": {"*", "ETAG_INVALID", codes.InvalidArgument, http.StatusBadRequest},
		"negative": {"-" + f.accepted.GetEtag(), "ETAG_INVALID", codes.InvalidArgument, http.StatusBadRequest},
	} {
		rows = append(rows, bad{class: "H54", what: what, rpc: "UndertakeCase", msg: &caseworkv1.UndertakeCaseRequest{Name: f.accepted.GetName(), RequestId: newID(), Etag: e.etag},
			code: e.code, status: e.status, reason: e.reason, field: "etag"}.as(r, "officer"))
	}
	return append(rows, bad{class: "H54", what: "none to pause an item", rpc: "PauseItem", msg: &cataloguev1.PauseItemRequest{Name: r.data.Items[house.Residence].GetName(), RequestId: newID(), Reason: "依据正在修订"},
		code: codes.FailedPrecondition, status: http.StatusPreconditionRequired, reason: "ETAG_MISSING", field: "etag"}.as(r, "publisher"))
}

// flowRows are H55-H60: what the law's way does not allow.
func (r *badRun) flowRows() []bad {
	return append(append(r.itemRows(), r.orderRows()...), r.ownStepRows()...)
}

func (r *badRun) itemRows() []bad {
	f := r.fix
	conflict := func(what string, msg proto.Message, reason, who string) bad {
		return bad{class: "H55", what: what, rpc: "FileCase", msg: msg, code: codes.FailedPrecondition, status: http.StatusConflict, reason: reason}.as(r, who)
	}
	other := r.filing(f.citizen, house.Residence)
	other.ItemRevision = 99
	wrongPerson := r.filing(f.citizen, house.Residence)
	wrongPerson.Case.Applicant.IdNumber = f.other.IDNumber
	body := r.filing(f.company, house.Residence)
	unknown := r.changed(func(c *caseworkv1.Case) { c.Item = strings.Replace(c.Item, "X", "A", 1) })
	elsewhere := r.changed(func(c *caseworkv1.Case) { c.Item = r.data.Abroad.GetName() })
	rows := []bad{
		conflict("a paused item", r.filing(f.citizen, house.Record), "ITEM_NOT_IN_FORCE", "citizen"), conflict("a revision of the future", other, "ITEM_NOT_IN_FORCE", "citizen"),
		{class: "H55", what: "an item that is not", rpc: "FileCase", msg: unknown, code: codes.NotFound, status: http.StatusNotFound, reason: "ITEM_NOT_FOUND"},
		{class: "H55", what: "another city's item", rpc: "FileCase", msg: elsewhere, code: codes.NotFound, status: http.StatusNotFound, reason: "ITEM_NOT_FOUND"},
		{class: "H55", what: "in somebody else's name", rpc: "FileCase", msg: wrongPerson, code: codes.PermissionDenied, status: http.StatusForbidden, reason: "PERMISSION_DENIED", field: "case.applicant.id_number", secret: f.other.IDNumber},
	}
	for i := range rows[2:] {
		rows[i+2] = rows[i+2].as(r, "citizen")
	}
	rows = append(rows, invalid("H55", "a company for a person's item", "FileCase", body, "WRONG_APPLICANT_TYPE", "case.applicant.type").as(r, "company"))
	materials := func(what, reason string, change func(*caseworkv1.Case)) bad {
		return invalid("H56", what, "FileCase", r.changed(change), reason, "").as(r, "citizen")
	}
	many := func(n int, id, hash func(int) string) func(*caseworkv1.Case) {
		return func(c *caseworkv1.Case) {
			c.Materials = nil
			for i := range n {
				c.Materials = append(c.Materials, &caseworkv1.CaseMaterial{MaterialId: id(i), Sha256: hash(i)})
			}
		}
	}
	same := func(s string) func(int) string { return func(int) string { return s } }
	counted := func(prefix string) func(int) string { return func(i int) string { return prefix + strconv.Itoa(i) } }
	file := strings.Repeat("ab", 32)
	return append(rows,
		materials("none", "MATERIAL_MISSING", func(c *caseworkv1.Case) { c.Materials = nil }), materials("one missing", "MATERIAL_MISSING", func(c *caseworkv1.Case) { c.Materials = c.Materials[1:] }),
		materials("one without a file", "MATERIAL_MISSING", func(c *caseworkv1.Case) { c.Materials[0].Sha256 = "" }),
		materials("200", "INVALID_ARGUMENT", many(200, counted("m"), same(""))), materials("one file 50 times", "MATERIAL_DUPLICATE", many(50, same("m1"), same(file))),
		materials("the same file for two", "MATERIAL_DUPLICATE", many(2, func(i int) string { return "m" + strconv.Itoa(i+1) }, same(file))),
		materials("one that is not asked for", "MATERIAL_UNKNOWN", many(1, same("m99"), same(file))), materials("a hash that is none", "INVALID_ARGUMENT", func(c *caseworkv1.Case) { c.Materials[0].Sha256 = "xyz" }),
		materials("a hash in capitals", "INVALID_ARGUMENT", func(c *caseworkv1.Case) { c.Materials[0].Sha256 = strings.Repeat("AB", 32) }),
	)
}

// orderRows are steps out of order, by the wrong person, at the wrong time, without a
// reason.
func (r *badRun) orderRows() []bad {
	f := r.fix
	var rows []bad
	step := func(class, what, rpc, who string, c *caseworkv1.Case, m proto.Message, code codes.Code, status int, reason, field string) {
		m = named(m, c.GetName())
		set(m, "etag", c.GetEtag())
		rows = append(rows, bad{class: class, what: what, rpc: rpc, msg: m, code: code, status: status, reason: reason, field: field}.as(r, who))
	}
	wrong := func(what, rpc, who string, c *caseworkv1.Case, m proto.Message) {
		step("H57", what, rpc, who, c, m, codes.FailedPrecondition, http.StatusConflict, "CASE_WRONG_STATE", "")
	}
	granted := &caseworkv1.DecideCaseRequest{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED}
	issued := &caseworkv1.FinishCaseRequest{Result: caseworkv1.FinishResult_FINISH_RESULT_ISSUED}
	gap := &caseworkv1.RequestSupplementRequest{Reason: "材料不清晰"}
	collect := &caseworkv1.CollectCaseRequest{Collector: "张三", Way: caseworkv1.Channel_CHANNEL_WINDOW}
	wrong("decide before accepting", "DecideCase", "head", f.submitted, granted)
	wrong("decide before examining", "DecideCase", "head", f.examining, granted)
	wrong("finish before deciding", "FinishCase", "window", f.examining, issued)
	wrong("accept twice", "AcceptCase", "window", f.accepted, &caseworkv1.AcceptCaseRequest{})
	wrong("supplement after the decision", "RequestSupplement", "officer", f.decided, gap)
	wrong("bring what was not asked for", "ReceiveSupplement", "citizen", f.accepted, &caseworkv1.ReceiveSupplementRequest{})
	wrong("examine before undertaking", "ExamineCase", "officer", f.accepted, &caseworkv1.ExamineCaseRequest{})
	wrong("approve before examining", "ApproveCase", "head", f.examining, &caseworkv1.ApproveCaseRequest{})
	wrong("collect before finishing", "CollectCase", "window", f.decided, collect)
	wrong("finish twice", "FinishCase", "window", f.finished, issued)
	wrong("decide twice", "DecideCase", "head", f.decided, granted)
	wrong("withdraw after the decision", "WithdrawCase", "citizen", f.decided, &caseworkv1.WithdrawCaseRequest{})
	wrong("submit twice", "SubmitCase", "citizen", f.submitted, &caseworkv1.SubmitCaseRequest{})
	wrong("refuse what is accepted", "RefuseCase", "window", f.accepted, &caseworkv1.RefuseCaseRequest{Reason: "不属于本部门职权范围之内", RightBody: "市教育局"})
	wrong("lapse what waits for nothing", "LapseCase", "window", f.submitted, &caseworkv1.LapseCaseRequest{})
	wrong("end a procedure that is not", "EndSpecialProcedure", "head", f.accepted, &caseworkv1.EndSpecialProcedureRequest{})

	invalidStep := func(class, what, rpc, who string, c *caseworkv1.Case, m proto.Message, reason, field string) {
		step(class, what, rpc, who, c, m, codes.InvalidArgument, http.StatusBadRequest, reason, field)
	}
	denied := func(class, what, rpc, who string, c *caseworkv1.Case, m proto.Message, field string) {
		step(class, what, rpc, who, c, m, codes.PermissionDenied, http.StatusForbidden, "SAME_PERSON_FORBIDDEN", field)
	}
	officer, head := "user/"+officerUser.Login, "user/"+headUser.Login
	denied("H58", "approve one's own request", "StartSpecialProcedure", "head", f.accepted, extension(5, head), "requester")
	invalidStep("H58", "extend by eleven days", "StartSpecialProcedure", "head", f.accepted, extension(11, officer), "EXTENSION_LIMIT", "limit")
	invalidStep("H58", "extend by nothing", "StartSpecialProcedure", "head", f.accepted, extension(0, officer), "EXTENSION_LIMIT", "limit")
	invalidStep("H58", "extend twice", "StartSpecialProcedure", "head", f.extended, extension(5, officer), "EXTENSION_LIMIT", "kind")
	pause := &caseworkv1.StartSpecialProcedureRequest{Kind: caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXCLUDED, DisplayName: "听证", Requester: officer}
	invalidStep("H58", "pause without a ground", "StartSpecialProcedure", "head", f.accepted, pause, "REASON_REQUIRED", "ground")
	anonymous := house.Clone(pause)
	anonymous.Ground, anonymous.Requester = "需要组织听证会听取各方面意见", ""
	invalidStep("H58", "pause for nobody", "StartSpecialProcedure", "head", f.accepted, anonymous, "FIELD_REQUIRED", "requester")

	at := func(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }
	long := time.Now().AddDate(0, -1, 0)
	invalidStep("H59", "accept before submitting", "AcceptCase", "window", f.submitted, &caseworkv1.AcceptCaseRequest{HappenedAt: at(long)}, "ORDER_BROKEN", "happened_at")
	invalidStep("H59", "undertake before accepting", "UndertakeCase", "officer", f.accepted, &caseworkv1.UndertakeCaseRequest{HappenedAt: at(long)}, "ORDER_BROKEN", "happened_at")
	invalidStep("H59", "tomorrow", "UndertakeCase", "officer", f.accepted, &caseworkv1.UndertakeCaseRequest{HappenedAt: at(tomorrow())}, "TIME_IN_FUTURE", "happened_at")
	invalidStep("H59", "the year 1", "UndertakeCase", "officer", f.accepted, &caseworkv1.UndertakeCaseRequest{HappenedAt: at(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))}, "ORDER_BROKEN", "happened_at")

	refuse := func(reason, remedies string) proto.Message {
		return &caseworkv1.DecideCaseRequest{Result: caseworkv1.DecisionResult_DECISION_RESULT_DENIED, Reason: reason, Remedies: remedies}
	}
	ready := r.approved()
	remedies := "可以在六十日内申请行政复议"
	invalidStep("H60", "no reason", "DecideCase", "head", ready, refuse("", remedies), "REASON_REQUIRED", "reason")
	invalidStep("H60", "three characters", "DecideCase", "head", ready, refuse("不同意", remedies), "REASON_REQUIRED", "reason")
	invalidStep("H60", "blanks for a reason", "DecideCase", "head", ready, refuse("            ", remedies), "REASON_REQUIRED", "reason")
	invalidStep("H60", "no remedies", "DecideCase", "head", ready, refuse("申请材料不符合法定条件要求", ""), "REASON_REQUIRED", "remedies")
	invalidStep("H60", "not accepted for three characters", "NotAcceptCase", "window", f.submitted, &caseworkv1.NotAcceptCaseRequest{Reason: "不需要"}, "REASON_REQUIRED", "reason")
	invalidStep("H60", "refused without naming the right body", "RefuseCase", "window", f.submitted, &caseworkv1.RefuseCaseRequest{Reason: "不属于本部门职权范围之内"}, "REASON_REQUIRED", "right_body")
	invalidStep("H60", "void without a reason", "VoidCase", "head", f.examining, &caseworkv1.VoidCaseRequest{Reason: "错"}, "REASON_REQUIRED", "reason")
	return rows
}

// approved is a case ready to be decided.
func (r *badRun) approved() *caseworkv1.Case {
	r.t.Helper()
	c := r.accepted(20, house.Hotel)
	c = r.act(r.officer, c, "undertake", &caseworkv1.UndertakeCaseRequest{})
	c = r.act(r.examiner, c, "examine", &caseworkv1.ExamineCaseRequest{})
	return r.act(r.head, c, "approve", &caseworkv1.ApproveCaseRequest{})
}
