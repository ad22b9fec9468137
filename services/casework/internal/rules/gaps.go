package rules

import (
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// Gap is a material that was missing when the case was accepted.
type Gap struct {
	Material string
	// Due is the last day to bring it, Days the working days that were given for it: 0
	// where the day itself was named. Filled is when it came, zero while it is missing.
	Due    workday.Date
	Days   int
	Filled time.Time
}

// GapDue is the last day of a gap by a calendar that may be newer than the one by which it
// was told. Given days are counted anew, and a named day on which nobody works ends with
// the next working day (Civil Code Art. 203). No day comes nearer than it was told.
func GapDue(cal *workday.Calendar, division string, told time.Time, g Gap) workday.Date {
	if g.Days > 0 {
		return max(g.Due, SupplementDue(cal, division, told, g.Days))
	}
	due, _ := cal.OnOrAfter(division, g.Due)
	return due
}

// GapsTold is when the days of the gaps were told: at the acceptance, or when silence
// ended in it.
func (c Case) GapsTold() time.Time {
	if !c.Deemed.IsZero() {
		return c.Deemed
	}
	return c.Accepted
}

// CheckGaps refuses gaps that the item does not allow, that are none, or named twice.
func CheckGaps(item *Item, given []Material, gaps []Gap) error {
	seen := map[string]bool{}
	for _, g := range gaps {
		at := slices.IndexFunc(item.Materials, func(m ItemMaterial) bool { return m.ID == g.Material })
		switch {
		case at < 0:
			return fault.MaterialUnknown.New(fault.Field("gaps"))
		case seen[g.Material]:
			return fault.MaterialDuplicate.New(fault.Field("gaps"), fault.Meta("material", g.Material))
		case !item.Materials[at].GapAllowed:
			return fault.GapNotAllowed.New(fault.Field("gaps"), fault.Meta("material", g.Material))
		case slices.ContainsFunc(given, func(m Material) bool { return m.ID == g.Material && (m.present() || m.Promise) }):
			return fault.InvalidArgument.New(fault.Field("gaps")) // it is there
		}
		seen[g.Material] = true
	}
	return nil
}

// gapsAdmitted asks for a day for everything that was promised for later.
func gapsAdmitted(c Case, in Input) error {
	for _, id := range c.Missing {
		if !slices.ContainsFunc(in.Gaps, func(g Gap) bool { return g.Material == id }) {
			return fault.MaterialMissing.New(fault.Field("gaps"), fault.Meta("material", id))
		}
	}
	for _, g := range in.Gaps {
		if g.Due < workday.DateOf(in.at(c.Last)) {
			return fault.InvalidArgument.New(fault.Field("gaps"))
		}
	}
	return nil
}

// gapsOpen lets come what is missing, and nothing else.
func gapsOpen(c Case, in Input) error {
	if !c.HasGaps() {
		return wrongState(c, in.Command)
	}
	for _, id := range in.Filled {
		if !slices.ContainsFunc(c.Gaps, func(g Gap) bool { return g.Material == id && g.Filled.IsZero() }) {
			return fault.MaterialUnknown.New(fault.Field("materials"), fault.Meta("material", id))
		}
	}
	return nil
}

// HasGaps reports whether materials are still missing.
func (c Case) HasGaps() bool {
	return slices.ContainsFunc(c.Gaps, func(g Gap) bool { return g.Filled.IsZero() })
}

// fill notes the gaps that were filled.
func (c *Case) fill(ids []string, at time.Time) {
	for i := range c.Gaps {
		if c.Gaps[i].Filled.IsZero() && slices.Contains(ids, c.Gaps[i].Material) {
			c.Gaps[i].Filled = at
		}
	}
}
