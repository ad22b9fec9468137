package casework

import (
	"context"
	"errors"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/document"
	"github.com/onehall/onehall/services/platform/fault"
)

// GetCaseDocument writes one of the documents of a case. It names the applicant in full
// to the applicant alone; an official who needs the name asks for it and leaves a trace.
func (s *Service) GetCaseDocument(ctx context.Context, req *caseworkv1.GetCaseDocumentRequest) (*caseworkv1.CaseDocument, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	_, c, asApplicant, err := s.load(ctx, a, req.GetName())
	if err != nil {
		return nil, err
	}
	r := document.Request{Kind: req.GetKind(), Serial: int(req.GetSerial()), Titles: map[string]string{}}
	if item := s.items.revision(c.GetItem(), c.GetItemRevision()); item != nil {
		for _, m := range item.Materials {
			r.Titles[m.ID] = m.Title
		}
	}
	if !asApplicant {
		c = masked(c)
	}
	doc, err := document.Write(c, r)
	if errors.Is(err, document.ErrNotDue) {
		return nil, fault.DocumentNotDue.New(fault.Field("kind"))
	}
	return doc, err
}
