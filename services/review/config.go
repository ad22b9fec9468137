package review

import (
	"io/fs"

	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/review/internal/store"
)

// Config is what the service must be told.
type Config struct {
	// DB is where it keeps its data.
	DB db.Config `koanf:"-"`
	// PageSecret seals page tokens; all replicas share it. It and DB are no keys of the
	// configuration: who makes the service fills them in.
	PageSecret boot.Secret `koanf:"-"`
}

// Migrations are the service's tables, for a deployment that applies them before it
// starts.
var Migrations fs.FS = store.Migrations

// DefaultConfig lacks the database and the secret.
func DefaultConfig() Config { return Config{} }
