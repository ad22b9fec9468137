package e2e

import (
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
)

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

// invalid is an input that is refused as INVALID_ARGUMENT.
func invalid(class, what, rpc string, msg proto.Message, reason, field string) bad {
	return bad{class: class, what: what, rpc: rpc, msg: msg, code: codes.InvalidArgument, status: http.StatusBadRequest, reason: reason, field: field}
}

// as lets an input come from somebody.
func (b bad) as(r *badRun, who string) bad {
	switch who {
	case "citizen":
		b.who = r.citizenUser()
	case "other":
		b.who = r.otherUser()
	case "company":
		b.who = r.companyUser()
	case "window":
		b.who = &windowUser
	case "officer":
		b.who = &officerUser
	case "head":
		b.who = &headUser
	case "publisher":
		b.who = &publisherUser
	case "supervisor":
		b.who = &supervisorUser
	case "analyst":
		b.who = &analystUser
	case "foreign window":
		u := foreign(windowUser)
		b.who = &u
	case "foreign officer":
		u := foreign(officerUser)
		b.who = &u
	case "admin":
		u := house.Admin()
		b.who = &u
	default:
		r.t.Fatalf("nobody is called %s", who)
	}
	return b
}

// changed is a filing of the citizen with something changed.
func (r *badRun) changed(change func(*caseworkv1.Case)) *caseworkv1.FileCaseRequest {
	q := r.filing(r.fix.citizen, house.Residence)
	change(q.Case)
	return q
}

// textRows are H36, H43-H45: texts that are not what people write.
func (r *badRun) textRows() []bad {
	var rows []bad
	const nul = "甲\x00乙"
	for field, change := range map[string]func(*caseworkv1.Case){
		"case.subject":                func(c *caseworkv1.Case) { c.Subject = nul },
		"case.applicant.display_name": func(c *caseworkv1.Case) { c.Applicant.DisplayName = nul },
		"case.applicant.address":      func(c *caseworkv1.Case) { c.Applicant.Address = nul },
		"case.materials[0].file_name": func(c *caseworkv1.Case) { c.Materials[0].FileName = nul },
		"case.form.fields[*].string_value": func(c *caseworkv1.Case) {
			c.Form = &structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewStringValue(nul)}}
		},
		"case.form.fields": func(c *caseworkv1.Case) {
			c.Form = &structpb.Struct{Fields: map[string]*structpb.Value{"a\x00": structpb.NewStringValue("x")}}
		},
	} {
		b := invalid("H36", field, "FileCase", r.changed(change), "INVALID_ARGUMENT", "").as(r, "citizen")
		b.httpReason = "BAD_TEXT"
		rows = append(rows, b)
	}
	opinion := func(text string) proto.Message {
		c := r.fix.accepted
		return &caseworkv1.UndertakeCaseRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Opinion: text}
	}
	for what, text := range map[string]string{"blanks": "   ", "ideographic blanks": "　　", "a right-to-left override": "同意‮意同", "a zero-width blank": "同​意", "an isolate": "同⁦意⁩"} {
		rows = append(rows, invalid("H45", "an opinion of "+what, "UndertakeCase", opinion(text), "BAD_TEXT", "opinion").as(r, "officer"))
	}
	rows = append(rows, invalid("H45", "an opinion of 2,001 characters", "UndertakeCase", opinion(strings.Repeat("同", 2001)), "INVALID_ARGUMENT", "opinion").as(r, "officer"))
	for what, name := range map[string]string{
		"a right-to-left override": "张‮三", "a zero-width joiner": "张‍三", "a thousand marks": "张" + strings.Repeat("\u0301", 60), "blanks": "  ", "a line break": "张\n三",
		"a control character": "张\x07三", "a log line": "张三\n{\"level\":\"info\"}", "a tag character": "张\U000E0041三",
	} {
		b := invalid("H43", "a name with "+what, "FileCase", r.changed(func(c *caseworkv1.Case) { c.Applicant.DisplayName = name }), "BAD_NAME", "case.applicant.display_name").as(r, "citizen")
		rows = append(rows, b)
	}
	rows = append(rows, invalid("H43", "a name of 201 characters", "FileCase", r.changed(func(c *caseworkv1.Case) { c.Applicant.DisplayName = strings.Repeat("张", 201) }), "INVALID_ARGUMENT", "case.applicant.display_name").as(r, "citizen"))
	for _, phone := range []string{"1234", "110", "abcdefghijk", "😀😀😀😀", "+0 212 555 0100", "15400000000000", "0752-", "154-0000-000x"} {
		b := invalid("H44", phone, "FileCase", r.changed(func(c *caseworkv1.Case) { c.Applicant.Phone = phone }), "BAD_PHONE", "case.applicant.phone").as(r, "citizen")
		b.secret = phone
		rows = append(rows, b)
	}
	rows = append(rows, invalid("H45", "a review of 501 characters", "CreateReview", &reviewv1.CreateReviewRequest{Parent: r.hall, RequestId: newID(),
		Review: &reviewv1.Review{Case: r.fix.finished.GetName(), Moment: 3, Stars: 5, Text: strings.Repeat("好", 501)}}, "INVALID_ARGUMENT", "review.text").as(r, "citizen"))
	return rows
}

