package hub

import (
	"io/fs"

	"github.com/onehall/onehall/services/hub/internal/store"
)

// Migrations are the service's tables, for a deployment that applies them before it
// starts.
var Migrations fs.FS = store.Migrations
