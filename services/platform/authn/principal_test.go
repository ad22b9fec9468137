package authn_test

import (
	"testing"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
)

func TestCovers(t *testing.T) {
	p := &authn.Principal{Hall: "441300", Department: "d1", IdentityKey: "k1"}
	const (
		own  = optionsv1.Scope_SCOPE_OWN
		dep  = optionsv1.Scope_SCOPE_DEPARTMENT
		hall = optionsv1.Scope_SCOPE_HALL
		all  = optionsv1.Scope_SCOPE_ALL
		zero = optionsv1.Scope_SCOPE_UNSPECIFIED
	)
	for _, tc := range []struct {
		name             string
		p                *authn.Principal
		scope            optionsv1.Scope
		hall, dep, owner string
		want             bool
	}{
		{"own", p, own, "999999", "d9", "k1", true},
		{"own of another", p, own, "441300", "d1", "k2", false},
		{"own of nobody", &authn.Principal{}, own, "", "", "", false},
		{"department", p, dep, "441300", "d1", "k2", true},
		{"other department", p, dep, "441300", "d2", "k1", false},
		{"same department id in another hall", p, dep, "440100", "d1", "", false},
		{"no department on either side", &authn.Principal{Hall: "441300"}, dep, "441300", "", "", false},
		{"hall", p, hall, "441300", "d2", "", true},
		{"other hall", p, hall, "440100", "d1", "k1", false},
		{"principal without hall", &authn.Principal{}, hall, "", "", "", false},
		{"all", p, all, "440100", "", "", true},
		{"public caller", nil, zero, "441300", "d1", "k1", false},
		{"public caller, own", nil, own, "", "", "", false},
		{"nothing granted", p, zero, "441300", "d1", "k1", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := authn.Access{Principal: tc.p, Scope: tc.scope}
			if got := a.Covers(tc.hall, tc.dep, tc.owner); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// A clerk who also applies has both reaches, each for itself; in a call about another
// hall only the own one is left, for listings too.
func TestSeveralGrants(t *testing.T) {
	clerk := &authn.Principal{Hall: "441300", Department: "d1", IdentityKey: "k1"}
	const own, dep, hall = optionsv1.Scope_SCOPE_OWN, optionsv1.Scope_SCOPE_DEPARTMENT, optionsv1.Scope_SCOPE_HALL
	a := authn.NewAccess(clerk, own, dep, own, hall)
	for what, tc := range map[string]struct {
		hall, department, owner string
		want                    bool
	}{
		"of its hall":            {"441300", "d2", "k2", true},
		"its own elsewhere":      {"440100", "d2", "k1", true},
		"of others elsewhere":    {"440100", "d1", "k2", false},
		"of nobody in its hall":  {"441300", "", "", true},
		"of nobody in elsewhere": {"440100", "", "", false},
	} {
		if got := a.Covers(tc.hall, tc.department, tc.owner); got != tc.want {
			t.Errorf("%s: %v", what, got)
		}
	}
	if a.Scope != hall {
		t.Errorf("the widest is %v", a.Scope)
	}
	if here, ok := a.Within("441300"); !ok || here.Scope != hall || !here.Covers("440100", "", "k1") {
		t.Errorf("in its hall: %v %v", here.Scope, ok)
	}
	if there, ok := a.Within("440100"); !ok || there.Scope != own || there.Covers("441300", "d1", "k2") || !there.Covers("440100", "", "k1") {
		t.Errorf("elsewhere: %v %v", there.Scope, ok)
	}
	if none, ok := authn.NewAccess(clerk, dep, hall).Within("440100"); ok || none.Scope != 0 {
		t.Errorf("elsewhere without a grant of its own: %v %v", none.Scope, ok)
	}
	if all, ok := authn.NewAccess(clerk, hall, optionsv1.Scope_SCOPE_ALL).Within("440100"); !ok || all.Scope != optionsv1.Scope_SCOPE_ALL {
		t.Errorf("everywhere: %v %v", all.Scope, ok)
	}
}

func TestIdentityKey(t *testing.T) {
	key := func(kind, number string) string { return authn.IdentityKey(secret, kind, number) }
	base := key(authn.IDTypeResident, "44010119900307001X")
	for _, same := range []string{"44010119900307001x", " 440101 19900307 001X\n", "４４０１０１１９９００３０７００１Ｘ", "440101\u300019900307001X"} {
		if key(authn.IDTypeResident, same) != base {
			t.Errorf("%q has another key", same)
		}
	}
	if key(authn.IDTypeUSCC, "44010119900307001X") == base {
		t.Error("the kind of number does not count")
	}
	if authn.IdentityKey([]byte("another secret here"), authn.IDTypeResident, "44010119900307001X") == base {
		t.Error("the secret does not count")
	}
	if key(authn.IDTypeResident, " ") != "" {
		t.Error("no number has a key")
	}
}

func TestParseRole(t *testing.T) {
	for n, name := range optionsv1.Role_name {
		role := optionsv1.Role(n)
		word := map[bool]string{true: "", false: lower(name)}[role == optionsv1.Role_ROLE_UNSPECIFIED]
		if got, ok := authn.ParseRole(word); ok != (word != "") || ok && got != role {
			t.Errorf("%s: %v %v", word, got, ok)
		}
	}
	for _, word := range []string{"unspecified", "ROLE_ADMIN", "Admin", "root"} {
		if _, ok := authn.ParseRole(word); ok {
			t.Errorf("%q is a role", word)
		}
	}
}

func lower(enum string) string {
	var b []byte
	for _, c := range []byte(enum[len("ROLE_"):]) {
		b = append(b, c|0x20)
	}
	return string(b)
}
