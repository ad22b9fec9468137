package e2e

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
)

// jsonRows are H26-H31: bodies that are no JSON, or not the JSON asked for.
func (r *badRun) jsonRows() []bad {
	var rows []bad
	body := func(class, what, text, reason, field string) {
		rows = append(rows, bad{class: class, what: what, http: &restForm{method: "POST", path: progressPath, body: text},
			code: codes.InvalidArgument, status: http.StatusBadRequest, reason: reason, field: field})
	}
	for what, text := range map[string]string{
		"empty": "", "blank": "  \n", "a list": "[]", "null": "null", "a text": `"x"`, "a number": "1", "cut short": `{"caseNo":"1"`, "cut in a text": `{"caseNo":"1`,
		"a byte order mark": "\ufeff" + goodProgress, "a comment": "/**/" + goodProgress, "single quotes": `{'caseNo':'1'}`, "a comma too many": `{"caseNo":"1",}`,
		"no colon": `{"caseNo" "1"}`, "a bare word": `{caseNo:"1"}`, "a raw line break": "{\"caseNo\":\"1\n2\"}",
	} {
		body("H26", what, text, "BAD_JSON", "")
	}
	for what, text := range map[string]string{"another object": goodProgress + goodProgress, "a word": goodProgress + " x", "a brace": goodProgress + "}", "a NUL": goodProgress + "\x00"} {
		body("H27", what, text, "TRAILING_DATA", "")
	}
	body("H28", "the same key", `{"caseNo":"1","queryCode":"1","caseNo":"2"}`, "DUPLICATE_KEY", "case_no")
	body("H28", "two spellings", `{"caseNo":"1","queryCode":"1","case_no":"2"}`, "DUPLICATE_KEY", "case_no")
	body("H28", "escaped", `{"caseNo":"1","queryCode":"1","\u0063aseNo":"2"}`, "DUPLICATE_KEY", "case_no")
	body("H29", "a typing error", `{"caseNr":"1","queryCode":"1"}`, "UNKNOWN_FIELD", "case_nr")
	body("H29", "one too many", `{"caseNo":"1","queryCode":"1","admin":true}`, "UNKNOWN_FIELD", "admin")
	body("H29", "other letters' size", `{"CaseNo":"1","queryCode":"1"}`, "UNKNOWN_FIELD", "")
	body("H29", "a key that is no name", `{"<script>":"1"}`, "UNKNOWN_FIELD", "*")
	rows[len(rows)-1].secret = "<script>"
	body("H32", "a number for a text", `{"caseNo":1,"queryCode":"1"}`, "INVALID_ARGUMENT", "case_no")
	body("H35", "bytes that are no UTF-8", "{\"caseNo\":\"\xff\xfe\",\"queryCode\":\"1\"}", "BAD_JSON", "case_no")
	body("H35", "an overlong form", "{\"caseNo\":\"\xc0\xaf\",\"queryCode\":\"1\"}", "BAD_JSON", "case_no")
	body("H35", "half a pair of surrogates", `{"caseNo":"\ud800","queryCode":"1"}`, "BAD_JSON", "case_no")
	body("H35", "the other half", `{"caseNo":"\udc00x","queryCode":"1"}`, "BAD_JSON", "case_no")
	body("H35", "the halves the wrong way round", `{"caseNo":"\udc00\ud800","queryCode":"1"}`, "BAD_JSON", "case_no")
	body("H36", "an escaped NUL", `{"caseNo":"1\u0000","queryCode":"1"}`, "BAD_TEXT", "case_no")
	body("H36", "a raw NUL", "{\"caseNo\":\"1\x00\",\"queryCode\":\"1\"}", "BAD_JSON", "")
	return append(append(rows, r.fieldRows()...), r.queryRows()...)
}

