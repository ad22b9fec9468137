package casework

import (
	"os"
	"strings"
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/workday"
)

// TestWorkedExample runs the table of docs/casework.md.
func TestWorkedExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/casework.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "## A worked example")
	if !ok {
		t.Fatal("docs/casework.md has lost its example")
	}
	h := oneHall(t)
	var c *caseworkv1.Case
	rows := 0
	for _, line := range strings.Split(table, "\n") {
		if !strings.HasPrefix(line, "| 20") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows++
		at, err := time.ParseInLocation("2006-01-02 15:04", cells[0], workday.Zone)
		if err != nil || len(cells) != 6 {
			t.Fatalf("row %d: %q, %v", rows, cells, err)
		}
		h.clock.Set(at)
		switch what := cells[2]; what {
		case "file":
			c = h.file(promisedItem)
		case "silence":
			h.until("the law to accept the case", func() bool { return h.read(c.GetName()).GetDeemedAcceptTime() != nil })
			c = h.read(c.GetName())
		default:
			c, err = commands[what](as(t.Context(), cells[1]), h.client, c.GetName(), newID(), c.GetEtag(), nil)
			if err != nil {
				t.Fatalf("row %d: %s", rows, explain(err))
			}
		}
		state := strings.ToLower(strings.TrimPrefix(c.GetState().String(), "CASE_STATE_"))
		if state != cells[3] || c.GetAcceptanceDueDate() != cells[4] || c.GetPromisedDueDate() != cells[5] {
			t.Errorf("row %d, %s: %s, accept by %s, promised %q", rows, cells[2], state, c.GetAcceptanceDueDate(), c.GetPromisedDueDate())
		}
	}
	if rows != 10 {
		t.Errorf("the example has %d rows", rows)
	}
}
