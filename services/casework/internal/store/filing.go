package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// Filing is what tells an application from another of the same applicant.
type Filing struct {
	// Content is a hash of what is applied for and how; 0 for what was not filed here.
	Content int64
	At      time.Time
	// Once refuses it when the same content came in within rules.AgainWithin before. It
	// costs a look at the place in the applicant's index that the row is written to
	// anyway; numbers of other days than the window's are left out, so a draft begun
	// earlier is not found, and of an applicant with more than 200 cases in the day only
	// so many are looked at.
	Once bool
}

func (f Filing) micros() int64 {
	if f.At.IsZero() {
		return 0
	}
	return db.Micros(f.At)
}

// window is the moment after which, and the numbers between which, the same filing counts.
func (f Filing) window(hall string) (since int64, lowest, highest string) {
	if f.At.IsZero() {
		return 0, "", ""
	}
	from, lowest, highest := rules.AgainWindow(hall, f.At)
	return db.Micros(from), lowest, highest
}

// filedBefore is why a row was not written: the same was filed before, or otherwise.
func (r Row) filedBefore(ctx context.Context, q db.Querier, otherwise error) error {
	if !r.Filing.Once {
		return otherwise
	}
	since, lowest, highest := r.Filing.window(r.Hall)
	no, err := queries.New(q).FiledBefore(ctx, queries.FiledBeforeParams{
		ApplicantKey: r.ApplicantKey, Content: r.Filing.Content, Since: since, Lowest: lowest, Highest: highest,
	})
	if errors.Is(err, sql.ErrNoRows) {
		return otherwise
	}
	if err != nil {
		return fmt.Errorf("store: filed before: %w", err)
	}
	return fault.CaseDuplicate.New(fault.Field("allow_duplicate"), fault.Meta("case", "halls/"+r.Hall+"/cases/"+no))
}
