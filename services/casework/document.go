package casework

import (
	"context"
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/document"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// GetCaseDocument writes one of the documents of a case. It names the applicant in full
// to the applicant alone; an official who needs the name asks for it and leaves a trace.
func (s *Service) GetCaseDocument(ctx context.Context, req *caseworkv1.GetCaseDocumentRequest) (*caseworkv1.CaseDocument, error) {
	return s.write(ctx, req.GetName(), document.Request{Kind: req.GetKind(), Serial: int(req.GetSerial())})
}

// PrintCaseDocument sets the same document as a PDF.
func (s *Service) PrintCaseDocument(ctx context.Context, req *caseworkv1.PrintCaseDocumentRequest) (*httpbody.HttpBody, error) {
	doc, err := s.write(ctx, req.GetName(), document.Request{Kind: req.GetKind(), Serial: int(req.GetSerial())})
	if err != nil {
		return nil, err
	}
	pdf, err := document.PDF(doc)
	if err != nil {
		return nil, err
	}
	return &httpbody.HttpBody{ContentType: "application/pdf", Data: pdf}, nil
}

func (s *Service) write(ctx context.Context, name string, r document.Request) (*caseworkv1.CaseDocument, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	_, c, seen, err := s.load(ctx, a, name)
	if err != nil {
		return nil, err
	}
	item := s.items.revision(c.GetItem(), c.GetItemRevision())
	r.Titles = map[string]string{}
	if item != nil {
		for _, m := range item.Materials {
			r.Titles[m.ID] = m.Title
		}
	}
	if !seen.asApplicant {
		c = masked(c)
	}
	doc, err := document.Write(c, r)
	if errors.Is(err, document.ErrNotDue) {
		return nil, fault.DocumentNotDue.New(fault.Field("kind"))
	}
	if err != nil {
		return nil, err
	}
	if item != nil {
		doc.DepartmentTitle = item.DepartmentTitle
	}
	archive(doc, c, item)
	return doc, nil
}

// archive writes into the document how long it is kept.
func archive(doc *caseworkv1.CaseDocument, c *caseworkv1.Case, item *rules.Item) {
	term := rules.ArchiveTerm(factsOf(c, time.Time{}), item)
	if term == rules.NoTerm {
		return
	}
	doc.ArchiveTerm = map[rules.Term]caseworkv1.ArchiveTerm{
		rules.TenYears: caseworkv1.ArchiveTerm_ARCHIVE_TERM_TEN_YEARS, rules.ThirtyYears: caseworkv1.ArchiveTerm_ARCHIVE_TERM_THIRTY_YEARS,
		rules.Permanent: caseworkv1.ArchiveTerm_ARCHIVE_TERM_PERMANENT,
	}[term]
	end := timeOf(c.GetFinish().GetFinishTime())
	if other := timeOf(c.GetEndTime()); other.After(end) {
		end = other
	}
	if last, forever := term.KeptUntil(workday.DateOf(end)); !forever {
		doc.ArchiveUntil = last.String()
	}
}