// identityRows are H41, H42, H47 and H48: who somebody is and what a thing is called.
func (r *badRun) identityRows() []bad {
	var rows []bad
	id := r.fix.citizen.IDNumber
	for what, number := range map[string]string{
		"a wrong check digit": id[:17] + otherDigit(id[17]), "fifteen digits": id[:6] + id[8:17], "a day that was not": residentID(id[:6], "20230229"), "a month that is not": residentID(id[:6], "20231301"),
		"born tomorrow": residentID(id[:6], tomorrow().AddDate(0, 0, 1).Format("20060102")), "letters": "44130219900101ABCD", "seventeen digits": id[:17], "nineteen digits": id + "1", "X in the middle": id[:8] + "X" + id[9:],
		"a Chinese numeral": "四" + id[1:], "Arabic digits": "٤" + id[1:],
	} {
		b := invalid("H41", what, "FileCase", r.changed(func(c *caseworkv1.Case) { c.Applicant.IdNumber = number }), "BAD_RESIDENT_ID", "case.applicant.id_number").as(r, "citizen")
		b.secret = number
		rows = append(rows, b)
	}
	code := r.fix.company.IDNumber
	for what, number := range map[string]string{
		"an I": code[:9] + "I" + code[10:], "an O": code[:9] + "O" + code[10:], "an S": code[:9] + "S" + code[10:], "a V": code[:9] + "V" + code[10:], "a Z": code[:9] + "Z" + code[10:],
		"a wrong check character": code[:17] + otherDigit(code[17]), "seventeen characters": code[:17], "nineteen characters": code + "0", "a resident's number": id,
	} {
		q := r.filing(r.fix.company, house.Hotel)
		q.Case.Applicant.IdNumber = number
		b := invalid("H42", what, "FileCase", q, "BAD_USCC", "case.applicant.id_number").as(r, "company")
		b.secret = number
		rows = append(rows, b)
	}
	item := r.data.Items[house.Residence].GetName()
	for what, name := range map[string]string{
		"a Cyrillic look-alike": strings.Replace(item, "X", "Х", 1), "lower case": strings.ToLower(item), "a line break at the end": item + "\n", "a blank at the end": item + " ",
		"full width": strings.Replace(item, "1", "１", 1), "another hall's path": item + "/../x", "nothing": "",
	} {
		rows = append(rows, invalid("H47", "an item with "+what, "FileCase", r.changed(func(c *caseworkv1.Case) { c.Item = name }), "INVALID_ARGUMENT", "case.item").as(r, "citizen"))
	}
	no := r.fix.accepted.GetName()
	for what, name := range map[string]string{"full-width digits": strings.Replace(no, "4", "４", 1), "a line break at the end": no + "\n", "a letter": no[:len(no)-1] + "O", "a digit too many": no + "0", "a digit too few": no[:len(no)-1]} {
		b := invalid("H47", "a case number with "+what, "GetCase", &caseworkv1.GetCaseRequest{Name: name}, "INVALID_ARGUMENT", "").as(r, "citizen")
		if strings.ContainsAny(name, "４\n") {
			b.httpReason = "BAD_PATH"
		}
		rows = append(rows, b)
	}
	rows = append(rows, invalid("H47", "an item in lower case to read", "GetItem", &cataloguev1.GetItemRequest{Name: strings.ToLower(item)}, "INVALID_ARGUMENT", "name"))
	return append(rows, r.hiddenRows()...)
}

