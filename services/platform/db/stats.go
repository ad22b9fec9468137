package db

import "sync/atomic"

// Stats counts what the writers did since the database was opened.
type Stats struct {
	// Writes is how many calls of Write ended, well or not; Refused how many of them
	// were not even queued.
	Writes, Refused int64
	// Commits and Rollbacks count transactions. Writes over Commits is what group
	// commit gains.
	Commits, Rollbacks int64
	// Retries counts transactions tried again because a concurrent one stood in the way.
	Retries int64
	// Unknown counts commits of which nobody knows whether they took effect.
	Unknown int64
	// LargestBatch is the most writes that shared one commit.
	LargestBatch int64
	// Waiting is how many writes are queued now.
	Waiting int64
}

type counters struct {
	writes, refused, commits, rollbacks, retries, unknown, largest atomic.Int64
}

// Stats is the counters now.
func (d *DB) Stats() Stats {
	s := Stats{
		Writes: d.stats.writes.Load(), Refused: d.stats.refused.Load(),
		Commits: d.stats.commits.Load(), Rollbacks: d.stats.rollbacks.Load(),
		Retries: d.stats.retries.Load(), Unknown: d.stats.unknown.Load(),
		LargestBatch: d.stats.largest.Load(),
	}
	for _, w := range d.writers {
		s.Waiting += int64(w.waiting())
	}
	return s
}

func (c *counters) batch(n int) {
	for {
		old := c.largest.Load()
		if int64(n) <= old || c.largest.CompareAndSwap(old, int64(n)) {
			return
		}
	}
}
