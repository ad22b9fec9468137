package feed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// try appends and gives the error.
func try(d *db.DB, draft feed.Draft) error {
	return d.Write(context.Background(), draft.Subject, func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, draft)
		return err
	})
}

func TestAppendAndHistory(t *testing.T) {
	clk := clock.NewVirtual(time.Date(2026, 3, 2, 1, 0, 0, 123456789, time.UTC))
	dbtest.EachClock(t, tables, clk, func(t *testing.T, d *db.DB) {
		first := draft("a", 1)
		first.ActorDepartment, first.Detail = "halls/441300/departments/tax", wrapperspb.Int64(7)
		first.HappenedAt = clk.Now().Add(-time.Hour)
		written := []*feedv1.Event{add(t, d, first), add(t, d, draft("a", 2)), add(t, d, draft("b", 1))}
		if got := written[0].GetDetailType(); got != "google.protobuf.Int64Value" {
			t.Errorf("detail type %q", got)
		}
		// The clock stands still, yet time rises within a subject, and only there.
		a1, a2, b1 := written[0].GetEnteredAt().AsTime(), written[1].GetEnteredAt().AsTime(), written[2].GetEnteredAt().AsTime()
		if a2.Sub(a1) != time.Microsecond || !b1.Equal(a1) {
			t.Errorf("entered at %v, %v, %v", a1, a2, b1)
		}
		got, err := feed.History(t.Context(), d.Read(), "a", 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(written[:2], got, protocmp.Transform()); diff != "" {
			t.Errorf("history (-written +read):\n%s", diff)
		}
		later, err := feed.History(t.Context(), d.Read(), "a", 1, 10)
		if err != nil || len(later) != 1 || later[0].GetSequence() != 2 {
			t.Errorf("after 1: %v %v", later, err)
		}
	})
}

func TestAppendRefuses(t *testing.T) {
	request := func(s feed.Draft, id, content string) feed.Draft {
		s.RequestKey = feed.RequestKey("halls/441300", "u1", "Submit", id)
		s.RequestHash = feed.RequestHash(wrapperspb.String(content))
		return s
	}
	tests := []struct {
		name  string
		draft feed.Draft
		check func(error) bool
	}{
		{"sequence taken", draft("a", 2), func(err error) bool {
			return errors.Is(err, fault.Conflict) && fault.Of(err).Metadata()["sequence"] == "2"
		}},
		{"gap", draft("a", 4), func(err error) bool {
			return errors.Is(err, fault.Conflict) && fault.Of(err).Metadata()["sequence"] == "2"
		}},
		{"does not begin at 1", draft("c", 2), func(err error) bool {
			return errors.Is(err, fault.Conflict) && fault.Of(err).Metadata()["sequence"] == "0"
		}},
		{"same request", request(draft("a", 2), "r", "x"), func(err error) bool {
			e, ok := feed.Replayed(err)
			return ok && e.GetSubject() == "a" && e.GetSequence() == 1
		}},
		{"same request under another subject", request(draft("z", 1), "r", "x"), func(err error) bool {
			e, ok := feed.Replayed(fmt.Errorf("wrapped: %w", err))
			return ok && bytes.Equal(e.GetResource(), feed.Deterministic(wrapperspb.String("a@1")))
		}},
		{"request id used for something else", request(draft("a", 3), "r", "y"), func(err error) bool {
			return errors.Is(err, fault.RequestIDReused)
		}},
		{"no subject", draft("", 1), isPlain},
		{"no resource", feed.Draft{Subject: "q", Sequence: 1, Type: "t", Actor: "a"}, isPlain},
		{"key without hash", feed.Draft{Subject: "q", Sequence: 1, Type: "t", Actor: "a", Resource: wrapperspb.Bool(true), RequestKey: "k"}, isPlain},
	}
	dbtest.Each(t, tables, func(t *testing.T, d *db.DB) {
		add(t, d, request(draft("a", 1), "r", "x"))
		add(t, d, draft("a", 2))
		for _, tt := range tests {
			err := d.Write(t.Context(), "k", func(ctx context.Context, tx *db.Tx) error {
				_, err := feed.Append(ctx, tx, tt.draft)
				if err != nil && tx.Wrote() {
					t.Errorf("%s: counts as having written", tt.name)
				}
				return err
			})
			if !tt.check(err) {
				t.Errorf("%s: got %v", tt.name, err)
			}
		}
		counts, err := feed.Count(t.Context(), d.Read())
		if err != nil || counts.Events != 2 || counts.Subjects != 1 {
			t.Errorf("counts %+v %v", counts, err)
		}
	})
}

func isPlain(err error) bool { return err != nil && errors.Is(fault.Of(err), fault.Internal) }

// One request, sent a hundred times at once, has one effect and one answer.
func TestHundredRepetitionsOneEffect(t *testing.T) {
	dbtest.Each(t, tables, func(t *testing.T, d *db.DB) {
		key, hash := feed.RequestKey("h", "u", "m", "r"), feed.RequestHash(wrapperspb.String("x"))
		var first atomic.Int64
		answers := make([][]byte, 100)
		var group sync.WaitGroup
		for i := range answers {
			group.Go(func() {
				// Each makes its own resource, as if ids and times differed. The keys
				// differ too, so that on PostgreSQL several writers meet.
				draft := feed.Draft{Subject: fmt.Sprintf("s%d", i), Sequence: 1, Type: "t", Actor: "a",
					Resource: wrapperspb.Int64(int64(i)), RequestKey: key, RequestHash: hash}
				var made []byte
				err := d.Write(t.Context(), draft.Subject, func(ctx context.Context, tx *db.Tx) error {
					e, err := feed.Append(ctx, tx, draft)
					if err == nil {
						made = e.GetResource()
					}
					return err
				})
				if e, ok := feed.Replayed(err); ok {
					answers[i] = e.GetResource()
				} else if err != nil {
					t.Errorf("%d: %v", i, err)
				} else {
					answers[i] = made
					first.Add(1)
				}
			})
		}
		group.Wait()
		for _, a := range answers {
			if !bytes.Equal(a, answers[0]) {
				t.Fatalf("answers differ: %x and %x", answers[0], a)
			}
		}
		if first.Load() != 1 {
			t.Errorf("%d effects", first.Load())
		}
		if err := feed.Check(t.Context(), d.Read(), key, hash); !errors.As(err, new(feed.ErrReplayed)) {
			t.Errorf("check: %v", err)
		}
		if err := feed.Check(t.Context(), d.Read(), key, []byte("other")); !errors.Is(err, fault.RequestIDReused) {
			t.Errorf("check with other content: %v", err)
		}
		if err := feed.Check(t.Context(), d.Read(), "new", hash); err != nil {
			t.Errorf("check of a new one: %v", err)
		}
		if e, err := feed.ByRequest(t.Context(), d.Read(), key); err != nil || !bytes.Equal(e.GetResource(), answers[0]) {
			t.Errorf("by request: %v %v", e, err)
		}
	})
}

// Eight people act on one subject at once: each sequence is won by one of them.
func TestOneWinnerForEachSequence(t *testing.T) {
	dbtest.Each(t, tables, func(t *testing.T, d *db.DB) {
		var won atomic.Int64
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for seq := int64(1); seq <= 20; {
					err := try(d, draft("one", seq))
					switch {
					case err == nil:
						won.Add(1)
						seq++
					case errors.Is(err, fault.Conflict):
						seq++
					default:
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		if last, err := feed.LastSequence(t.Context(), d.Read(), "one"); err != nil || last != won.Load() || last != 20 {
			t.Errorf("last %d, won %d, %v", last, won.Load(), err)
		}
	})
}

func TestRequestKeyAndHash(t *testing.T) {
	if feed.RequestKey("h", "p", "m", "") != "" {
		t.Error("an empty request id has a key")
	}
	keys := map[string]bool{}
	for _, k := range [][4]string{{"h", "p", "m", "r"}, {"hp", "", "m", "r"}, {"h", "pm", "", "r"}, {"g", "p", "m", "r"}, {"h", "p", "m", "s"}} {
		keys[feed.RequestKey(k[0], k[1], k[2], k[3])] = true
	}
	if len(keys) != 5 {
		t.Errorf("%d keys of 5 requests", len(keys))
	}
	same := func(a, b proto.Message) bool { return bytes.Equal(feed.RequestHash(a), feed.RequestHash(b)) }
	page := func(after int64, size int32) *feedv1.ReadEventsRequest {
		return &feedv1.ReadEventsRequest{After: after, PageSize: size}
	}
	if !same(page(1, 2), page(1, 2)) || same(page(1, 2), page(2, 1)) {
		t.Error("the hash is not of the content")
	}
	m := map[string]any{}
	for i := range 50 {
		m[strings.Repeat("k", i+1)] = i
	}
	s, err := structpb.NewStruct(m)
	if err != nil {
		t.Fatal(err)
	}
	want := feed.RequestHash(s)
	for range 20 {
		if !bytes.Equal(want, feed.RequestHash(proto.Clone(s))) {
			t.Fatal("the hash depends on the order of a map")
		}
	}
}

func TestServiceMigrationsBelow100AreRefused(t *testing.T) {
	low := feed.WithMigrations(fstest.MapFS{"00003_mine.sql": {Data: []byte("-- +goose Up\nSELECT 1;\n")}})
	_, err := db.Open(t.Context(), dbtest.SQLiteConfig(t), low, clock.System())
	if err == nil || !strings.Contains(err.Error(), "00100") {
		t.Errorf("got %v", err)
	}
	dbtest.Open(t, dbtest.SQLiteConfig(t), feed.WithMigrations(nil), clock.System())
}
