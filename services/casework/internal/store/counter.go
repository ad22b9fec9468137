package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// Blob is a resource of the counter as stored: its last event's sequence and its bytes.
type Blob struct {
	Name string
	Seq  int64
	Data []byte
}

// found tells nothing found from a failure.
func found(what string, err error) (bool, error) {
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	}
	return false, fmt.Errorf("store: %s: %w", what, err)
}

// changed makes fault.Conflict of a row that is no longer as it was read.
func changed(what string, n int64, err error) error {
	if err != nil {
		return fmt.Errorf("store: %s: %w", what, err)
	}
	if n != 1 {
		return fault.Conflict.New()
	}
	return nil
}

// InsertCentre writes a new centre; fault.AlreadyExists when there is one.
func InsertCentre(ctx context.Context, tx *db.Tx, name string, data []byte) error {
	n, err := queries.New(tx).InsertCentre(ctx, queries.InsertCentreParams{Name: name, Data: data})
	if err == nil && n == 0 {
		return fault.AlreadyExists.New(fault.Field("centre_id"))
	}
	return changed("insert centre", n, err)
}

// SaveCentre writes a changed centre; fault.Conflict when it was changed since.
func SaveCentre(ctx context.Context, tx *db.Tx, b Blob) error {
	n, err := queries.New(tx).UpdateCentre(ctx, queries.UpdateCentreParams{Seq: b.Seq, Data: b.Data, Name: b.Name})
	return changed("save centre", n, err)
}

// Centre reads a centre; false when there is none.
func Centre(ctx context.Context, q db.Querier, name string) (Blob, bool, error) {
	r, err := queries.New(q).GetCentre(ctx, name)
	ok, err := found("centre", err)
	return Blob{Name: name, Seq: r.Seq, Data: r.Data}, ok, err
}

// Centres lists a hall's centres behind a name, by name.
func Centres(ctx context.Context, q db.Querier, hall, after string, size int) ([]Blob, error) {
	prefix := "halls/" + hall + "/centres/"
	rows, err := queries.New(q).ListCentres(ctx, queries.ListCentresParams{After: max(after, prefix), Before: prefix + "~", Size: int64(size)})
	if err != nil {
		return nil, fmt.Errorf("store: list centres: %w", err)
	}
	out := make([]Blob, len(rows))
	for i, r := range rows {
		out[i] = Blob{Name: r.Name, Data: r.Data}
	}
	return out, nil
}

// TakeSlot takes one place of a time; false when all are taken.
func TakeSlot(ctx context.Context, tx *db.Tx, centre string, start time.Time, capacity int32) (bool, error) {
	n, err := queries.New(tx).TakeSlot(ctx, queries.TakeSlotParams{Centre: centre, StartAt: db.Micros(start), Capacity: int64(capacity)})
	if err != nil {
		return false, fmt.Errorf("store: take slot: %w", err)
	}
	return n == 1, nil
}

// GiveSlotBack gives one place of a time back.
func GiveSlotBack(ctx context.Context, tx *db.Tx, centre string, start time.Time) error {
	if err := queries.New(tx).GiveSlotBack(ctx, queries.GiveSlotBackParams{Centre: centre, StartAt: db.Micros(start)}); err != nil {
		return fmt.Errorf("store: give slot back: %w", err)
	}
	return nil
}

// Booked is how many places of a day's times are taken, by the begin in microseconds.
func Booked(ctx context.Context, q db.Querier, centre string, since, until time.Time) (map[int64]int64, error) {
	rows, err := queries.New(q).ListSlots(ctx, queries.ListSlotsParams{Centre: centre, Since: db.Micros(since), Until: db.Micros(until)})
	if err != nil {
		return nil, fmt.Errorf("store: slots: %w", err)
	}
	out := make(map[int64]int64, len(rows))
	for _, r := range rows {
		out[r.StartAt] = r.Booked
	}
	return out, nil
}

// InsertAppointment writes a new appointment.
func InsertAppointment(ctx context.Context, tx *db.Tx, b Blob, centre, holder string, start time.Time) error {
	err := queries.New(tx).InsertAppointment(ctx, queries.InsertAppointmentParams{
		Name: b.Name, Centre: centre, StartAt: db.Micros(start), HolderKey: holder, Data: b.Data,
	})
	if err != nil {
		return fmt.Errorf("store: insert appointment: %w", err)
	}
	return nil
}

