package e2e

import (
	"net/http"
	"strings"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// odd sends what looks wrong and is right: other spellings of one number, names that few
// programs can write, texts that are code elsewhere. All of it is taken, and comes back
// as it was.
func (r *badRun) odd() {
	r.oneSpelling()
	r.oddNames()
	r.codeAsText()
	r.sameIDOfAnother()
	r.integralForms()
}

// oneSpelling: two spellings of an identity number are one person.
func (r *badRun) oneSpelling() {
	id := r.fix.citizen.IDNumber
	wide := strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５", "6", "６", "7", "７", "8", "８", "9", "９", "X", "ｘ")
	for _, spelling := range []string{wide.Replace(id), strings.ToLower(id), " " + id[:6] + " " + id[6:14] + " " + id[14:] + " "} {
		c := r.taken(r.changed(func(c *caseworkv1.Case) { c.Applicant.IdNumber = spelling }))
		if c.GetApplicantKey() != r.fix.accepted.GetApplicantKey() {
			r.t.Errorf("%q is another person", spelling)
		}
	}
	code := r.fix.company.IDNumber
	q := r.filing(r.fix.company, house.Hotel)
	q.Case.Applicant.IdNumber = strings.ToLower(code)
	q.Parent = ""
	c := &caseworkv1.Case{}
	r.must("a credit code in lower case", r.As(*r.companyUser()).Post(r.t.Context(), "/v1/"+r.hall+"/cases:file", q, c))
}

// taken files as the citizen.
func (r *badRun) taken(q *caseworkv1.FileCaseRequest) *caseworkv1.Case {
	r.t.Helper()
	q.Parent = ""
	c := &caseworkv1.Case{}
	r.must("file", r.As(*r.citizenUser()).Post(r.t.Context(), "/v1/"+r.hall+"/cases:file", q, c))
	return c
}

// oddNames are real ones: rare characters, the middle dot of minorities, one character,
// sixty.
func (r *badRun) oddNames() {
	for _, name := range []string{"𠮷野家", "买买提·吐尔逊", "李", strings.Repeat("长", 60), "㛃㛂", "O'Brien-Smith Jr."} {
		c := r.taken(r.changed(func(c *caseworkv1.Case) { c.Applicant.DisplayName = name }))
		seen := &caseworkv1.Applicant{}
		r.must("reveal", r.As(*r.citizenUser()).Post(r.t.Context(), "/v1/"+c.GetName()+":revealApplicant",
			&caseworkv1.RevealApplicantRequest{RequestId: newID(), Purpose: "核对本人信息"}, seen))
		if seen.GetDisplayName() != name {
			r.t.Errorf("the name %q came back as %q", name, seen.GetDisplayName())
		}
	}
}

// codeAsText is data here: stored as it is, in both databases.
func (r *badRun) codeAsText() {
	for _, text := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `=cmd|' /C calc'!A0`, `{{.}}`, `${jndi:ldap://x}`, `'; DROP TABLE cases; --`, `%s%n%d`, `$(reboot)`, "`id`",
		`*)(uid=*`, `javascript:alert(1)`, `![x](http://x)`, `\u0041\x41`, `null`, `😀`, "%_\\",
	} {
		c := r.taken(r.changed(func(c *caseworkv1.Case) { c.Subject = text }))
		seen := get(r.scene, r.window, "/v1/"+c.GetName(), &caseworkv1.Case{})
		if seen.GetSubject() != text {
			r.t.Errorf("%q came back as %q", text, seen.GetSubject())
		}
	}
}

// sameIDOfAnother: a request id belongs to its caller.
func (r *badRun) sameIDOfAnother() {
	q := r.filing(r.fix.other, house.Residence)
	q.Parent, q.RequestId = "", r.fix.used.GetRequestId()
	c := &caseworkv1.Case{}
	r.must("another citizen's request id", r.As(*r.otherUser()).Post(r.t.Context(), "/v1/"+r.hall+"/cases:file", q, c))
	if c.GetApplicantKey() == r.fix.accepted.GetApplicantKey() {
		r.t.Error("another citizen got this one's case")
	}
}

// integralForms: a whole number is one however it is written.
func (r *badRun) integralForms() {
	for _, n := range []string{"1", "1.0", "1e0", `"1"`, "10e-1"} {
		q := r.filing(r.fix.citizen, house.Residence)
		q.Parent = ""
		raw, err := house.JSON(q)
		r.must("JSON", err)
		body := strings.TrimSuffix(raw, "}") + `,"itemRevision":` + n + "}"
		status, answer, err := r.As(*r.citizenUser()).Raw(r.t.Context(), http.MethodPost, "/v1/"+r.hall+"/cases:file", []byte(body))
		r.must("file", err)
		if status != http.StatusOK {
			r.t.Errorf("itemRevision %s: %d %s", n, status, answer)
		}
	}
}
