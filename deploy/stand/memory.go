package stand

import (
	"os"
	"runtime/debug"
)

// heapGrowth is by how many percent the heap may grow before it is collected. A hall
// keeps little and makes much garbage: with Go's default of 100 collecting took an eighth
// of all work under load. Twice that halves it for a third more memory.
const heapGrowth = 200

// tuneMemory sets it for the process, unless the operator has.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
