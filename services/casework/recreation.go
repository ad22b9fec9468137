package casework

import (
	"context"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/db"
)

// recreated notes in a case that is accepted, or ended by its office, which earlier one it
// is the re-creation of. It is looked up here and not at the filing: there it would cost
// every applicant, and the clocks that it moves are judged from here on.
func (s *Service) recreated(ctx context.Context, c *caseworkv1.Case, before, after rules.Case) error {
	accepted := before.Accepted.IsZero() && !after.Accepted.IsZero()
	if c.GetRecreation() != nil || before.Joint || !accepted && !rules.EndedByOffice(before, after) {
		return nil
	}
	ends, err := store.OfficeEnds(ctx, s.db.Read(), c.GetApplicantKey(), c.GetItem(), before.Submitted.Add(-rules.RecreatedWithin), before.Submitted)
	if err != nil {
		return err
	}
	for _, e := range ends {
		_, earlier, err := s.stored(ctx, e.CaseNo)
		if err != nil {
			return err
		}
		if earlier != nil && rules.Recreates(appliedIn(earlier), e.Ended, appliedIn(c)) {
			c.Recreation = recreationOf(earlier, e, c)
			return nil
		}
	}
	return nil
}

// recreationOf carries the first clock on, through an earlier one that was re-created itself.
func recreationOf(earlier *caseworkv1.Case, e store.OfficeEnd, c *caseworkv1.Case) *caseworkv1.Recreation {
	first := earlier.GetRecreation()
	r := &caseworkv1.Recreation{Case: earlier.GetName(), FirstSubmitTime: earlier.GetSubmitTime(), FirstAcceptTime: earlier.GetAcceptTime()}
	if first != nil {
		r.FirstSubmitTime, r.Gaps = first.GetFirstSubmitTime(), append(r.Gaps, first.GetGaps()...)
	}
	if first.GetFirstAcceptTime() != nil {
		r.FirstAcceptTime = first.GetFirstAcceptTime()
	}
	r.Gaps = append(r.Gaps, &caseworkv1.RecreationGap{StartTime: stamp(e.Ended), EndTime: c.GetSubmitTime()})
	return r
}

func appliedIn(c *caseworkv1.Case) rules.Applied {
	a := rules.Applied{Subject: c.GetSubject(), Submitted: timeOf(c.GetSubmitTime())}
	for _, m := range c.GetMaterials() {
		a.Materials = append(a.Materials, m.GetMaterialId())
	}
	return a
}

// endedByOffice notes the end of a case in the transaction that writes it.
func endedByOffice(ctx context.Context, tx *db.Tx, c *caseworkv1.Case, before, after rules.Case) error {
	if before.Joint || !rules.EndedByOffice(before, after) {
		return nil
	}
	return store.InsertOfficeEnd(ctx, tx, c.GetApplicantKey(), c.GetItem(), store.OfficeEnd{CaseNo: lastPart(c.GetName()), Ended: after.Last})
}
