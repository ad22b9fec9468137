package fault

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	rpccode "google.golang.org/genproto/googleapis/rpc/code"
)

var update = flag.Bool("update", false, "write docs/errors.md anew instead of comparing it")

// errorsPage is the page that lists every reason.
const errorsPage = "../../../docs/errors.md"

// The generated part of the page stands between these lines.
const (
	pageBegin = "<!-- generated: go test ./services/platform/fault -run TestErrorsPage -update -->"
	pageEnd   = "<!-- end of the generated part -->"
)

// TestErrorsPage holds the documentation to the table of reasons, so that no reason is
// missing there and none is listed that does not exist any more.
func TestErrorsPage(t *testing.T) {
	raw, err := os.ReadFile(errorsPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), pageBegin)
	_, after, ok2 := strings.Cut(rest, pageEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the lines around its generated part", errorsPage)
	}
	want := before + pageBegin + "\n\n" + reasonsTable() + "\n" + pageEnd + after
	if *update {
		if err := os.WriteFile(errorsPage, []byte(want), 0o644); err != nil { //nolint:gosec // a page for everybody
			t.Fatal(err)
		}
		return
	}
	if want != string(raw) {
		t.Errorf("%s is stale; run: go test ./services/platform/fault -run TestErrorsPage -update", errorsPage)
	}
}

func reasonsTable() string {
	var b strings.Builder
	b.WriteString("| Reason | HTTP | gRPC | 中文 | English |\n|---|---|---|---|---|\n")
	for _, r := range Reasons() {
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s | %s |\n", r.Name, r.HTTP, rpccode.Code(r.Code), r.ZH, r.EN)
	}
	return b.String()
}
