package casework

import (
	"os"
	"strings"
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/workday"
)

// TestFlowExample runs the table of docs/flows.md.
func TestFlowExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/flows.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "## A worked example")
	if !ok {
		t.Fatal("docs/flows.md has lost its example")
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
		if err != nil || len(cells) != 5 {
			t.Fatalf("row %d: %q, %v", rows, cells, err)
		}
		h.clock.Set(at)
		if c, err = h.exemplary(c, cells[1], cells[2]); err != nil {
			t.Fatalf("row %d: %s", rows, explain(err))
		}
		if now := c.GetCurrentStep(); now.GetStepId() != cells[3] || now.GetDueDate() != cells[4] {
			t.Errorf("row %d, %s: waits for %v", rows, cells[2], now)
		}
	}
	if rows != 10 || c.GetState() != caseworkv1.CaseState_CASE_STATE_FINISHED {
		t.Errorf("the example has %d rows and ends as %s", rows, c.GetState())
	}
}

// exemplary does what a row of the example says.
func (h *hall) exemplary(c *caseworkv1.Case, who, what string) (*caseworkv1.Case, error) {
	switch what {
	case "file":
		return h.file(flowItem), nil
	case "accept", "decide", "finish":
		return commands[what](as(h.t.Context(), who), h.client, c.GetName(), newID(), c.GetEtag(), nil)
	case "send_back":
		return h.flow.SendBackStep(as(h.t.Context(), who), &caseworkv1.SendBackStepRequest{
			Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Reason: "勘验照片看不清后厨，请重新勘验",
		})
	default:
		return h.take(c, what, who)
	}
}
