package rules

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

func guide() *Item {
	return &Item{Materials: []ItemMaterial{{ID: "m1", Title: "身份证", Necessary: true}, {ID: "m2", Title: "申请表", Necessary: true, GapAllowed: true}, {ID: "m3"}, {ID: "m4", PromiseAllowed: true}}}
}

func TestCheckMaterials(t *testing.T) {
	m := func(id, file string) Material { return Material{ID: id, SHA256: file} }
	var many []Material
	for i := range 101 {
		many = append(many, m("m1", fmt.Sprint(i)))
	}
	for _, tc := range []struct {
		name     string
		given    []Material
		complete bool
		want     *fault.Reason
	}{
		{"all", []Material{m("m1", "a"), m("m2", "b")}, true, nil},
		{"on paper", []Material{m("m1", "a"), {ID: "m2", Paper: true}}, true, nil},
		{"promised", []Material{m("m1", "a"), {ID: "m2", Promised: true}}, true, nil},
		{"a necessary one promised that may not", []Material{{ID: "m1", Promised: true}, m("m2", "b")}, true, fault.GapNotAllowed},
		{"one that is not necessary promised", []Material{m("m1", "a"), m("m2", "b"), {ID: "m3", Promised: true}}, true, nil},
		{"a promise in place of a proof", []Material{m("m1", "a"), m("m2", "b"), {ID: "m4", Promise: true}}, true, nil},
		{"a promise where none may be", []Material{m("m1", "a"), {ID: "m2", Promise: true}}, true, fault.PromiseNotAllowed},
		{"none", nil, true, fault.MaterialMissing},
		{"one missing", []Material{m("m1", "a"), m("m3", "b")}, true, fault.MaterialMissing},
		{"an empty entry", []Material{m("m1", "a"), {ID: "m2"}}, true, fault.MaterialMissing},
		{"none in a draft", nil, false, nil},
		{"unknown", []Material{m("m9", "a")}, false, fault.MaterialUnknown},
		{"one twice", []Material{m("m1", "a"), m("m1", "b")}, false, fault.MaterialDuplicate},
		{"a file twice", []Material{m("m1", "a"), m("m2", "a")}, false, fault.MaterialDuplicate},
		{"two on paper", []Material{{ID: "m1", Paper: true}, {ID: "m2", Paper: true}}, true, nil},
		{"too many", many, false, fault.TooManyMaterials},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := CheckMaterials(guide(), tc.given, tc.complete)
			if tc.want == nil && err != nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("err = %v, want %v", err, tc.want)
			}
			if errors.Is(err, fault.MaterialMissing) && fault.Of(err).Metadata()["material"] == "" {
				t.Error("the missing material is not named")
			}
		})
	}
}

func TestInForce(t *testing.T) {
	day := 24 * time.Hour
	one := &Item{Revision: 1, Effective: day0}
	two := &Item{Revision: 2, Effective: day0.Add(10 * day)}
	ends := &Item{Revision: 1, Effective: day0, LastDay: workday.DateOf(day0.Add(5 * day))}
	for _, tc := range []struct {
		name      string
		state     ItemState
		revisions []*Item
		at        time.Time
		want      *Item
	}{
		{"before the first", ItemInForce, []*Item{one, two}, day0.Add(-time.Second), nil},
		{"from the first moment", ItemInForce, []*Item{two, one}, day0, one},
		{"the second is announced", ItemInForce, []*Item{one, two}, day0.Add(9 * day), one},
		{"the second is in force", ItemInForce, []*Item{one, two}, day0.Add(10 * day), two},
		{"paused", ItemPaused, []*Item{one}, day0, nil},
		{"cancelled", ItemCancelled, []*Item{one}, day0, nil},
		{"only drafted", ItemDraft, nil, day0, nil},
		{"on the last day", ItemInForce, []*Item{ends}, day0.Add(5 * day), ends},
		{"after the last day", ItemInForce, []*Item{ends}, day0.Add(6 * day), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, InForce(tc.state, tc.revisions, tc.at)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestServiceObjects(t *testing.T) {
	for _, tc := range []struct {
		objects         []int32
		persons, bodies bool
	}{{nil, true, true}, {[]int32{1}, true, false}, {[]int32{2}, false, true}, {[]int32{1, 2, 3}, true, true}, {[]int32{6}, false, true}} {
		i := &Item{ServiceObjects: tc.objects}
		if i.ServesPersons() != tc.persons || i.ServesBodies() != tc.bodies {
			t.Errorf("%v serves persons %t, bodies %t", tc.objects, i.ServesPersons(), i.ServesBodies())
		}
	}
}

func TestCheckGaps(t *testing.T) {
	for _, tc := range []struct {
		name  string
		given []Material
		gaps  []Gap
		want  *fault.Reason
	}{
		{"none", nil, nil, nil},
		{"allowed", nil, []Gap{{Material: "m2"}}, nil},
		{"promised by the applicant", []Material{{ID: "m2", Promised: true}}, []Gap{{Material: "m2"}}, nil},
		{"not allowed", nil, []Gap{{Material: "m1"}}, fault.GapNotAllowed},
		{"unknown", nil, []Gap{{Material: "m9"}}, fault.MaterialUnknown},
		{"twice", nil, []Gap{{Material: "m2"}, {Material: "m2"}}, fault.MaterialDuplicate},
		{"there already", []Material{{ID: "m2", Paper: true}}, []Gap{{Material: "m2"}}, fault.InvalidArgument},
	} {
		if err := CheckGaps(guide(), tc.given, tc.gaps); tc.want == nil && err != nil || tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
}

// TestUnfitMaterials tells what a case holds that another revision would not take.
func TestUnfitMaterials(t *testing.T) {
	have := func(id string, change func(*Material)) Material {
		m := Material{ID: id, Paper: true}
		if change != nil {
			m.Paper = false
			change(&m)
		}
		return m
	}
	later := func(m *Material) { m.Promised = true }
	signed := func(m *Material) { m.Promise = true }
	for _, tc := range []struct {
		name  string
		gaps  []Gap
		given []Material
		want  string
	}{
		{"all there", nil, []Material{have("m1", nil), have("m2", nil)}, ""},
		{"one asked for no more", nil, []Material{have("m1", nil), have("m2", nil), have("m9", nil)}, ""},
		{"nothing there", nil, nil, "materials.m1 MATERIAL_MISSING, materials.m2 MATERIAL_MISSING"},
		{"promised where a gap is allowed", nil, []Material{have("m1", nil), have("m2", later)}, ""},
		{"promised where none is", nil, []Material{have("m1", later), have("m2", nil)}, "materials.m1 GAP_NOT_ALLOWED"},
		{"a gap admitted before", []Gap{{Material: "m1"}}, []Material{have("m1", later), have("m2", nil)}, ""},
		{"a gap that was filled does not stand for it", []Gap{{Material: "m1", Filled: time.Unix(1, 0)}}, []Material{have("m2", nil)}, "materials.m1 MATERIAL_MISSING"},
		{"a signed promise", nil, []Material{have("m1", nil), have("m2", nil), have("m4", signed)}, ""},
		{"a signed promise that is not taken", nil, []Material{have("m1", signed), have("m2", nil), have("m3", signed)}, "materials.m1 PROMISE_NOT_ALLOWED, materials.m3 PROMISE_NOT_ALLOWED"},
	} {
		var got []string
		for _, v := range UnfitMaterials(tc.gaps, tc.given, guide()) {
			got = append(got, v.Field+" "+v.Reason)
		}
		if diff := cmp.Diff(tc.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}
