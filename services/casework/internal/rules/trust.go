package rules

import (
	"github.com/onehall/onehall/services/platform/fault"
)

// Trust is how far a hall may rely on a material. The numbers are those of the
// contract's enum; zero is a paper, or a file kept elsewhere.
type Trust int32

// The levels, from A to D.
const (
	// Issued by an agency, Checked at a window: usable at once.
	Issued Trust = iota + 1
	Checked
	// Uploaded must be compared with its original before it is relied upon.
	Uploaded
	// SelfMade is usable at once: who made it answers for it.
	SelfMade
)

// Source is where a material of the guide comes from. The numbers are those of the
// catalogue's enum.
type Source int32

// The sources.
const (
	SourceUnknown Source = iota
	SourceApplicant
	SourceGovernment
	SourceOther
)

// TrustAt is the level that a kept file has when it is handed in for a material of the
// guide. What an agency issued or a window checked stays so everywhere. Otherwise the
// guide decides: what the applicant makes himself and what a third party reports begins
// at D; what an agency issued once, or nobody says, is an upload whose original counts.
func TrustAt(kept Trust, source Source) Trust {
	switch {
	case kept == Issued || kept == Checked:
		return kept
	case source == SourceApplicant || source == SourceOther:
		return SelfMade
	}
	return Uploaded
}

// CheckTrust refuses to accept on a necessary material whose original nobody has seen,
// unless the guide or the hall is content with copies.
func CheckTrust(item *Item, given []Material, copies bool) error {
	if copies {
		return nil
	}
	for _, m := range item.Materials {
		if !m.Necessary || m.CopyEnough {
			continue
		}
		for _, g := range given {
			if g.ID == m.ID && g.Trust == Uploaded {
				return fault.MaterialUnverified.New(fault.Field("materials"), fault.Meta("material", m.ID), fault.Meta("title", m.Title))
			}
		}
	}
	return nil
}

// Usable reports whether a new application may rely on a kept file at once.
func (t Trust) Usable() bool { return t == Issued || t == Checked || t == SelfMade }
