package house

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/onehall/onehall/deploy/stand"
)

// The secrets of every hall of the tests.
const (
	identitySecret = "identity secret of the tests"
	pageSecret     = "page secret of the tests"
	querySecret    = "query secret of the tests"
	serviceSecret  = "service secret of the tests"
)

// settings is one process's configuration file: JSON, which is YAML too.
func (h *House) settings(role string) (string, error) {
	c := map[string]any{
		"cluster":      "e2e",
		"data_dir":     h.dir,
		"page_secret":  pageSecret,
		"query_secret": querySecret,
		"log":          map[string]any{"level": "info", "format": "json"},
		"admin":        map[string]any{"listen": h.admin[role]},
		"auth":         map[string]any{"issuer": h.Issuer, "identity_secret": identitySecret, "client_secret": serviceSecret},
		"issuer":       map[string]any{"listen": host(h.Issuer)},
		"stop":         map[string]any{"drain": "1ms"},
		"storage":      map[string]any{"driver": h.Driver, "dsn": h.dsn},
		"listen":       h.grpc,
		// Many people speak from one address here, and one test speaks as each.
		"limits":   map[string]any{"rate_per_second": -1},
		"gateway":  map[string]any{"listen": host(h.Gateway), "rate_per_second": -1},
		"casework": map[string]any{"query": map[string]any{"per_case": 100000, "per_caller": 100000}},
	}
	if h.Shape == Split {
		c["etcd"] = map[string]any{"endpoints": []string{"http://" + h.etcd}}
		c["discovery"] = map[string]any{"cache_dir": filepath.Join(h.dir, "discovery", role)}
	}
	if h.Shape == One && role == toolName {
		// The etcd of `up` is its own; who asks from outside is told where the roles are.
		static := map[string][]string{}
		for name, addr := range h.grpc {
			static[name] = []string{addr}
		}
		c["discovery"] = map[string]any{"static": static}
	}
	maps.Copy(c, h.options.Settings)
	raw, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "", fmt.Errorf("settings: %w", err)
	}
	path := filepath.Join(h.dir, role+".yaml")
	return path, os.WriteFile(path, raw, 0o600)
}

// host takes the scheme off an address.
func host(url string) string { return url[len("http://"):] }

// grpcRoles are the roles that speak gRPC.
func grpcRoles() []string {
	var out []string
	for _, r := range stand.Roles() {
		if r != stand.Gateway {
			out = append(out, r)
		}
	}
	return out
}
