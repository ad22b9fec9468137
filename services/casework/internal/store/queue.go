package store

import (
	"context"
	"fmt"
	"time"

	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
)

// Ticket is a queue ticket as stored.
type Ticket struct {
	Blob
	Centre, Department, Holder string
	Day                        rules.Day
	// Rank is the moment by which its turn comes.
	Rank time.Time
}

// TakeNumber is the next number of a centre's day.
func TakeNumber(ctx context.Context, tx *db.Tx, centre string, day rules.Day) (int64, error) {
	n, err := queries.New(tx).TakeNumber(ctx, queries.TakeNumberParams{Centre: centre, Day: int64(day)})
	if err != nil {
		return 0, fmt.Errorf("store: number: %w", err)
	}
	return n, nil
}

// InsertTicket writes a new, waiting ticket.
func InsertTicket(ctx context.Context, tx *db.Tx, t Ticket) error {
	err := queries.New(tx).InsertTicket(ctx, queries.InsertTicketParams{
		Name: t.Name, Centre: t.Centre, Day: int64(t.Day), Department: t.Department, Rank: db.Micros(t.Rank), HolderKey: t.Holder, Data: t.Data,
	})
	if err != nil {
		return fmt.Errorf("store: insert ticket: %w", err)
	}
	return nil
}

// GetTicket reads a ticket; false when there is none.
func GetTicket(ctx context.Context, q db.Querier, name string) (Ticket, bool, error) {
	r, err := queries.New(q).GetTicket(ctx, name)
	ok, err := found("ticket", err)
	return Ticket{Blob: Blob{name, r.Seq, r.Data}, Day: rules.Day(r.Day), Rank: db.Time(r.Rank)}, ok, err
}

// SaveTicket writes a ticket that no longer waits; fault.Conflict when it was changed
// since. called is zero when it left without a call.
func SaveTicket(ctx context.Context, tx *db.Tx, b Blob, called time.Time) error {
	at := int64(0)
	if !called.IsZero() {
		at = db.Micros(called)
	}
	n, err := queries.New(tx).UpdateTicket(ctx, queries.UpdateTicketParams{CalledAt: at, Seq: b.Seq, Data: b.Data, Name: b.Name})
	return changed("save ticket", n, err)
}

// NextTicket is the ticket whose turn it is among those that wait for one of the
// departments or, when none is given, for anything; false when nobody waits.
func NextTicket(ctx context.Context, q db.Querier, centre string, day rules.Day, departments []string) (Ticket, bool, error) {
	if len(departments) == 0 {
		r, err := queries.New(q).NextTicket(ctx, queries.NextTicketParams{Centre: centre, Day: int64(day)})
		ok, err := found("next ticket", err)
		return Ticket{Blob: Blob{r.Name, r.Seq, r.Data}, Rank: db.Time(r.Rank)}, ok, err
	}
	var first Ticket
	for _, d := range departments {
		r, err := queries.New(q).NextTicketOfDepartment(ctx, queries.NextTicketOfDepartmentParams{Centre: centre, Day: int64(day), Department: d})
		ok, err := found("next ticket", err)
		if err != nil {
			return Ticket{}, false, err
		}
		if ok && (first.Name == "" || db.Time(r.Rank).Before(first.Rank)) {
			first = Ticket{Blob: Blob{r.Name, r.Seq, r.Data}, Rank: db.Time(r.Rank)}
		}
	}
	return first, first.Name != "", nil
}

// HolderWaits reports whether a person waits in a centre already.
func HolderWaits(ctx context.Context, q db.Querier, holder, centre string, day rules.Day) (bool, error) {
	n, err := queries.New(q).HolderWaits(ctx, queries.HolderWaitsParams{HolderKey: holder, Centre: centre, Day: int64(day)})
	if err != nil {
		return false, fmt.Errorf("store: holder waits: %w", err)
	}
	return n > 0, nil
}

// Ahead is how many wait before a ticket; 1000 stands for more.
func Ahead(ctx context.Context, q db.Querier, centre string, t Ticket) (int64, error) {
	n, err := queries.New(q).CountAhead(ctx, queries.CountAheadParams{Centre: centre, Day: int64(t.Day), Rank: db.Micros(t.Rank), Name: t.Name})
	if err != nil {
		return 0, fmt.Errorf("store: ahead: %w", err)
	}
	return n, nil
}

// CountCall adds a call and the seconds waited for it to a centre's day.
func CountCall(ctx context.Context, tx *db.Tx, centre string, day rules.Day, waited time.Duration) error {
	err := queries.New(tx).CountCall(ctx, queries.CountCallParams{Centre: centre, Day: int64(day), Seconds: int64(waited / time.Second)})
	if err != nil {
		return fmt.Errorf("store: count call: %w", err)
	}
	return nil
}

// CountLeaving adds somebody who left the queue to a centre's day.
func CountLeaving(ctx context.Context, tx *db.Tx, centre string, day rules.Day) error {
	if err := queries.New(tx).CountLeaving(ctx, queries.CountLeavingParams{Centre: centre, Day: int64(day)}); err != nil {
		return fmt.Errorf("store: count leaving: %w", err)
	}
	return nil
}

// CentreDay is what a centre's day adds up to.
type CentreDay struct{ Taken, Called, Gone, WaitSeconds int64 }

// DayOf reads a centre's day; all zero before anybody came.
func DayOf(ctx context.Context, q db.Querier, centre string, day rules.Day) (CentreDay, error) {
	r, err := queries.New(q).GetCentreDay(ctx, queries.GetCentreDayParams{Centre: centre, Day: int64(day)})
	_, err = found("centre day", err)
	return CentreDay(r), err
}

// Called are the tickets called last in a centre's day, newest first.
func Called(ctx context.Context, q db.Querier, centre string, day rules.Day, size int) ([][]byte, error) {
	rows, err := queries.New(q).ListCalled(ctx, queries.ListCalledParams{Centre: centre, Day: int64(day), Size: int64(size)})
	if err != nil {
		return nil, fmt.Errorf("store: called: %w", err)
	}
	return rows, nil
}
