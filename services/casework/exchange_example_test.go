package casework

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
)

// TestExchangeExample runs what docs/exchange.md shows.
func TestExchangeExample(t *testing.T) {
	raw, err := os.ReadFile("../../docs/exchange.md")
	if err != nil {
		t.Fatal(err)
	}
	page, whole := string(raw), string(raw)
	h := oneHall(t)
	h.source(false)
	h.service.serial = func() (int, error) { return 1, nil }
	h.clock.Set(time.Date(2026, 3, 6, 4, 0, 0, 0, time.UTC))
	name := ""
	for n := range 2 {
		req, want := &caseworkv1.IngestRowsRequest{}, &caseworkv1.IngestRowsResponse{}
		page = block(t, page, "<!-- request -->", req)
		page = block(t, page, "<!-- answer -->", want)
		req.Parent = sourceName
		got, err := h.exchange.IngestRows(as(t.Context(), "front"), req)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("answer %d (-page +got):\n%s", n+1, diff)
		}
		name = got.GetResults()[0].GetCase()
	}
	if events := "`" + strings.Join(h.eventTypes(name), "`, `") + "`"; !strings.Contains(page, events) {
		t.Errorf("the page does not tell of the events %s", events)
	}
	if q := h.quality(); !strings.Contains(page, "The quality of the source is "+q.GetScore()+".") {
		t.Errorf("the page does not tell of the score %s", q.GetScore())
	}
	for _, p := range exchange.Parts {
		if !strings.Contains(whole, "| "+p.Name+" |") || !strings.Contains(whole, p.Formula) {
			t.Errorf("the page does not show how %s is reckoned", p.Name)
		}
	}
	for _, tab := range exchange.Tables() {
		if !strings.Contains(whole, "`"+tab.Name+"`") || !strings.Contains(whole, "`"+tab.Time+"`") {
			t.Errorf("the page does not show %s", tab.Name)
		}
	}
}

// block reads the JSON behind a mark and gives what is behind it.
func block(t *testing.T, page, mark string, into proto.Message) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, mark+"\n```json\n")
	text, rest, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatalf("the page has lost a block %s", mark)
	}
	if err := protojson.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
	return rest
}
