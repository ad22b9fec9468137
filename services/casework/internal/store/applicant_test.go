package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
)

func TestProfileOnlyOverWhatWasRead(t *testing.T) {
	dbtest.Each(t, Migrations(), func(t *testing.T, d *db.DB) {
		put := func(seq int64, data string) error {
			return write(t, d, func(ctx context.Context, tx *db.Tx) error { return PutProfile(ctx, tx, "ada", seq, []byte(data)) })
		}
		for _, err := range []error{put(1, "one"), put(2, "two")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, seq := range []int64{1, 2, 4} {
			if err := put(seq, "lost"); !errors.Is(err, fault.Conflict) {
				t.Errorf("at %d: %v", seq, err)
			}
		}
		if seq, data, err := Profile(t.Context(), d.Read(), "ada"); seq != 2 || string(data) != "two" || err != nil {
			t.Errorf("%d %s %v", seq, data, err)
		}
		if seq, _, err := Profile(t.Context(), d.Read(), "bob"); seq != 0 || err != nil {
			t.Errorf("bob: %d %v", seq, err)
		}
	})
}

func TestMandates(t *testing.T) {
	dbtest.Each(t, Migrations(), func(t *testing.T, d *db.DB) {
		id := func(i int) string { return fmt.Sprintf("m%d", i) }
		for i := range 5 {
			m := Mandate{ID: id(i), Principal: "p", Agent: "a", Starts: at.Add(time.Hour), Ends: at.AddDate(1, 0, 0), Created: at.Add(time.Duration(i/2) * time.Second), AllCases: i%2 == 0, Data: []byte{byte(i)}}
			if i == 4 {
				m.Agent = "other"
			}
			if err := write(t, d, func(ctx context.Context, tx *db.Tx) error { return InsertMandate(ctx, tx, m) }); err != nil {
				t.Fatal(err)
			}
		}
		list := func(f MandateFilter) (got []string) {
			f.Size = 2
			for {
				page, err := Mandates(t.Context(), d.Read(), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range page {
					got = append(got, m.ID)
				}
				if len(page) < 2 {
					return got
				}
				f.Before = page[1]
			}
		}
		if got := list(MandateFilter{Principal: "p"}); !slices.Equal(got, []string{"m4", "m3", "m2", "m1", "m0"}) {
			t.Errorf("given %v", got)
		}
		if got := list(MandateFilter{Agent: "a"}); !slices.Equal(got, []string{"m3", "m2", "m1", "m0"}) {
			t.Errorf("received %v", got)
		}
		between := func(now time.Time) (got []string) {
			rows, err := MandatesBetween(t.Context(), d.Read(), "p", "a", now)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range rows {
				got = append(got, m.ID)
			}
			return got
		}
		if early, late, held := between(at), between(at.AddDate(1, 0, 0)), between(at.Add(time.Hour)); len(early) != 0 || len(late) != 0 || !slices.Equal(held, []string{"m2", "m0"}) {
			t.Errorf("early %v, late %v, held %v", early, late, held)
		}
		revoke := func(seq int64) error {
			return write(t, d, func(ctx context.Context, tx *db.Tx) error {
				return RevokeMandate(ctx, tx, "m2", seq, at.Add(2*time.Hour))
			})
		}
		if err := revoke(2); err != nil {
			t.Fatal(err)
		}
		if err := revoke(2); !errors.Is(err, fault.Conflict) {
			t.Errorf("again: %v", err)
		}
		if m, found, err := GetMandate(t.Context(), d.Read(), "m2"); !found || err != nil || m.Seq != 2 || !m.Revoked.Equal(at.Add(2*time.Hour)) || string(m.Data) != "\x02" {
			t.Errorf("%+v %v %v", m, found, err)
		}
		if _, found, err := GetMandate(t.Context(), d.Read(), "none"); found || err != nil {
			t.Errorf("none: %v %v", found, err)
		}
		if n, err := StandingMandates(t.Context(), d.Read(), "p", at.Add(3*time.Hour)); n != 4 || err != nil {
			t.Errorf("%d stand, %v", n, err)
		}
	})
}
