package stand

import (
	"os"
	"runtime/debug"
)

// heapGrowth is by how many percent the heap may grow before it is collected. A hall
// keeps little and makes much garbage, so that Go's default of 100 collects several
// times a second under load: measured, an eighth of all work for some ten megabytes.
const heapGrowth = 300

// tuneMemory sets it for the process, unless the operator has.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
