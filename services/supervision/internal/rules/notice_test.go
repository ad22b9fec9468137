package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMessages(t *testing.T) {
	value := func(name string) string { return "<" + name + ">" }
	for _, tc := range []struct{ message, want string }{
		{"", ""},
		{"逾期", "逾期"},
		{"$level$：$ground$", "<level>：<ground>"},
		{"$item$$rule$", "<item><rule>"},
		{"收费$$5", "收费$5"},
		{"$feedback_due_date$前", "<feedback_due_date>前"},
	} {
		if got, err := FillMessage(tc.message, value); err != nil || got != tc.want {
			t.Errorf("%q became %q, %v", tc.message, got, err)
		}
		if err := CheckMessage(tc.message); err != nil {
			t.Errorf("%q: %v", tc.message, err)
		}
	}
	for _, bad := range []string{"$", "$level", "$applicant$", "$Level$", "$ level $", "a$$$b"} {
		if CheckMessage(bad) == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if err := CheckMessage(DefaultMessage); err != nil {
		t.Error(err)
	}
	for _, name := range NoticeVariables() {
		if err := CheckMessage("$" + name + "$"); err != nil {
			t.Error(err)
		}
	}
}

// Red notices go to the recipients of yellow cards and warnings too.
func TestRecipients(t *testing.T) {
	p := Policy{Notify: map[Level][]string{Warning: {"officer"}, Yellow: {"head", "officer"}, Red: {"supervisor"}}}
	for level, want := range map[Level][]string{
		Warning: {"officer"},
		Yellow:  {"head", "officer"},
		Red:     {"supervisor", "head", "officer"},
		None:    nil,
	} {
		if diff := cmp.Diff(want, p.Recipients(level)); diff != "" {
			t.Errorf("%v: %s", level, diff)
		}
	}
	if (Policy{}).Recipients(Red) != nil {
		t.Error("nobody is to be told")
	}
}
