package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
)

// progress tells how far the followers of a hall are.
type progress struct {
	// Cases are the case events.
	Cases int64
	// Behind is how many events the slowest follower still has to apply.
	Behind int64
}

// done reports that everybody knows everything.
func (p progress) done() bool { return p.Behind == 0 }

// stores reads the hall's databases beside the hall: a look, never a write.
type stores struct{ by map[string]*sql.DB }

// openStores opens the databases that say how far the followers are.
func openStores(spec hallSpec) (*stores, error) {
	s := &stores{by: map[string]*sql.DB{}}
	for _, role := range []string{"casework", "review", "supervision", "hub"} {
		if len(spec.Roles) > 0 && !slices.Contains(spec.Roles, role) {
			continue
		}
		d, err := openStore(spec, role)
		if err != nil {
			return nil, err
		}
		d.SetMaxOpenConns(1)
		s.by[role] = d
	}
	return s, nil
}

func openStore(spec hallSpec, role string) (*sql.DB, error) {
	if !spec.postgres() {
		q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)", "query_only(1)"}}
		path := filepath.Join(spec.Dir, role+".db")
		return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	}
	return sql.Open("pgx", spec.DSN+"&search_path="+role)
}

// follows are the followers that a case's events reach, each by whose feed it reads.
var follows = []struct{ follower, source string }{
	{"review", "casework"}, {"supervision", "casework"}, {"hub", "casework"}, {"hub", "supervision"}, {"hub", "review"},
}

// progress compares each follower's cursor with the end of its source's feed. The
// sources are read first, so that what is written meanwhile counts as still to come
// only at the next look.
func (s *stores) progress(ctx context.Context) (p progress, err error) {
	ends := map[string]int64{}
	for _, source := range []string{"casework", "supervision", "review"} {
		if s.by[source] == nil {
			continue
		}
		var end int64
		err := s.by[source].QueryRowContext(ctx, `SELECT COALESCE(MAX(position), 0) FROM events`).Scan(&end)
		if err != nil {
			return p, fmt.Errorf("progress of %s: %w", source, err)
		}
		ends[source] = end
	}
	p.Cases = ends["casework"]
	for _, f := range follows {
		if s.by[f.follower] == nil {
			continue
		}
		var at sql.NullInt64
		// The hub names its sources by deployment and feed.
		err := s.by[f.follower].QueryRowContext(ctx, `SELECT MAX(position) FROM cursors WHERE source = $1 OR source LIKE '%/' || $1`, f.source).Scan(&at)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return p, fmt.Errorf("progress of %s: %w", f.follower, err)
		}
		p.Behind = max(p.Behind, ends[f.source]-at.Int64)
	}
	return p, nil
}
