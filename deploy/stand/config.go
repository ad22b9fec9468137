// Package stand stands a hall up: it knows every role, what each must be told, and
// how one process runs one role (Serve) or all of them (Up).
package stand

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/onehall/onehall/gateway"
	"github.com/onehall/onehall/services/casework"
	"github.com/onehall/onehall/services/catalogue"
	"github.com/onehall/onehall/services/hub"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/review"
	"github.com/onehall/onehall/services/supervision"
)

// Config is everything a OneHall process may be told. A process of one role reads
// the same file as all the others and uses its own part.
type Config struct {
	boot.Config `koanf:",squash"`

	// DataDir holds the SQLite files, the issuer's key and the discovery cache.
	DataDir string `koanf:"data_dir"`
	// Storage says which database all services use: each has a file or a schema of
	// its own in it.
	Storage Storage `koanf:"storage"`
	// Roles are those that `up` runs in its process, all when empty; the others may run
	// elsewhere by `serve`, on the same etcd and issuer.
	Roles []string `koanf:"roles"`
	// Listen is the gRPC address by role; a free loopback port when not given.
	Listen map[string]string `koanf:"listen"`
	// PageSecret seals page tokens, QuerySecret makes the query codes of cases.
	PageSecret  boot.Secret `koanf:"page_secret"`
	QuerySecret boot.Secret `koanf:"query_secret"`
	// Issuer is the built-in issuer of `up`; `serve` has none.
	Issuer IssuerConfig `koanf:"issuer"`

	Catalogue   catalogue.Config   `koanf:"catalogue"`
	Casework    casework.Config    `koanf:"casework"`
	Supervision supervision.Config `koanf:"supervision"`
	Review      review.Config      `koanf:"review"`
	Hub         hub.Config         `koanf:"hub"`
	Gateway     gateway.Config     `koanf:"gateway"`
}

// Storage is the database of a deployment.
type Storage struct {
	// Driver is sqlite or postgres.
	Driver string `koanf:"driver"`
	// DSN is PostgreSQL's connection string; SQLite's files lie in DataDir.
	DSN boot.Secret `koanf:"dsn"`
	// Writers, Readers and NoGroup are as in db.Config.
	Writers int  `koanf:"writers"`
	Readers int  `koanf:"readers"`
	NoGroup bool `koanf:"no_group"`
	// ManualMigrations makes services refuse to start on pending migrations; then
	// `onehall migrate` applies them.
	ManualMigrations bool `koanf:"manual_migrations"`
}

// IssuerConfig is the built-in issuer.
type IssuerConfig struct {
	// Listen is its address.
	Listen string `koanf:"listen"`
}

// DefaultConfig is a hall on one machine.
func DefaultConfig() Config {
	return Config{
		Config: boot.DefaultConfig(), DataDir: "data",
		Storage: Storage{Driver: db.SQLite}, Issuer: IssuerConfig{Listen: "127.0.0.1:8081"},
		Casework: casework.DefaultConfig(), Catalogue: catalogue.DefaultConfig(), Supervision: supervision.DefaultConfig(),
		Review: review.DefaultConfig(),
		Hub:    hub.DefaultConfig(), Gateway: gateway.DefaultConfig(),
	}
}

// check refuses a configuration that would lose something only later.
func (c Config) check() error {
	for name, s := range map[string]boot.Secret{
		"auth.identity_secret": c.Auth.IdentitySecret, "page_secret": c.PageSecret, "query_secret": c.QuerySecret,
	} {
		if len(s.Reveal()) < 16 {
			return fmt.Errorf("configuration: %s must be at least 16 characters, the same in every process", name)
		}
	}
	for _, role := range c.Roles {
		if !slices.Contains(Roles(), role) {
			return fmt.Errorf("configuration: roles: there is no role %q", role)
		}
	}
	return nil
}

// storage is where a role keeps its data.
func (c Config) storage(role string) db.Config {
	out := db.Config{
		Driver: c.Storage.Driver, DSN: c.Storage.DSN.Reveal(), Schema: role,
		Writers: c.Storage.Writers, Readers: c.Storage.Readers, NoGroup: c.Storage.NoGroup,
		ManualMigrations: c.Storage.ManualMigrations,
	}
	if c.Storage.Driver == db.SQLite {
		out.DSN, out.Schema = filepath.Join(c.DataDir, role+".db"), ""
	}
	return out
}

// here are the roles that `up` runs, in the order of the data's flow.
func (c Config) here() []string {
	if len(c.Roles) == 0 {
		return Roles()
	}
	return slices.DeleteFunc(Roles(), func(role string) bool { return !slices.Contains(c.Roles, role) })
}

func (c Config) listen(role string) string {
	if addr := c.Listen[role]; addr != "" {
		return addr
	}
	return "127.0.0.1:0"
}
