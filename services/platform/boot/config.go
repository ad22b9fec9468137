package boot

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/rpc"
)

// Config is what every OneHall process must be told. A program embeds it in its
// own configuration beside the sections of its services.
type Config struct {
	// Cluster names the deployment in discovery.
	Cluster string `koanf:"cluster"`
	// Instance tells replicas apart; empty means host name and address.
	Instance string `koanf:"instance"`
	// Advertise is the host that others reach this process by; empty means the
	// host of the listen address.
	Advertise string `koanf:"advertise"`

	Log       LogConfig       `koanf:"log"`
	Admin     AdminConfig     `koanf:"admin"`
	Etcd      EtcdConfig      `koanf:"etcd"`
	Discovery DiscoveryConfig `koanf:"discovery"`
	Auth      AuthConfig      `koanf:"auth"`
	TLS       rpc.TLSConfig   `koanf:"tls"`
	Limits    rpc.Limits      `koanf:"limits"`
	Stop      StopConfig      `koanf:"stop"`
}

// AdminConfig is the operators' HTTP server.
type AdminConfig struct {
	// Listen is its address; empty means none. It shows nothing personal, but
	// it is for operators and belongs on an inner network.
	Listen string `koanf:"listen"`
}

// EtcdConfig says how to reach etcd.
type EtcdConfig struct {
	Endpoints []string      `koanf:"endpoints"`
	Username  string        `koanf:"username"`
	Password  Secret        `koanf:"password"`
	TLS       rpc.TLSConfig `koanf:"tls"`
}

// DiscoveryConfig is about finding peers.
type DiscoveryConfig struct {
	// CacheDir keeps the last known addresses for a start without etcd.
	CacheDir string `koanf:"cache_dir"`
	// Static are addresses by role for a first start without etcd.
	Static map[string][]string `koanf:"static"`
}

// AuthConfig says whose tokens are believed and how this process gets its own.
type AuthConfig struct {
	Issuer   string `koanf:"issuer"`
	JWKSURL  string `koanf:"jwks_url"`
	Audience string `koanf:"audience"`
	// IdentitySecret is the key under which identity numbers become words that
	// can be compared. Changing it cuts people off from their cases.
	IdentitySecret Secret `koanf:"identity_secret"`
	// ClientID and ClientSecret are this process's account at the issuer;
	// TokenFile is a token kept fresh by something else, and wins.
	ClientID     string `koanf:"client_id"`
	ClientSecret Secret `koanf:"client_secret"`
	TokenFile    string `koanf:"token_file"`
}

// StopConfig is about leaving.
type StopConfig struct {
	// Drain is how long a process that has deregistered goes on serving before
	// it refuses new calls: the time clients need to notice.
	Drain time.Duration `koanf:"drain"`
}

// DefaultConfig is a process on one machine.
func DefaultConfig() Config {
	return Config{
		Cluster:   "onehall",
		Log:       LogConfig{Level: "info", Format: "json"},
		Admin:     AdminConfig{},
		Etcd:      EtcdConfig{Endpoints: []string{"http://127.0.0.1:2379"}},
		Discovery: DiscoveryConfig{},
		Auth:      AuthConfig{Audience: authn.Audience, ClientID: "onehall"},
		Limits:    rpc.DefaultLimits(),
		Stop:      StopConfig{Drain: 500 * time.Millisecond},
	}
}

// Sources are where a configuration comes from, weakest first: the values the
// destination already holds, the file, the environment, the flags.
type Sources struct {
	// File is a YAML file; empty means none.
	File string
	// Environ replaces the process's environment; for tests.
	Environ []string
	// Flags are command-line flags named as the keys ("log.level"). Only those
	// that were given count.
	Flags *pflag.FlagSet
}

// envPrefix starts the environment variables that are ours. A double underscore
// separates sections: ONEHALL_LOG__LEVEL is log.level.
const envPrefix = "ONEHALL_"

// Kubernetes writes variables of this shape into every pod for each Service in
// its namespace. A Service called onehall-gateway must not stop a process.
var foreignEnv = regexp.MustCompile(`_(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?)$`)

// Load reads a configuration into the struct that dst points to. A key that the
// struct does not have is an error with its name: a misspelt limit that is
// silently ignored is found on the day it was needed.
func Load(dst any, src Sources) error {
	k := koanf.New(".")
	if src.File != "" {
		if err := k.Load(file.Provider(src.File), yaml.Parser()); err != nil {
			return fmt.Errorf("configuration %s: %w", src.File, err)
		}
	}
	environ := src.Environ
	if environ == nil {
		environ = os.Environ()
	}
	if err := k.Load(env.Provider(".", env.Opt{
		Prefix: envPrefix, TransformFunc: envKey, EnvironFunc: func() []string { return environ },
	}), nil); err != nil {
		return fmt.Errorf("configuration from environment: %w", err)
	}
	if src.Flags != nil {
		var err error
		src.Flags.Visit(func(f *pflag.Flag) {
			if err == nil {
				err = k.Set(f.Name, flagValue(f))
			}
		})
		if err != nil {
			return fmt.Errorf("configuration from flags: %w", err)
		}
	}
	err := k.UnmarshalWithConf("", dst, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: dst, TagName: "koanf", WeaklyTypedInput: true, ErrorUnused: true,
		// Lists and maps replace the default ones instead of mixing with them.
		ZeroFields: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.TextUnmarshallerHookFunc(),
			mapstructure.StringToTimeDurationHookFunc(),
			mapstructure.StringToSliceHookFunc(","),
		),
	}})
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}

func envKey(name, value string) (string, any) {
	if !strings.Contains(name, "__") && foreignEnv.MatchString(name) {
		return "", nil
	}
	key := strings.ToLower(strings.TrimPrefix(name, envPrefix))
	return strings.ReplaceAll(key, "__", "."), value
}

func flagValue(f *pflag.Flag) any {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return f.Value.String()
}
