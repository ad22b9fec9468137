package gateway

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/boot"
)

// Config is what the gateway must be told.
type Config struct {
	// Listen is the address of the public listener.
	Listen string `koanf:"listen"`
	// Cert and Key are PEM files; without them the listener is plain and belongs
	// behind a proxy that ends TLS.
	Cert string `koanf:"cert"`
	Key  string `koanf:"key"`
	// HSTS says that the public reaches us by TLS only, though we do not see it.
	HSTS bool `koanf:"hsts"`
	// Hosts are the names we are reached by; empty means any.
	Hosts []string `koanf:"hosts"`
	// AllowedOrigins are the web sites whose pages may call us, as
	// https://portal.example.gov.cn. Our own pages need no entry.
	AllowedOrigins []string `koanf:"allowed_origins"`
	// TrustedHops is how many proxies of ours stand in front and append to
	// X-Forwarded-For. 0 believes the connection only.
	TrustedHops int `koanf:"trusted_hops"`

	// MaxBody bounds a request's body in bytes.
	MaxBody int64 `koanf:"max_body"`
	// MaxUpload bounds the body of the few calls that carry a file (an item list to
	// import) in bytes; base64 makes a file a third larger.
	MaxUpload int64 `koanf:"max_upload"`
	// MaxConns and MaxConnsPerAddress bound open connections. Behind a proxy all
	// come from one address, so set the latter to 0 (no bound) there.
	MaxConns           int `koanf:"max_conns"`
	MaxConnsPerAddress int `koanf:"max_conns_per_address"`
	// MaxInFlight and MaxStreams bound requests and streams being served.
	MaxInFlight int `koanf:"max_in_flight"`
	MaxStreams  int `koanf:"max_streams"`
	// MaxTransfers bounds the files being passed on.
	MaxTransfers int `koanf:"max_transfers"`
	// RatePerSecond and RateBurst bound the requests of one address; a negative
	// rate means no bound.
	RatePerSecond float64 `koanf:"rate_per_second"`
	RateBurst     int     `koanf:"rate_burst"`

	// Timeout is a call's deadline when the caller names none.
	Timeout time.Duration `koanf:"timeout"`
	// StreamWrite is how long a client may take to read what a stream sends.
	StreamWrite time.Duration `koanf:"stream_write"`
	// Heartbeat is how often an idle stream of server-sent events shows life.
	Heartbeat time.Duration `koanf:"heartbeat"`
	// Stop bounds the graceful end.
	Stop time.Duration `koanf:"stop"`

	// Province is the division whose figures the pages show.
	Province string `koanf:"province"`
	// SignIn is where people get a token; the documentation links to it.
	SignIn string `koanf:"sign_in"`
	// PublicURL is where people reach the pages, as https://hall.example.gov.cn. With it
	// they can sign in to what is their own; without it there are only the public pages.
	PublicURL string `koanf:"public_url"`
	// ClientID is the pages' public client at the issuer; its one redirect address is
	// public_url with /login/done behind it.
	ClientID string `koanf:"client_id"`
	// CookieSecret seals the cookies of who is signed in; all replicas share it. It is no
	// key of the configuration: who makes the gateway fills it in.
	CookieSecret boot.Secret `koanf:"-"`
}

// DefaultConfig is a gateway on one machine.
func DefaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:8080", MaxBody: 1 << 20, MaxUpload: 5 << 20,
		MaxConns: 20000, MaxConnsPerAddress: 256, MaxInFlight: 1024, MaxStreams: 1000, MaxTransfers: 256,
		RatePerSecond: 200, RateBurst: 400,
		Timeout: 10 * time.Second, StreamWrite: 10 * time.Second, Heartbeat: 15 * time.Second, Stop: 20 * time.Second,
		Province: "440000", ClientID: "onehall-pages",
	}
}

// The deadlines a caller may ask for.
const (
	minTimeout = 50 * time.Millisecond
	maxTimeout = 30 * time.Second
)

// The time-outs of a connection: for the header, the whole request, the answer, and
// between two requests.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 15 * time.Second
	idleTimeout    = 60 * time.Second
	maxHeaderBytes = 16 << 10
)

func (c Config) check() error {
	if (c.Cert == "") != (c.Key == "") {
		return errors.New("gateway: cert and key belong together")
	}
	if c.MaxBody <= 0 || c.MaxUpload <= 0 || c.MaxInFlight <= 0 || c.MaxStreams <= 0 || c.MaxTransfers <= 0 || c.TrustedHops < 0 {
		return errors.New("gateway: limits must be positive")
	}
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		return fmt.Errorf("gateway: timeout must be between %v and %v", minTimeout, maxTimeout)
	}
	if c.StreamWrite <= 0 || c.Heartbeat <= 0 || c.Stop <= 0 {
		return errors.New("gateway: stream_write, heartbeat and stop must be positive")
	}
	for _, o := range c.AllowedOrigins {
		u, err := url.Parse(o)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != o || strings.Contains(o, "*") {
			return fmt.Errorf("gateway: %q is no origin (scheme://host[:port], no star)", o)
		}
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Scheme+"://"+u.Host != strings.TrimSuffix(c.PublicURL, "/") {
			return errors.New("gateway: public_url must be scheme://host[:port]")
		}
	}
	if c.SignIn != "" {
		u, err := url.Parse(c.SignIn)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" {
			return errors.New("gateway: sign_in must be a web address")
		}
	}
	return nil
}

func (c Config) tls() bool { return c.Cert != "" }
