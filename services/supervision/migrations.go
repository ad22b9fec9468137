package supervision

import (
	"io/fs"

	"github.com/onehall/onehall/services/supervision/internal/store"
)

// Migrations are the service's tables, for a deployment that applies them before it
// starts.
var Migrations fs.FS = store.Migrations
