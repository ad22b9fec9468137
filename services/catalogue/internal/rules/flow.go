package rules

import "slices"

// ownFlow is Q14: a flow of the item's own leads to its approval and nowhere else.
func ownFlow(it *Item, r *report) {
	if len(it.Flow) == 0 {
		return
	}
	bad := func(ok bool, at int, field, zh, en string) { r.bad(ok, e("Q14", index("steps", at)+field, zh, en)) }
	bad(!it.Instant, it.Flow[0].At, "", "即办件不应自定办理流程", "an instant item has no flow of its own")
	var before, kinds []string
	for i, s := range it.Flow {
		bad(!slices.Contains(before, s.ID), s.At, ".id", "环节标识不能重复", "the id of a step is its own")
		bad(!s.ForeignHall, s.At, ".department", "办理环节的部门应当属于本大厅", "a step is taken by a department of the hall")
		for _, other := range s.FourEyes {
			bad(other != s.ID && slices.Contains(before, other), s.At, ".four_eyes", "只能要求与此前的环节由不同人办理", "four eyes are for an earlier step")
		}
		last := i == len(it.Flow)-1
		bad((s.Kind == "approve") == last, s.At, ".kind", "流程的最后一个环节、且只有它，应当是批准", "the last step, and no other, approves")
		bad(!last || !s.Optional && !s.Repeatable, s.At, "", "批准环节不能省略或者重复", "the approval is neither optional nor repeatable")
		bad(s.Kind != "accept" && s.Kind != "finish" && s.Kind != "deliver", s.At, ".kind", "受理、办结、送达不属于审批流程的环节", "accepting, finishing and delivering are no steps of the flow")
		before = append(before, s.ID)
		if !s.Optional {
			kinds = append(kinds, s.Kind)
		}
	}
	for _, kind := range []string{"undertake", "examine"} {
		bad(!it.FullFlow || slices.Contains(kinds, kind), it.Flow[0].At, "", "要求完整流程的事项应当有承办、审核环节", "a full flow undertakes and examines")
	}
}
