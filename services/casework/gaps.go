package casework

import (
	"context"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// gaps are what an acceptance does without for now, each with the day it comes. What the
// applicant promised for later and with is set for has the usual limit of a supplement.
func (s *Service) gaps(t *turn, sent []*caseworkv1.MaterialGap, with bool, told time.Time) ([]rules.Gap, error) {
	if len(sent) == 0 && (!with || len(t.before.Missing) == 0) {
		return nil, nil
	}
	hall := hallOf(t.c.GetName())
	out := make([]rules.Gap, len(sent))
	for i, g := range sent {
		out[i] = s.usualGap(g.GetMaterialId(), hall, told)
		if g.GetDueDate() == "" {
			continue
		}
		day, err := workday.ParseDate(g.GetDueDate())
		if err != nil {
			return nil, fault.InvalidArgument.New(fault.Field("gaps["+strconv.Itoa(i)+"].due_date"), fault.Cause(err))
		}
		out[i].Due, out[i].Days = day, 0
	}
	if with {
		named := slices.Clone(out)
		rest := slices.DeleteFunc(slices.Clone(t.before.Missing), func(id string) bool {
			return slices.ContainsFunc(named, func(g rules.Gap) bool { return g.Material == id })
		})
		out = append(out, s.usualGaps(rest, hall, told)...)
	}
	item, err := s.itemOfCase(t.c)
	if err != nil {
		return nil, err
	}
	return out, rules.CheckGaps(item, plainMaterials(t.c.GetMaterials()), out)
}

// usualGap gives a material the usual limit of a supplement.
func (s *Service) usualGap(material, hall string, told time.Time) rules.Gap {
	book := s.almanac.Book()
	days := book.Policy(hall, workday.DateOf(told)).SupplementDays
	return rules.Gap{Material: material, Due: rules.SupplementDue(book.Calendar, hall, told, days), Days: days}
}

// usualGaps gives what is missing the usual limit of a supplement.
func (s *Service) usualGaps(missing []string, hall string, told time.Time) []rules.Gap {
	var out []rules.Gap
	for _, id := range missing {
		out = append(out, s.usualGap(id, hall, told))
	}
	return out
}

// accepted writes the gaps of an acceptance into the case.
func (s *Service) accepted(c *caseworkv1.Case, f rules.Case) {
	if len(f.Gaps) == 0 {
		return
	}
	item := s.items.revision(c.GetItem(), c.GetItemRevision())
	for _, g := range f.Gaps {
		gap := &caseworkv1.MaterialGap{MaterialId: g.Material, DueDate: g.Due.String(), LimitDays: int32(g.Days)}
		if item != nil {
			for _, m := range item.Materials {
				if m.ID == g.Material {
					gap.DisplayName = m.Title
				}
			}
		}
		c.Gaps = append(c.Gaps, gap)
	}
}

// filling are the open gaps of a case that materials fill: a further promise does not.
func filling(c *caseworkv1.Case, brought []*caseworkv1.CaseMaterial) []string {
	var ids []string
	for _, g := range c.GetGaps() {
		if g.GetFillTime() == nil && slices.ContainsFunc(brought, func(m *caseworkv1.CaseMaterial) bool {
			return m.GetMaterialId() == g.GetMaterialId() && (m.GetSha256() != "" || m.GetMaterial() != "" || m.GetPaper() || m.GetPromise() != nil)
		}) {
			ids = append(ids, g.GetMaterialId())
		}
	}
	return ids
}

// filled writes into the case which gaps were filled.
func filled(t *turn) {
	for i, g := range t.after.Gaps {
		t.c.Gaps[i].FillTime = stamp(g.Filled)
	}
}

// FillGap takes in a material that was missing when the case was accepted.
func (s *Service) FillGap(ctx context.Context, req *caseworkv1.FillGapRequest) (*caseworkv1.Case, error) {
	var all []*caseworkv1.CaseMaterial
	var by caseworkv1.Channel
	return s.perform(ctx, step{
		rpc: "FillGap", event: "case.gap_filled", command: rules.FillGap,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(t *turn) (in rules.Input, err error) {
			if by, err = channel("channel", req.GetChannel(), t.asApplicant); err != nil {
				return in, err
			}
			for i, m := range req.GetMaterials() {
				if m.GetSha256() == "" && m.GetMaterial() == "" && !m.GetPaper() && m.GetPromise() == nil {
					return in, fault.MaterialMissing.New(fault.Field("materials["+strconv.Itoa(i)+"]"), fault.Meta("material", m.GetMaterialId()))
				}
				in.Filled = append(in.Filled, m.GetMaterialId())
			}
			if t.before.HasGaps() {
				all, err = s.merged(ctx, t.c, req.GetMaterials(), t.asApplicant)
			}
			return in, err
		},
		effect: func(t *turn) {
			t.c.Materials = all
			filled(t)
			if t.c.LastChannel = by; by == caseworkv1.Channel_CHANNEL_WINDOW {
				t.c.Visits++
			}
		},
		files: true,
	})
}

// signed checks a promise that is to stand for a proof. On paper it is signed at a window.
func (s *Service) signed(p *caseworkv1.MaterialPromise, asApplicant bool) error {
	text, err := reason("promise.statement", p.GetStatement(), 2000)
	switch {
	case err != nil:
		return err
	case utf8.RuneCountInString(text) < rules.MinReason:
		return fault.ReasonRequired.New(fault.Field("promise.statement"), fault.Meta("min_length", strconv.Itoa(rules.MinReason)))
	case p.GetSignatureSha256() == "" && (!p.GetPaper() || asApplicant):
		return fault.FieldRequired.New(fault.Field("promise.signature_sha256"))
	}
	p.Statement, p.PromiseTime = text, stamp(s.clock.Now())
	return nil
}
