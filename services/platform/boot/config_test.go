package boot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/onehall/onehall/services/platform/boot"
)

// program is a configuration as a program would have it: the shared part
// squashed in, and a section of its own.
type program struct {
	boot.Config `koanf:",squash"`
	Casework    struct {
		Name  string            `koanf:"name"`
		Limit int               `koanf:"limit"`
		Tags  []string          `koanf:"tags"`
		Pairs map[string]string `koanf:"pairs"`
		Fine  bool              `koanf:"fine"`
	} `koanf:"casework"`
}

func defaults() *program {
	p := &program{Config: boot.DefaultConfig()}
	p.Casework.Name, p.Casework.Limit, p.Casework.Tags = "default", 1, []string{"a", "b", "c"}
	p.Casework.Pairs = map[string]string{"old": "1"}
	return p
}

func yamlFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "onehall.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLayers(t *testing.T) {
	flags := pflag.NewFlagSet("x", pflag.ContinueOnError)
	flags.String("log.level", "error", "")
	flags.String("log.format", "text", "")
	flags.StringSlice("etcd.endpoints", nil, "")
	if err := flags.Parse([]string{"--log.level=debug", "--etcd.endpoints=http://a:1,http://b:2"}); err != nil {
		t.Fatal(err)
	}
	p := defaults()
	err := boot.Load(p, boot.Sources{
		File: yamlFile(t, "cluster: file\nlog: {level: warn}\ncasework: {name: file, limit: 2, tags: [x], pairs: {new: \"2\"}}\nstop: {drain: 2s}\n"),
		Environ: []string{
			"PATH=/bin", "ONEHALL_LOG__LEVEL=info", "ONEHALL_CASEWORK__LIMIT=3", "ONEHALL_CLUSTER=env", "ONEHALL_CASEWORK__FINE=true",
			// What Kubernetes adds for a Service named onehall-gateway.
			"ONEHALL_GATEWAY_SERVICE_HOST=10.0.0.1", "ONEHALL_GATEWAY_SERVICE_PORT=80", "ONEHALL_GATEWAY_SERVICE_PORT_HTTP=80",
			"ONEHALL_GATEWAY_PORT=tcp://10.0.0.1:80", "ONEHALL_GATEWAY_PORT_80_TCP=tcp://10.0.0.1:80",
			"ONEHALL_GATEWAY_PORT_80_TCP_PROTO=tcp", "ONEHALL_GATEWAY_PORT_80_TCP_PORT=80", "ONEHALL_GATEWAY_PORT_80_TCP_ADDR=10.0.0.1",
		},
		Flags: flags,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Cluster, want.Log.Level, want.Stop.Drain = "env", "debug", 2*time.Second
	want.Etcd.Endpoints = []string{"http://a:1", "http://b:2"}
	want.Casework.Name, want.Casework.Limit, want.Casework.Tags, want.Casework.Fine = "file", 3, []string{"x"}, true
	want.Casework.Pairs = map[string]string{"new": "2"}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownKeys(t *testing.T) {
	for name, src := range map[string]boot.Sources{
		"limmit":   {File: yamlFile(t, "casework: {limmit: 3}\n"), Environ: []string{}},
		"claster":  {File: yamlFile(t, "claster: x\n"), Environ: []string{}},
		"levle":    {Environ: []string{"ONEHALL_LOG__LEVLE=info"}},
		"claster2": {Environ: []string{"ONEHALL_CLASTER2=x"}},
	} {
		err := boot.Load(defaults(), src)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	flags := pflag.NewFlagSet("x", pflag.ContinueOnError)
	flags.String("nowhere", "", "")
	if err := flags.Parse([]string{"--nowhere=1"}); err != nil {
		t.Fatal(err)
	}
	if err := boot.Load(defaults(), boot.Sources{Environ: []string{}, Flags: flags}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("flag: %v", err)
	}
	if err := boot.Load(defaults(), boot.Sources{Environ: []string{"ONEHALL_CASEWORK__LIMIT=many"}}); err == nil {
		t.Error("a word was taken for a number")
	}
	if err := boot.Load(defaults(), boot.Sources{File: "/nowhere.yaml", Environ: []string{}}); err == nil {
		t.Error("a missing file was ignored")
	}
}

func TestSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("top secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := defaults()
	err := boot.Load(p, boot.Sources{Environ: []string{"ONEHALL_AUTH__IDENTITY_SECRET=file:" + path, "ONEHALL_AUTH__CLIENT_SECRET=plain secret"}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Auth.IdentitySecret.Reveal() != "top secret" || p.Auth.ClientSecret.Reveal() != "plain secret" {
		t.Error("secrets are wrong")
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", p.Auth.IdentitySecret, "auth", p.Auth)
	fmt.Fprintf(&out, "%v %+v %#v %s", p.Auth, p.Auth, p.Auth, p.Auth.ClientSecret)
	if err := json.NewEncoder(&out).Encode(p); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "secret\"}") || strings.Contains(out.String(), "top secret") || strings.Contains(out.String(), "plain secret") {
		t.Errorf("a secret shows: %s", out.String())
	}
	if err := boot.Load(defaults(), boot.Sources{Environ: []string{"ONEHALL_AUTH__CLIENT_SECRET=file:/nowhere"}}); err == nil {
		t.Error("a missing secret file was ignored")
	}
}

func TestLogger(t *testing.T) {
	for _, bad := range []boot.LogConfig{{Level: "loud", Format: "json"}, {Level: "info", Format: "xml"}} {
		if _, err := boot.NewLogger(bad, &bytes.Buffer{}); err == nil {
			t.Errorf("accepted %+v", bad)
		}
	}
	var out bytes.Buffer
	log, err := boot.NewLogger(boot.LogConfig{Level: "warn", Format: "json"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("hidden")
	log.With("a", 1).WithGroup("g").Warn("shown\nline", "k", "v")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["msg"] != "shown\nline" || line["a"] != 1.0 {
		t.Errorf("%s: %v", out.String(), err)
	}
}
