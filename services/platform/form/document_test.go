package form

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// block is what stands between the fences of a kind in a page.
func block(t *testing.T, page, kind string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, "```json "+kind+"\n")
	text, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("the page has no %s", kind)
	}
	return text
}

// TestPage runs the worked example of docs/forms.md.
func TestPage(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/forms.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	s := compiled(t, block(t, page, "schema"))
	var values map[string]any
	if err := json.Unmarshal([]byte(block(t, page, "form")), &values); err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "| case.form") {
			want = append(want, strings.TrimSpace(line))
		}
	}
	var got []string
	for _, v := range s.Check("case.form", values, true) {
		got = append(got, "| "+strings.Join([]string{v.Field, v.Reason, v.ZH, v.EN}, " | ")+" |")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if drafted := s.Check("case.form", values, false); len(drafted) != 2 || drafted[0].Field != "case.form.household.members[2].phone" {
		t.Errorf("of a draft: %+v", drafted)
	}
	for _, word := range append(append([]string{}, Prefills...), formats...) {
		if !strings.Contains(page, "`"+word+"`") {
			t.Errorf("the page does not name %s", word)
		}
	}
}