// CloseAppointment writes what became of an open appointment; fault.Conflict when it was
// changed since.
func CloseAppointment(ctx context.Context, tx *db.Tx, b Blob) error {
	n, err := queries.New(tx).CloseAppointment(ctx, queries.CloseAppointmentParams{Seq: b.Seq, Data: b.Data, Name: b.Name})
	return changed("close appointment", n, err)
}

// Appointment reads an appointment; false when there is none.
func Appointment(ctx context.Context, q db.Querier, name string) (Blob, bool, error) {
	r, err := queries.New(q).GetAppointment(ctx, name)
	ok, err := found("appointment", err)
	return Blob{Name: name, Seq: r.Seq, Data: r.Data}, ok, err
}

// AppointmentFilter says which appointments of a centre to list.
type AppointmentFilter struct {
	Centre string
	// Holder restricts to one person when not empty.
	Holder string
	// AfterStart (microseconds) and AfterName are where the page before ended.
	AfterStart int64
	AfterName  string
	Until      time.Time
	Size       int
}

// AppointmentEntry is one appointment of a listing.
type AppointmentEntry struct {
	Name    string
	StartAt int64
	Data    []byte
}

// Appointments lists appointments by time.
func Appointments(ctx context.Context, q db.Querier, f AppointmentFilter) ([]AppointmentEntry, error) {
	var out []AppointmentEntry
	if f.Holder != "" {
		rows, err := queries.New(q).ListAppointmentsOfHolder(ctx, queries.ListAppointmentsOfHolderParams{
			HolderKey: f.Holder, Centre: f.Centre, Until: db.Micros(f.Until), AfterStart: f.AfterStart, AfterName: f.AfterName, Size: int64(f.Size),
		})
		if err != nil {
			return nil, fmt.Errorf("store: list appointments: %w", err)
		}
		for _, r := range rows {
			out = append(out, AppointmentEntry(r))
		}
		return out, nil
	}
	rows, err := queries.New(q).ListAppointments(ctx, queries.ListAppointmentsParams{
		Centre: f.Centre, Until: db.Micros(f.Until), AfterStart: f.AfterStart, AfterName: f.AfterName, Size: int64(f.Size),
	})
	if err != nil {
		return nil, fmt.Errorf("store: list appointments: %w", err)
	}
	for _, r := range rows {
		out = append(out, AppointmentEntry(r))
	}
	return out, nil
}

// OpenAppointments counts a person's open appointments in a centre from a moment on.
func OpenAppointments(ctx context.Context, q db.Querier, holder, centre string, since time.Time) (int64, error) {
	n, err := queries.New(q).CountOpenAppointments(ctx, queries.CountOpenAppointmentsParams{HolderKey: holder, Centre: centre, Since: db.Micros(since)})
	if err != nil {
		return 0, fmt.Errorf("store: open appointments: %w", err)
	}
	return n, nil
}

// PutCarryCode keeps a code's hash for a draft; false when it is in use for another.
func PutCarryCode(ctx context.Context, tx *db.Tx, hash, caseNo string, expires, now time.Time) (bool, error) {
	q := queries.New(tx)
	if err := q.DeleteExpiredCodes(ctx, db.Micros(now)); err != nil {
		return false, fmt.Errorf("store: expired codes: %w", err)
	}
	n, err := q.PutCarryCode(ctx, queries.PutCarryCodeParams{CodeHash: hash, CaseNo: caseNo, ExpiresAt: db.Micros(expires), Now: db.Micros(now)})
	if err != nil {
		return false, fmt.Errorf("store: carry code: %w", err)
	}
	return n == 1, nil
}

// CarryCode finds the draft of a code; false when there is none or its time is over.
func CarryCode(ctx context.Context, q db.Querier, hash string, now time.Time) (caseNo string, ok bool, err error) {
	r, err := queries.New(q).GetCarryCode(ctx, hash)
	ok, err = found("carry code", err)
	return r.CaseNo, ok && r.ExpiresAt > db.Micros(now), err
}
