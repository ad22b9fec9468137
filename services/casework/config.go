package casework

import (
	"errors"
	"fmt"
	"time"

	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
)

// Config is the service's section of the configuration.
type Config struct {
	// DB is where it keeps its data.
	DB db.Config `koanf:"-"`
	// QueryCodeSecret makes the query codes of receipts. Changing it makes every code
	// that was given out useless.
	QueryCodeSecret boot.Secret `koanf:"-"`
	// PageSecret seals page tokens; all replicas share it. It and DB are no keys of the
	// configuration: who makes the service fills them in.
	PageSecret boot.Secret `koanf:"-"`
	// Query bounds how often progress may be asked for.
	Query QueryConfig `koanf:"query"`
	// Exchange is how rows of other systems are taken in.
	Exchange ExchangeConfig `koanf:"exchange"`
	// Files is about the files that people hand in.
	Files FilesConfig `koanf:"files"`
}

// ExchangeConfig is how rows of other systems are taken in.
type ExchangeConfig struct {
	// GapLimit is how long a row waits for one before it; then the case is told without.
	GapLimit time.Duration `koanf:"gap_limit"`
}

// QueryConfig bounds how often progress may be asked for. Codes cannot be guessed;
// this keeps the attempt from costing anything.
type QueryConfig struct {
	// PerCase and PerCaller are queries a minute.
	PerCase   int `koanf:"per_case"`
	PerCaller int `koanf:"per_caller"`
}

// DefaultConfig lacks the database and the secrets.
func DefaultConfig() Config {
	return Config{
		Query:    QueryConfig{PerCase: 30, PerCaller: 60},
		Exchange: ExchangeConfig{GapLimit: 72 * time.Hour},
		Files:    defaultFiles(),
	}
}

func (c Config) check() error {
	if err := errors.Join(c.QueryCodeSecret.Check("query_code_secret"), c.PageSecret.Check("page_secret")); err != nil {
		return fmt.Errorf("casework: %w", err)
	}
	if c.Query.PerCase < 1 || c.Query.PerCaller < 1 {
		return errors.New("casework: query.per_case and query.per_caller must be at least 1")
	}
	if c.Exchange.GapLimit < time.Hour {
		return errors.New("casework: exchange.gap_limit must be at least 1h")
	}
	return nil
}