// fieldRows are bodies of a filing.
func (r *badRun) fieldRows() []bad {
	var rows []bad
	filing := func(class, what, text, reason, field string) {
		rows = append(rows, bad{class: class, what: what, http: &restForm{method: "POST", path: "/v1/" + r.hall + "/cases:file", body: text}, who: r.citizenUser(),
			code: codes.InvalidArgument, status: http.StatusBadRequest, reason: reason, field: field})
	}
	filing("H28", "deep inside", `{"case":{"applicant":{"phone":"1","phone":"2"}}}`, "DUPLICATE_KEY", "case.applicant.phone")
	filing("H28", "in the free form", `{"case":{"form":{"a":1,"a":2}}}`, "DUPLICATE_KEY", "case.form.a")
	filing("H29", "deep inside", `{"case":{"applicant":{"idNummer":"1"}}}`, "UNKNOWN_FIELD", "case.applicant.id_nummer")
	filing("H29", "a state of one's own", `{"case":{"state":"decided"}}`, "INVALID_ARGUMENT", "case.state")
	filing("H34", "an unknown word", `{"case":{"channel":"CHANNEL_PIGEON"}}`, "INVALID_ARGUMENT", "case.channel")
	filing("H32", "a fraction", `{"itemRevision":1.5}`, "INVALID_ARGUMENT", "item_revision")
	filing("H32", "2^31", `{"itemRevision":2147483648}`, "INVALID_ARGUMENT", "item_revision")
	filing("H32", "2^63", `{"itemRevision":9223372036854775808}`, "INVALID_ARGUMENT", "item_revision")
	filing("H32", "a word", `{"itemRevision":"many"}`, "INVALID_ARGUMENT", "item_revision")
	filing("H32", "a list for a number", `{"itemRevision":[1]}`, "INVALID_ARGUMENT", "item_revision")
	filing("H32", "a number for a truth", `{"consent":1}`, "INVALID_ARGUMENT", "consent")
	filing("H32", "a text for a list", `{"case":{"materials":"m1"}}`, "INVALID_ARGUMENT", "case.materials")
	filing("H26", "a leading zero", `{"itemRevision":01}`, "BAD_JSON", "")
	filing("H33", "a bare NaN", `{"itemRevision":NaN}`, "BAD_JSON", "")
	filing("H33", "NaN as a text", `{"itemRevision":"NaN"}`, "INVALID_ARGUMENT", "item_revision")
	filing("H33", "endless", `{"itemRevision":1e999}`, "INVALID_ARGUMENT", "item_revision")
	filing("H31", "5,000 levels", `{"case":{"form":`+strings.Repeat(`{"a":`, 5000)+"1"+strings.Repeat("}", 5000)+`}}`, "BAD_JSON", "")
	filing("H31", "5,000 lists", `{"case":{"form":{"a":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}}}`, "BAD_JSON", "")
	filing("H40", "the year 10000", `{"happenedAt":"10000-01-01T00:00:00Z"}`, "INVALID_ARGUMENT", "happened_at")
	filing("H40", "second 60", `{"happenedAt":"2026-01-01T00:00:60Z"}`, "INVALID_ARGUMENT", "happened_at")
	filing("H40", "no zone", `{"happenedAt":"2026-01-01T00:00:00"}`, "INVALID_ARGUMENT", "happened_at")
	return rows
}

// queryRows are H30 and numbers in queries.
func (r *badRun) queryRows() []bad {
	var rows []bad
	get := func(class, query, reason, field string) {
		rows = append(rows, bad{class: class, what: query, http: &restForm{method: "GET", path: query, noBody: true}, who: r.citizenUser(),
			code: codes.InvalidArgument, status: http.StatusBadRequest, reason: reason, field: field})
	}
	get("H30", "/v1/halls?foo=1", "UNKNOWN_PARAMETER", "foo")
	get("H30", "/v1/halls?pagesize=1", "UNKNOWN_PARAMETER", "pagesize")
	get("H30", "/v1/halls/441300?name=halls/440300", "UNKNOWN_PARAMETER", "name")
	get("H30", "/v1/"+r.hall+"/cases?parent=halls/440300", "UNKNOWN_PARAMETER", "parent")
	get("H30", "/v1/"+r.hall+"/cases?%3Cscript%3E=1", "UNKNOWN_PARAMETER", "*")
	get("H30", "/v1/rules?x.y.z=1", "UNKNOWN_PARAMETER", "")
	get("H30", "/v1/halls?pageSize=1&page_size=2", "DUPLICATE_KEY", "page_size")
	get("H30", "/v1/halls?pageSize=1&pageSize=2", "DUPLICATE_KEY", "page_size")
	get("H32", "/v1/halls?pageSize=1.5", "INVALID_ARGUMENT", "page_size")
	get("H32", "/v1/halls?pageSize=2147483648", "INVALID_ARGUMENT", "page_size")
	get("H32", "/v1/halls?pageSize=many", "INVALID_ARGUMENT", "page_size")
	get("H32", "/v1/"+r.hall+"/cards:watch?after=9223372036854775808", "INVALID_ARGUMENT", "after")
	rows[len(rows)-1].who = &supervisorUser
	get("H34", "/v1/halls?level=LEVEL_MOON", "INVALID_ARGUMENT", "level")
	get("H35", "/v1/items:search?query=%ff%fe", "BAD_TEXT", "query")
	get("H36", "/v1/items:search?query=a%00b", "BAD_TEXT", "query")
	get("H30", "/v1/halls?b=1&a=1", "UNKNOWN_PARAMETER", "a")
	get("H30", "/v1/halls?"+manyParameters(65), "UNKNOWN_PARAMETER", "")
	for _, post := range []string{progressPath + "?caseNo=1", "/v1/" + r.fix.accepted.GetName() + ":accept?requestId=x"} {
		rows = append(rows, bad{class: "H30", what: post, http: &restForm{method: "POST", path: post, body: "{}"}, who: &windowUser,
			code: codes.InvalidArgument, status: http.StatusBadRequest, reason: "UNKNOWN_PARAMETER"})
	}
	return rows
}

