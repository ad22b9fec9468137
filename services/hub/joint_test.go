package hub

import (
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// TestJointParentIsNotCounted holds the figures to the children of a joint case: counting
// the parent too would count one application twice.
func TestJointParentIsNotCounted(t *testing.T) {
	const name = "halls/441300/cases/441300260302000000017"
	for caseType, counted := range map[caseworkv1.CaseType]bool{
		caseworkv1.CaseType_CASE_TYPE_JOINT: false, caseworkv1.CaseType_CASE_TYPE_PROMISED: true, caseworkv1.CaseType_CASE_TYPE_INSTANT: true,
	} {
		c := &caseworkv1.Case{Name: name, CaseType: caseType, State: caseworkv1.CaseState_CASE_STATE_ACCEPTED}
		state, err := stateOf(time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC), &source{name: "here"}, name, c)
		if err != nil {
			t.Fatal(err)
		}
		if state.Voided == counted {
			t.Errorf("%s: counted %t", caseType, !state.Voided)
		}
	}
}
