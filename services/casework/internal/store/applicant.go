package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// Profile reads what an applicant keeps, sealed, and its sequence; 0 when it keeps nothing.
func Profile(ctx context.Context, q db.Querier, applicantKey string) (seq int64, data []byte, err error) {
	row, err := queries.New(q).GetProfile(ctx, applicantKey)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("store: profile: %w", err)
	}
	return row.Seq, row.Data, nil
}

// PutProfile writes what an applicant keeps. fault.Conflict means that it was changed
// since it was read at the sequence before.
func PutProfile(ctx context.Context, tx *db.Tx, applicantKey string, seq int64, data []byte) error {
	n, err := queries.New(tx).PutProfile(ctx, queries.PutProfileParams{ApplicantKey: applicantKey, Seq: seq, Data: data})
	if err != nil {
		return fmt.Errorf("store: put profile: %w", err)
	}
	if n != 1 {
		return fault.Conflict.New()
	}
	return nil
}

// Mandate is one mandate as stored.
type Mandate struct {
	ID string
	// Principal and Agent are the keys of both sides.
	Principal, Agent string
	// Starts, Ends and Revoked are when; Revoked is zero for never.
	Starts, Ends, Revoked, Created time.Time
	// AllCases tells that it reaches cases that the agent did not file.
	AllCases bool
	Seq      int64
	// Data names both sides and the items, sealed.
	Data []byte
}

// InsertMandate writes a new mandate.
func InsertMandate(ctx context.Context, tx *db.Tx, m Mandate) error {
	err := queries.New(tx).InsertMandate(ctx, queries.InsertMandateParams{
		ID: m.ID, PrincipalKey: m.Principal, AgentKey: m.Agent, StartsAt: db.Micros(m.Starts), EndsAt: db.Micros(m.Ends),
		CreatedAt: db.Micros(m.Created), AllCases: m.AllCases, Data: m.Data,
	})
	if err != nil {
		return fmt.Errorf("store: insert mandate: %w", err)
	}
	return nil
}

// GetMandate reads a mandate; false when there is none.
func GetMandate(ctx context.Context, q db.Querier, id string) (Mandate, bool, error) {
	row, err := queries.New(q).GetMandate(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Mandate{}, false, nil
	}
	if err != nil {
		return Mandate{}, false, fmt.Errorf("store: mandate: %w", err)
	}
	return mandateOf(row), true, nil
}

// RevokeMandate ends a mandate that was read at the sequence before seq; fault.Conflict
// means that it was changed since.
func RevokeMandate(ctx context.Context, tx *db.Tx, id string, seq int64, at time.Time) error {
	n, err := queries.New(tx).RevokeMandate(ctx, queries.RevokeMandateParams{RevokedAt: db.Micros(at), Seq: seq, ID: id})
	if err != nil {
		return fmt.Errorf("store: revoke mandate: %w", err)
	}
	if n != 1 {
		return fault.Conflict.New()
	}
	return nil
}

// StandingMandates is how many mandates of a principal hold or are still to.
func StandingMandates(ctx context.Context, q db.Querier, principal string, now time.Time) (int64, error) {
	n, err := queries.New(q).CountMandates(ctx, queries.CountMandatesParams{PrincipalKey: principal, Now: db.Micros(now)})
	if err != nil {
		return 0, fmt.Errorf("store: count mandates: %w", err)
	}
	return n, nil
}

// MandateFilter says whose mandates to list: one of Principal and Agent is given.
type MandateFilter struct {
	Principal, Agent string
	// Before is the last of the page before.
	Before Mandate
	Size   int
}

// Mandates lists the mandates that somebody gave or got, newest first.
func Mandates(ctx context.Context, q db.Querier, f MandateFilter) ([]Mandate, error) {
	before := int64(math.MaxInt64)
	if f.Before.ID != "" {
		before = db.Micros(f.Before.Created)
	}
	var rows []queries.Mandate
	var err error
	if f.Principal != "" {
		rows, err = queries.New(q).MandatesGiven(ctx, queries.MandatesGivenParams{PrincipalKey: f.Principal, BeforeTime: before, BeforeID: f.Before.ID, Size: int64(f.Size)})
	} else {
		rows, err = queries.New(q).MandatesReceived(ctx, queries.MandatesReceivedParams{AgentKey: f.Agent, BeforeTime: before, BeforeID: f.Before.ID, Size: int64(f.Size)})
	}
	if err != nil {
		return nil, fmt.Errorf("store: mandates: %w", err)
	}
	return mandatesOf(rows), nil
}

// MandatesBetween are those of a principal for an agent that hold now and reach cases
// that the agent did not file.
func MandatesBetween(ctx context.Context, q db.Querier, principal, agent string, now time.Time) ([]Mandate, error) {
	rows, err := queries.New(q).MandatesBetween(ctx, queries.MandatesBetweenParams{AgentKey: agent, PrincipalKey: principal, Now: db.Micros(now)})
	if err != nil {
		return nil, fmt.Errorf("store: mandates between: %w", err)
	}
	return mandatesOf(rows), nil
}

func mandatesOf(rows []queries.Mandate) []Mandate {
	out := make([]Mandate, len(rows))
	for i, r := range rows {
		out[i] = mandateOf(r)
	}
	return out
}

func mandateOf(r queries.Mandate) Mandate {
	m := Mandate{
		ID: r.ID, Principal: r.PrincipalKey, Agent: r.AgentKey, Starts: db.Time(r.StartsAt), Ends: db.Time(r.EndsAt),
		Created: db.Time(r.CreatedAt), AllCases: r.AllCases, Seq: r.Seq, Data: r.Data,
	}
	if r.RevokedAt != 0 {
		m.Revoked = db.Time(r.RevokedAt)
	}
	return m
}
