package rules

import (
	"slices"
	"strconv"

	"github.com/onehall/onehall/services/platform/fault"
)

// undecidedEnd lets a case be finished without a decision when it goes up to the body
// that decides, or back to the applicant with the reason.
func undecidedEnd(c Case, in Input) error {
	switch in.Result {
	case ResultForwarded:
		return nil
	case ResultReturned:
		return longEnough("description", in.Reason, MinReason)
	}
	return wrongState(c, in.Command, fault.Meta("missing", Decide.String()))
}

// forwardedUp lets the upper body open its case once.
func forwardedUp(c Case, in Input) error {
	if c.Result != ResultForwarded || c.Linked {
		return wrongState(c, in.Command)
	}
	return nil
}

// revocable asks a revocation for what a denial needs, since it takes as much.
func revocable(c Case, in Input) error {
	if !c.Granted {
		return wrongState(c, in.Command)
	}
	if err := longEnough("reason", in.Reason, MinReason); err != nil {
		return err
	}
	return longEnough("remedies", in.Remedies, 4)
}

// nothingTaken lets a running case go over to a newer revision that leaves the applicant
// no worse off: what one applied under is kept for life otherwise.
func nothingTaken(c Case, in Input) error {
	if err := longEnough("reason", in.Reason, MinReason); err != nil {
		return err
	}
	if err := notJoint(c, in); err != nil {
		return err
	}
	was, becomes := in.Was, in.Becomes
	if was == nil || becomes == nil || becomes.Revision <= was.Revision || becomes.Effective.After(in.Now) {
		return fault.InvalidArgument.New(fault.Field("item_revision"))
	}
	refuse := func(what string, more ...fault.Option) error {
		return fault.RevisionTakes.New(append(more, fault.Field("item_revision"), fault.Meta("revision", strconv.Itoa(int(becomes.Revision))), fault.Meta("what", what))...)
	}
	switch a, b := was.Limits, becomes.Limits; {
	case a.Unit != b.Unit:
		return refuse("limit_unit")
	case b.Promised > a.Promised:
		return refuse("promised_limit")
	case b.Statutory > a.Statutory:
		return refuse("statutory_limit")
	case c.FourEyes && !becomes.FourEyes:
		return refuse("four_eyes") // a safeguard is not shaken off midway
	case c.FullFlow && !becomes.FullFlow:
		return refuse("full_flow")
	case !sameFlow(was.Flow, becomes.Flow):
		return refuse("flow") // nor is the case's place in its flow lost
	}
	asked := map[string]bool{}
	for _, m := range was.Materials {
		asked[m.ID] = m.Necessary
	}
	for _, m := range becomes.Materials {
		if m.Necessary && !asked[m.ID] {
			return refuse("materials")
		}
	}
	if len(in.Unfit) > 0 {
		return refuse("content", fault.Violations(in.Unfit...)) // it would have to be filled in or brought anew
	}
	return nil
}

// UnfitMaterials tells everything that a case holds, or was let go without, that another
// revision of its item would not take as it is: then the applicant would have to bring it
// anew. What was missing at acceptance stays a gap with its day, and what the revision no
// longer asks for is no harm.
func UnfitMaterials(gaps []Gap, given []Material, becomes *Item) []fault.Violation {
	var all []fault.Violation
	for _, m := range becomes.Materials {
		if slices.ContainsFunc(gaps, func(g Gap) bool { return g.Material == m.ID && g.Filled.IsZero() }) {
			continue
		}
		got := Material{ID: m.ID}
		if i := slices.IndexFunc(given, func(g Material) bool { return g.ID == m.ID }); i >= 0 {
			got = given[i]
		}
		if r := unfit(m, got); r != nil {
			all = append(all, fault.Violation{Field: "materials." + m.ID, Reason: r.Name, ZH: m.Title + "：" + r.ZH, EN: m.Title + ": " + r.EN})
		}
	}
	return all
}

// unfit is why a material would not be taken as it is; nil when it would.
func unfit(m ItemMaterial, got Material) *fault.Reason {
	switch {
	case got.Promise && !m.PromiseAllowed:
		return fault.PromiseNotAllowed
	case got.present() || got.Promise || !m.Necessary:
		return nil
	case !got.Promised:
		return fault.MaterialMissing
	case !m.GapAllowed:
		return fault.GapNotAllowed
	}
	return nil
}

// partsEnded keeps a hall from ending a joint case over the heads of its parts: each of
// them is refused or set right for itself. Only its applicant can withdraw the whole.
func partsEnded(then guard) guard {
	return func(c Case, in Input) error {
		if c.Joint && !in.AllEnded {
			return wrongState(c, in.Command, fault.Meta("missing", "children"))
		}
		return then(c, in)
	}
}

// voidable asks for a reason. A record made in error is none any more once something was
// decided on it.
func voidable(c Case, in Input) error {
	if in.Deleted && !c.DecidedAt.IsZero() {
		return wrongState(c, in.Command, fault.Meta("missing", "deleted=false"))
	}
	return longEnough("reason", in.Reason, MinReason)
}

// notJoint keeps a joint parent from being handled itself.
func notJoint(c Case, in Input) error {
	if c.Joint {
		return wrongState(c, in.Command)
	}
	return nil
}

// somethingToCollect refuses the collection of what leaves no result of its own.
func somethingToCollect(c Case, in Input) error {
	if c.Joint || c.Result == ResultForwarded {
		return wrongState(c, in.Command)
	}
	return nil
}

// licensable lets an electronic license be issued once, for what was finished with a
// certificate.
func licensable(c Case, in Input) error {
	if c.Result != ResultIssued || c.Licensed {
		return wrongState(c, in.Command)
	}
	return nil
}

// childrenEnded lets a joint parent end with the last of its children.
func childrenEnded(c Case, in Input) error {
	if !c.Joint || !in.AllEnded {
		return wrongState(c, in.Command)
	}
	return nil
}

// Ended reports a case that has come to its end, whatever that was. A paper still to be
// handed over keeps none open.
func (c Case) Ended() bool {
	switch c.State {
	case NotAccepted, Refused, Finished, Collected, Withdrawn, Lapsed, Voided, Revoked:
		return true
	}
	return false
}

// Undecided reports an application that its applicant can still withdraw.
func (c Case) Undecided() bool {
	_, can := machine[c.State][Withdraw]
	return can
}
