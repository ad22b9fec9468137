package rules

import (
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// MaxMaterials is how many materials a case may have.
const MaxMaterials = 100

// ItemState is whether an item can be applied for. The numbers are those of the
// catalogue's enum.
type ItemState int32

// The states of an item.
const (
	ItemDraft ItemState = iota + 1
	ItemInForce
	ItemPaused
	ItemCancelled
)

// ItemMaterial is a material that the guide asks for.
type ItemMaterial struct {
	ID, Title string
	Necessary bool
	// GapAllowed lets it come after acceptance, PromiseAllowed a promise stand for it.
	GapAllowed, PromiseAllowed bool
	// Source is where it comes from; CopyEnough tells that an uploaded file needs no
	// look at its original.
	Source     Source
	CopyEnough bool
	// MaxBytes is how large its file may be, 0 for what the hall allows; Kinds are the
	// kinds of file that are taken, empty for all.
	MaxBytes int64
	Kinds    []string
}

// Item is one revision of an item, as far as a case depends on it.
type Item struct {
	// Name is the item's resource name, Department that of its department.
	Name, Department string
	// DepartmentTitle is what documents call the department.
	DepartmentTitle string
	Title           string
	Revision        int32
	Instant         bool
	FullFlow        bool
	FourEyes        bool
	// ELicense tells that an electronic license follows a grant.
	ELicense bool
	Limits   Limits
	// ServiceObjects says who may apply: 1 persons, 2 to 6 kinds of legal persons; empty
	// means everybody.
	ServiceObjects []int32
	Materials      []ItemMaterial
	// FormSchema is the form to fill in, as JSON Schema; empty for none.
	FormSchema string
	// Flow is its own flow, Charged and Fees what it costs.
	Flow    []FlowStep
	Charged bool
	Fees    []ItemFee
	// Effective is from when it is in force; LastDay is the last day, zero for none.
	Effective time.Time
	LastDay   workday.Date
	// Archive is the longest term that its results name.
	Archive Term
}

// InForce finds the revision in force at a moment: the highest that has begun. It is
// nil when the item cannot be applied for then.
func InForce(state ItemState, revisions []*Item, at time.Time) *Item {
	var found *Item
	for _, r := range revisions {
		if !r.Effective.After(at) && (found == nil || r.Revision > found.Revision) {
			found = r
		}
	}
	if found == nil || state != ItemInForce || (found.LastDay != 0 && workday.DateOf(at) > found.LastDay) {
		return nil
	}
	return found
}

// ServesPersons and ServesBodies report whom the item is for.
func (i *Item) ServesPersons() bool {
	return len(i.ServiceObjects) == 0 || slices.Contains(i.ServiceObjects, 1)
}

// ServesBodies reports whether enterprises and other legal persons may apply.
func (i *Item) ServesBodies() bool {
	return len(i.ServiceObjects) == 0 || slices.ContainsFunc(i.ServiceObjects, func(o int32) bool { return o > 1 })
}

// Material is what an applicant handed in for one material of the guide.
type Material struct {
	ID     string
	SHA256 string
	// Paper tells that it came on paper, Promised that it will come later, Promise that a
	// signed promise stands for it.
	Paper, Promised, Promise bool
	// Trust is the level of a kept file.
	Trust Trust
}

// present reports whether there is anything to the entry.
func (m Material) present() bool { return m.SHA256 != "" || m.Paper }

// CheckMaterials refuses unknown materials and what is given twice; where the list has
// to be complete, also the absence of a necessary one that is not promised.
func CheckMaterials(item *Item, given []Material, complete bool) error {
	if len(given) > MaxMaterials {
		return fault.TooManyMaterials.New(fault.Field("materials"))
	}
	known := map[string]*ItemMaterial{}
	for i := range item.Materials {
		known[item.Materials[i].ID] = &item.Materials[i]
	}
	byID, files := map[string]Material{}, map[string]bool{}
	for _, m := range given {
		switch _, twice := byID[m.ID]; {
		case known[m.ID] == nil:
			return fault.MaterialUnknown.New(fault.Field("materials"))
		case m.Promised && known[m.ID].Necessary && !known[m.ID].GapAllowed && !m.present():
			return fault.GapNotAllowed.New(fault.Field("materials"), fault.Meta("material", m.ID))
		case m.Promise && !known[m.ID].PromiseAllowed:
			return fault.PromiseNotAllowed.New(fault.Field("materials"), fault.Meta("material", m.ID))
		case twice:
			return fault.MaterialDuplicate.New(fault.Field("materials"), fault.Meta("material", m.ID))
		case m.SHA256 != "" && files[m.SHA256]:
			return fault.MaterialDuplicate.New(fault.Field("materials"), fault.Meta("material", m.ID))
		}
		byID[m.ID], files[m.SHA256] = m, true
	}
	if !complete {
		return nil
	}
	for _, m := range item.Materials {
		if got := byID[m.ID]; m.Necessary && !got.present() && !got.Promised && !got.Promise {
			return fault.MaterialMissing.New(fault.Field("materials"), fault.Meta("material", m.ID), fault.Meta("title", m.Title))
		}
	}
	return nil
}
