package catalogue

import (
	"github.com/onehall/onehall/services/platform/db"
)

// Config is what the service must be told.
type Config struct {
	// DB is where it keeps its data.
	DB db.Config `koanf:"db"`
	// PageSecret seals page tokens; all replicas share it.
	PageSecret string `koanf:"page_secret"`
}

// DefaultConfig is the configuration of a service that was told nothing.
func DefaultConfig() Config { return Config{} }
