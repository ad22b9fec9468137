package catalogue

import (
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
)

// Config is what the service must be told.
type Config struct {
	// DB is where it keeps its data.
	DB db.Config `koanf:"-"`
	// PageSecret seals page tokens; all replicas share it. It and DB are no keys of the
	// configuration: who makes the service fills them in.
	PageSecret boot.Secret `koanf:"-"`
}

// DefaultConfig is the configuration of a service that was told nothing.
func DefaultConfig() Config { return Config{} }