// manyParameters is a query of so many different parameters.
func manyParameters(n int) string {
	v := url.Values{}
	for i := range n {
		v.Set("p"+strconv.Itoa(i), "1")
	}
	return v.Encode()
}

// numberRows are what both transports can say: enums, numbers, depth, masks, times.
func (r *badRun) numberRows() []bad {
	var rows []bad
	add := func(class, what, rpc string, msg proto.Message, who string, reason, field string) *bad {
		b := bad{class: class, what: what, rpc: rpc, msg: msg, code: codes.InvalidArgument, status: http.StatusBadRequest, reason: reason, field: field}
		switch who {
		case "citizen":
			b.who = r.citizenUser()
		case "head":
			b.who = &headUser
		case "window":
			b.who = &windowUser
		case "admin":
			u := house.Admin()
			b.who = &u
		}
		rows = append(rows, b)
		return &rows[len(rows)-1]
	}
	filing := func(change func(*caseworkv1.FileCaseRequest)) proto.Message {
		req := r.filing(r.fix.citizen, house.Residence)
		change(req)
		return req
	}
	add("H34", "an unknown number", "FileCase", filing(func(q *caseworkv1.FileCaseRequest) { q.Case.Channel = 99 }), "citizen", "INVALID_ARGUMENT", "case.channel")
	add("H34", "a negative number", "FileCase", filing(func(q *caseworkv1.FileCaseRequest) { q.Case.Applicant.IdType = -1 }), "citizen", "INVALID_ARGUMENT", "case.applicant.id_type")
	add("H34", "no kind of applicant", "FileCase", filing(func(q *caseworkv1.FileCaseRequest) { q.Case.Applicant.Type = 0 }), "citizen", "INVALID_ARGUMENT", "case.applicant.type")
	add("H34", "no result of a decision", "DecideCase", &caseworkv1.DecideCaseRequest{Name: r.fix.examining.GetName(), RequestId: newID(), Etag: r.fix.examining.GetEtag()}, "head", "INVALID_ARGUMENT", "result")
	add("H34", "no level to rank", "RankHalls", &hubv1.RankHallsRequest{Metric: "finish_rate", StartDate: "2026-01-01", EndDate: "2026-01-02"}, "", "INVALID_ARGUMENT", "level")
	add("H34", "an unknown inbox", "ListInbox", &caseworkv1.ListInboxRequest{Parent: r.hall, Stage: 42}, "window", "INVALID_ARGUMENT", "stage")
	add("H32", "a negative revision", "FileCase", filing(func(q *caseworkv1.FileCaseRequest) { q.ItemRevision = -1 }), "citizen", "INVALID_ARGUMENT", "item_revision")
	add("H32", "61 days to supplement", "RequestSupplement", &caseworkv1.RequestSupplementRequest{Name: r.fix.submitted.GetName(), RequestId: newID(), Etag: r.fix.submitted.GetEtag(), Reason: "材料不清晰", LimitDays: 61}, "window", "INVALID_ARGUMENT", "limit_days")
	add("H32", "100 copies", "FileCase", filing(func(q *caseworkv1.FileCaseRequest) { q.Case.Materials[0].Copies = 100 }), "citizen", "INVALID_ARGUMENT", "case.materials[0].copies")
	add("H32", "month 13", "GetRates", &hubv1.GetRatesRequest{Hall: r.hall, StartDate: "2026-13-01", EndDate: "2026-12-31"}, "", "INVALID_ARGUMENT", "start_date")
	add("H32", "the end before the start", "GetRates", &hubv1.GetRatesRequest{Hall: r.hall, StartDate: "2026-02-01", EndDate: "2026-01-01"}, "", "INVALID_ARGUMENT", "end_date")
	add("H32", "a span of ten years", "GetRates", &hubv1.GetRatesRequest{Hall: r.hall, StartDate: "2016-02-01", EndDate: "2026-01-01"}, "", "INVALID_ARGUMENT", "end_date")
	add("H33", "not a number in the form", "FileCase", filing(func(q *caseworkv1.FileCaseRequest) { q.Case.Form = number(math.NaN()) }), "citizen", "", "").grpcOnly = true
	rows[len(rows)-1].reason = "INVALID_ARGUMENT"
	add("H33", "endless in the form", "FileCase", filing(func(q *caseworkv1.FileCaseRequest) { q.Case.Form = number(math.Inf(1)) }), "citizen", "INVALID_ARGUMENT", "").grpcOnly = true
	add("H33", "a value without a kind in the form", "FileCase", filing(func(q *caseworkv1.FileCaseRequest) {
		q.Case.Form = &structpb.Struct{Fields: map[string]*structpb.Value{"a": {}}}
	}), "citizen", "INVALID_ARGUMENT", "").grpcOnly = true
	add("H31", "nine levels", "FileCase", filing(func(q *caseworkv1.FileCaseRequest) { q.Case.Form = nested(9) }), "citizen", "FORM_TOO_LARGE", "case.form")
	add("H31", "eleven levels", "FileCase", filing(func(q *caseworkv1.FileCaseRequest) { q.Case.Form = nested(11) }), "citizen", "FORM_TOO_LARGE", "case.form")
	add("H31", "201 values", "FileCase", filing(func(q *caseworkv1.FileCaseRequest) { q.Case.Form = wide(201) }), "citizen", "FORM_TOO_LARGE", "case.form")
	item := house.Clone(r.data.Items[house.Residence])
	item.Etag = get(r.scene, r.As(house.Admin()), "/v1/"+item.GetName()+":draft", &cataloguev1.Item{}).GetEtag()
	add("H38", "a field that is not", "UpdateItem", &cataloguev1.UpdateItemRequest{Item: item, UpdateMask: mask("secret"), RequestId: newID()}, "admin", "INVALID_ARGUMENT", "update_mask")
	add("H38", "a field that only the service sets", "UpdateItem", &cataloguev1.UpdateItemRequest{Item: item, UpdateMask: mask("content_sha256"), RequestId: newID()}, "admin", "INVALID_ARGUMENT", "update_mask")
	add("H39", "101 form fields", "RequestSupplement", &caseworkv1.RequestSupplementRequest{Name: r.fix.submitted.GetName(), RequestId: newID(), Etag: r.fix.submitted.GetEtag(), Reason: "材料不清晰", FormFields: strings.Split(strings.Repeat("a ", 101)+"a", " ")}, "window", "INVALID_ARGUMENT", "form_fields")
	add("H63", "six stars", "CreateReview", &reviewv1.CreateReviewRequest{Parent: r.hall, RequestId: newID(), Review: &reviewv1.Review{Case: r.fix.finished.GetName(), Moment: 3, Stars: 6}}, "citizen", "INVALID_ARGUMENT", "review.stars")
	add("H63", "no stars", "CreateReview", &reviewv1.CreateReviewRequest{Parent: r.hall, RequestId: newID(), Review: &reviewv1.Review{Case: r.fix.finished.GetName(), Moment: 3}}, "citizen", "INVALID_ARGUMENT", "review.stars")
	add("H40", "a second from now", "AcceptCase", &caseworkv1.AcceptCaseRequest{Name: r.fix.submitted.GetName(), RequestId: newID(), Etag: r.fix.submitted.GetEtag(), HappenedAt: timestamppb.New(tomorrow())}, "window", "TIME_IN_FUTURE", "happened_at")
	return rows
}

func number(f float64) *structpb.Struct {
	return &structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewNumberValue(f)}}
}

func nested(levels int) *structpb.Struct {
	s := &structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewStringValue("x")}}
	for range levels - 1 {
		s = &structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewStructValue(s)}}
	}
	return s
}

func wide(values int) *structpb.Struct {
	s := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	for i := range values {
		s.Fields[strings.Repeat("a", i+1)] = structpb.NewBoolValue(true)
	}
	return s
}

func mask(paths ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: paths} }
