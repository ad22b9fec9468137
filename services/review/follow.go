package review

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/review/internal/rules"
	"github.com/onehall/onehall/services/review/internal/store"
)

var caseType = string((&caseworkv1.Case{}).ProtoReflect().Descriptor().FullName())

// applyCases keeps the service's copy of the cases. Each event carries the whole
// case, so of several in a batch only the last counts.
func applyCases(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
	last := map[string]*feedv1.Event{}
	for _, e := range events {
		if e.GetResourceType() == caseType {
			last[e.GetSubject()] = e
		}
	}
	cases := make([]store.Case, 0, len(last))
	for _, e := range events {
		if last[e.GetSubject()] != e {
			continue
		}
		var c caseworkv1.Case
		if err := proto.Unmarshal(e.GetResource(), &c); err != nil {
			return fmt.Errorf("case of %s: %w", e.GetSubject(), err)
		}
		if c.GetState() == caseworkv1.CaseState_CASE_STATE_DRAFT {
			continue
		}
		cases = append(cases, caseOf(&c, e.GetSequence()))
	}
	return store.SaveCases(ctx, tx, cases)
}

// caseOf reads what a review needs to know out of a case.
func caseOf(c *caseworkv1.Case, sequence int64) store.Case {
	return store.Case{
		Name: c.GetName(), Item: c.GetItem(), ItemTitle: c.GetItemTitle(), Sequence: sequence,
		Case: rules.Case{
			Hall: hallOf(c.GetName()), Department: c.GetDepartment(), ApplicantKey: c.GetApplicantKey(), Handlers: c.GetHandlers(),
			Submitted: c.GetSubmitTime() != nil,
			Accepted:  c.GetAcceptTime() != nil,
			Finished:  c.GetFinish() != nil || c.GetEndTime() != nil,
			Voided:    c.GetState() == caseworkv1.CaseState_CASE_STATE_VOIDED,
		},
	}
}

// hallOf is the hall in a resource name: halls/441300 of halls/441300/cases/….
func hallOf(name string) string {
	parts := strings.SplitN(name, "/", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + "/" + parts[1]
}

// lastPart is the id at the end of a resource name.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
