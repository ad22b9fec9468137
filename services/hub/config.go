package hub

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/rpc"
)

// Local is the name of the source that is the hub's own deployment.
const Local = "local"

// Config is what the service must be told.
type Config struct {
	// DB is where it keeps its data.
	DB db.Config `koanf:"-"`
	// PageSecret seals page tokens; all replicas share it. It and DB are no keys of the
	// configuration: who makes the service fills them in.
	PageSecret boot.Secret `koanf:"-"`
	// Sources are the deployments to follow; none means the hub's own, as "local".
	Sources []SourceConfig `koanf:"sources"`
	// StaleAfter is how old the news of a source may be before its figures are marked
	// stale (default 24 h).
	StaleAfter time.Duration `koanf:"stale_after"`
	// MaxAhead is how far ahead of the hub's clock the days of an event may lie before
	// it is parked as impossible (default 48 h).
	MaxAhead time.Duration `koanf:"max_ahead"`
}

// SourceConfig says how to reach one deployment. With neither Etcd nor Targets it is
// the hub's own.
type SourceConfig struct {
	// Name tells sources apart: small letters, digits and hyphens.
	Name string `koanf:"name"`
	// Divisions are the beginnings of the division codes the source may speak for, as
	// "4413" for a city with its counties; none means any. What it says of others is
	// parked.
	Divisions []string `koanf:"divisions"`
	// Etcd and Cluster find its services by discovery.
	Etcd    boot.EtcdConfig `koanf:"etcd"`
	Cluster string          `koanf:"cluster"`
	// Targets are fixed gRPC targets by role (catalogue, casework, review,
	// supervision), as "dns:///casework.huizhou.example:7443". They go before Etcd.
	Targets map[string]string `koanf:"targets"`
	// TLS is the client side of mutual TLS towards it.
	TLS rpc.TLSConfig `koanf:"tls"`
	// Auth is the hub's account at the source's issuer; empty means the hub's own.
	Auth SourceAuth `koanf:"auth"`
}

// SourceAuth is an account for the services of a source.
type SourceAuth struct {
	Issuer       string      `koanf:"issuer"`
	ClientID     string      `koanf:"client_id"`
	ClientSecret boot.Secret `koanf:"client_secret"`
	// TokenFile is a token kept fresh by something else, and wins.
	TokenFile string `koanf:"token_file"`
}

// DefaultConfig follows the hub's own deployment. The database is still to be named.
func DefaultConfig() Config {
	return Config{Sources: []SourceConfig{{Name: Local}}, StaleAfter: 24 * time.Hour, MaxAhead: 48 * time.Hour}
}

var (
	sourceName     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	divisionPrefix = regexp.MustCompile(`^[0-9]{2,6}$`)
)

// withDefaults fills in what was left out and refuses what cannot work.
func (c Config) withDefaults() (Config, error) {
	def := DefaultConfig()
	if len(c.Sources) == 0 {
		c.Sources = def.Sources
	}
	if c.StaleAfter <= 0 {
		c.StaleAfter = def.StaleAfter
	}
	if c.MaxAhead <= 0 {
		c.MaxAhead = def.MaxAhead
	}
	// A batch of a follower is a large write already. Sharing its transaction would
	// only make sources hold each other's rows.
	c.DB.NoGroup = true
	if err := c.PageSecret.Check("page_secret"); err != nil {
		return c, fmt.Errorf("hub: %w", err)
	}
	seen := map[string]bool{}
	for _, s := range c.Sources {
		if !sourceName.MatchString(s.Name) || seen[s.Name] {
			return c, fmt.Errorf("hub: source %q: the name must be of a-z, 0-9 and hyphens, and used once", s.Name)
		}
		seen[s.Name] = true
		for _, d := range s.Divisions {
			if !divisionPrefix.MatchString(d) {
				return c, fmt.Errorf("hub: source %s: %q begins no division code", s.Name, d)
			}
		}
		for role := range s.Targets {
			if _, ok := appliers[role]; !ok {
				return c, fmt.Errorf("hub: source %s: %q is no feed the hub follows", s.Name, role)
			}
		}
		if len(s.Etcd.Endpoints) > 0 && s.Cluster == "" {
			return c, fmt.Errorf("hub: source %s: its etcd is named but not its cluster", s.Name)
		}
		if s.Auth.Issuer != "" && s.Auth.ClientID == "" {
			return c, errors.New("hub: source " + s.Name + ": its issuer is named but no client id")
		}
	}
	return c, nil
}
