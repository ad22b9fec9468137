package db

import (
	"errors"
	"fmt"
	"regexp"
	"time"
)

// The drivers.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Config says where a service keeps its data. The zero value of each number means
// its default.
type Config struct {
	// Driver is "sqlite" or "postgres".
	Driver string
	// DSN is the path of the file for SQLite, and a connection string or URL for PostgreSQL.
	DSN string
	// Schema is the PostgreSQL schema of the service, made when absent. SQLite has none.
	Schema string
	// Writers is how many group-commit writers run on PostgreSQL (default 4). SQLite
	// has one, because it has one write lock.
	Writers int
	// Readers bounds the connections for reading (default 8).
	Readers int
	// MaxBatch is how many waiting writes may share a commit (default 256).
	MaxBatch int
	// MaxQueue is how many writes may wait at one writer (default 4096); further ones
	// are refused at once, which is kinder than letting them time out.
	MaxQueue int
	// TxTimeout bounds one transaction, its commit included (default 10 s). It is
	// what bounds the wait for a standby that does not answer.
	TxTimeout time.Duration
	// NoGroup gives each write a transaction of its own. It exists to be measured against.
	NoGroup bool
	// ManualMigrations makes Open refuse a database whose migrations are pending
	// instead of applying them.
	ManualMigrations bool
}

var schemaName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// withDefaults checks the configuration and fills in what was left out.
func (c Config) withDefaults() (Config, error) {
	if c.DSN == "" {
		return c, errors.New("db: no DSN is configured")
	}
	switch c.Driver {
	case SQLite:
		c.Writers = 1
	case Postgres:
		if c.Schema != "" && !schemaName.MatchString(c.Schema) {
			return c, fmt.Errorf("db: schema %q is not a plain lower-case name", c.Schema)
		}
		setDefault(&c.Writers, 4)
	default:
		return c, fmt.Errorf("db: driver %q is neither %s nor %s", c.Driver, SQLite, Postgres)
	}
	setDefault(&c.Readers, 8)
	setDefault(&c.MaxBatch, 256)
	setDefault(&c.MaxQueue, 4096)
	setDefault(&c.TxTimeout, 10*time.Second)
	if c.NoGroup {
		c.MaxBatch = 1
	}
	return c, nil
}

func setDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}
