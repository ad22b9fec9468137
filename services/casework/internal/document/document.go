// Package document writes the documents that a case gives rise to (文书): as lines of data
// and as Chinese text, each with the law it rests on and the remedies against it. The texts
// are templates embedded in the program, so that every hall words them alike.
package document

import (
	"embed"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/workday"
)

//go:embed templates/*.tmpl
var files embed.FS

var templates = template.Must(template.ParseFS(files, "templates/*.tmpl"))

// ErrNotDue is returned for a document that nothing in the case has given rise to.
var ErrNotDue = errors.New("document: not due")

// Request says which document to write.
type Request struct {
	Kind caseworkv1.DocumentKind
	// Serial is which of several supplements or procedures; 0 for the last.
	Serial int
	// Titles are the names of the item's materials by their ids.
	Titles map[string]string
}

// form is what all documents of one kind have in common.
type form struct {
	// mark stands in the number, body names the template.
	mark, body string
	fill       func(p *paper, r Request) bool
}

var forms = map[caseworkv1.DocumentKind]form{
	caseworkv1.DocumentKind_DOCUMENT_KIND_RECEIPT:    {"SJ", "receipt", receipt},
	caseworkv1.DocumentKind_DOCUMENT_KIND_ACCEPTANCE: {"SL", "acceptance", acceptance},
	caseworkv1.DocumentKind_DOCUMENT_KIND_SUPPLEMENT: {"BZ", "supplement", supplement},
	caseworkv1.DocumentKind_DOCUMENT_KIND_REFUSAL:    {"BS", "refusal", refusal},
	caseworkv1.DocumentKind_DOCUMENT_KIND_DECISION:   {"XK", "decision", decision},
	caseworkv1.DocumentKind_DOCUMENT_KIND_DENIAL:     {"BX", "denial", denial},
	caseworkv1.DocumentKind_DOCUMENT_KIND_SPECIAL:    {"TB", "special", special},
	caseworkv1.DocumentKind_DOCUMENT_KIND_DELIVERY:   {"SD", "delivery", delivery},
	caseworkv1.DocumentKind_DOCUMENT_KIND_REVOCATION: {"CX", "revocation", revocation},
	caseworkv1.DocumentKind_DOCUMENT_KIND_FEE:        {"JF", "fee", fee},
}

// paper is a document being written; the templates read it.
type paper struct {
	Case                 *caseworkv1.Case
	Title, No, Addressee string
	Body, Remedies, Date string
	Fields               []*caseworkv1.DocumentField
	Basis                []string

	// What the bodies mention.
	Due, Accepted, Decided, Limit string
	Deemed, Refused, Extension    bool
	Supplement                    *caseworkv1.Supplement
	Special                       *caseworkv1.SpecialProcedure
	Charge                        *caseworkv1.Charge
	Amount                        string
	Gaps                          bool

	issued *timestamppb.Timestamp
	serial int32
}

// line adds a line of data, unless there is nothing to say.
func (p *paper) line(label, value string) {
	if value != "" {
		p.Fields = append(p.Fields, &caseworkv1.DocumentField{Label: label, Value: value})
	}
}

// Write writes a document of the case as it stands; the case is left as it is. What is
// masked in it is masked in the document.
func Write(c *caseworkv1.Case, r Request) (*caseworkv1.CaseDocument, error) {
	f, ok := forms[r.Kind]
	if !ok || c.GetSubmitTime() == nil || c.GetState() == caseworkv1.CaseState_CASE_STATE_VOIDED {
		return nil, ErrNotDue
	}
	no := c.GetName()[strings.LastIndexByte(c.GetName(), '/')+1:]
	p := &paper{Case: c, No: no + "-" + f.mark, Addressee: c.GetApplicant().GetDisplayName(), Accepted: day(c.GetAcceptTime()), Decided: day(c.GetDecision().GetDecideTime())}
	p.line("办件编号", no)
	p.line("申请事项", c.GetItemTitle())
	p.line("申请内容", c.GetSubject())
	p.line("申请日期", day(c.GetSubmitTime()))
	if !f.fill(p, r) {
		return nil, ErrNotDue
	}
	if p.serial > 0 {
		p.No = fmt.Sprintf("%s%d", p.No, p.serial)
	}
	p.Date = day(p.issued)
	var body, text strings.Builder
	if err := templates.ExecuteTemplate(&body, f.body+".tmpl", p); err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	p.Body = strings.TrimSpace(body.String())
	if err := templates.ExecuteTemplate(&text, "frame.tmpl", p); err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	return &caseworkv1.CaseDocument{
		Case: c.GetName(), Kind: r.Kind, DocumentNo: p.No, Title: p.Title, Department: c.GetDepartment(), Addressee: p.Addressee,
		IssueTime: p.issued, Fields: p.Fields, Text: text.String(), LegalBasis: p.Basis, Remedies: p.Remedies,
	}, nil
}

// day is the day of a moment in China, as documents write it.
func day(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return written(workday.DateOf(t.AsTime()))
}

// dayOf is a day of the contract as documents write it.
func dayOf(s string) string {
	d, err := workday.ParseDate(s)
	if err != nil {
		return ""
	}
	return written(d)
}

func written(d workday.Date) string {
	year, month, n := d.Civil()
	return fmt.Sprintf("%d年%d月%d日", year, month, n)
}

// moment is a moment in China to the minute.
func moment(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	local := t.AsTime().In(workday.Zone)
	return day(t) + local.Format(time.TimeOnly)[:5]
}