// hiddenRows are H48: what is not the caller's does not exist, whatever it is asked for.
func (r *badRun) hiddenRows() []bad {
	var rows []bad
	f := r.fix
	for what, c := range map[string]struct{ who, name string }{
		"somebody else's": {"citizen", f.others.GetName()}, "in another city": {"citizen", f.abroad.GetName()}, "that is not": {"citizen", r.hall + "/cases/" + otherNumber(caseNo(f.others))},
		"of another city's hall": {"window", f.abroad.GetName()}, "of this hall to another's": {"foreign window", f.accepted.GetName()}, "of this department to another's": {"foreign officer", f.accepted.GetName()},
		"a draft to the window": {"window", f.draft.GetName()}, "in the wrong hall": {"supervisor", "halls/" + house.Foreign + "/cases/" + caseNo(f.accepted)},
	} {
		for _, m := range []struct {
			rpc string
			msg proto.Message
		}{
			{"GetCase", &caseworkv1.GetCaseRequest{Name: c.name}}, {"ListCaseEvents", &caseworkv1.ListCaseEventsRequest{Parent: c.name}},
			{"WithdrawCase", &caseworkv1.WithdrawCaseRequest{Name: c.name, RequestId: newID(), Etag: f.accepted.GetEtag()}},
			{"RevealApplicant", &caseworkv1.RevealApplicantRequest{Name: c.name, RequestId: newID(), Purpose: "核对申请人身份"}},
		} {
			if c.who == "supervisor" && (m.rpc == "WithdrawCase" || m.rpc == "RevealApplicant") || c.who == "foreign officer" && m.rpc == "WithdrawCase" {
				continue // refused for the role alone: that is the matrix's
			}
			rows = append(rows, bad{class: "H48", what: m.rpc + " of a case " + what, rpc: m.rpc, msg: m.msg, code: codes.NotFound, status: http.StatusNotFound, reason: "NOT_FOUND"}.as(r, c.who))
		}
	}
	return append(rows,
		bad{class: "H48", what: "the list of another hall", rpc: "ListCases", msg: &caseworkv1.ListCasesRequest{Parent: "halls/" + house.Foreign}, code: codes.NotFound, status: http.StatusNotFound, reason: "NOT_FOUND"}.as(r, "window"),
		bad{class: "H48", what: "the inbox of another hall", rpc: "ListInbox", msg: &caseworkv1.ListInboxRequest{Parent: "halls/" + house.Foreign}, code: codes.NotFound, status: http.StatusNotFound, reason: "NOT_FOUND"}.as(r, "officer"),
		bad{class: "H52", what: "the cases of another department", rpc: "ListCases", msg: &caseworkv1.ListCasesRequest{Parent: r.hall, Department: r.hall + "/departments/education"}, code: codes.PermissionDenied, status: http.StatusForbidden, reason: "PERMISSION_DENIED", field: "department"}.as(r, "officer"),
		bad{class: "H48", what: "an item that is not", rpc: "GetItem", msg: &cataloguev1.GetItemRequest{Name: "halls/440300/items/" + itemCode(r.data.Items[house.Residence])}, code: codes.NotFound, status: http.StatusNotFound, reason: "ITEM_NOT_FOUND"},
		bad{class: "H48", what: "a hall that is not", rpc: "GetHall", msg: &cataloguev1.GetHallRequest{Name: "halls/999999"}, code: codes.NotFound, status: http.StatusNotFound, reason: "NOT_FOUND"},
	)
}

func itemCode(it *cataloguev1.Item) string { return it.GetName()[len("halls/000000/items/"):] }

// otherDigit is a digit that is not this one.
func otherDigit(c byte) string {
	if c == '1' {
		return "2"
	}
	return "1"
}

// residentID is a number with a right check digit for a birthday of any kind.
func residentID(division, birthday string) string {
	body := division + birthday + "123"
	sum := 0
	for i, c := range body {
		sum += int(c-'0') * ((1 << (17 - i)) % 11)
	}
	return body + string("10X98765432"[sum%11])
}
