package db

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Micros is a moment as it is stored: microseconds since 1970, UTC. The zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time is the moment stored as us; 0 is the zero time.
func Time(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// idEpoch is where ids start to count, so that 43 bits of milliseconds last past 2290.
const idEpoch = 1_577_836_800_000 // 2020-01-01

// ids makes ids that rise within a process and follow the clock between processes.
// The low 20 bits start at random each millisecond, so two replicas seldom meet;
// when they do, the primary key says so and the writer tries again.
type ids struct {
	mu   sync.Mutex
	last int64
}

func (s *ids) next(now time.Time) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := (now.UnixMilli()-idEpoch)<<20 | rand.Int64N(1<<19)
	if id <= s.last {
		id = s.last + 1
	}
	s.last = id
	return id
}
