package casework

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
)

func TestConfigRefused(t *testing.T) {
	good := func(change func(*Config)) Config {
		c := DefaultConfig()
		c.DB = dbtest.SQLiteConfig(t)
		c.QueryCodeSecret, c.PageSecret = "query code secret of tests", "page secret of the tests"
		c.Files.Store.Dir = t.TempDir()
		change(&c)
		return c
	}
	for _, tc := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no query code secret", func(c *Config) { c.QueryCodeSecret = "" }, "query_code_secret"},
		{"short page secret", func(c *Config) { c.PageSecret = "short" }, "page_secret"},
		{"no queries at all", func(c *Config) { c.Query.PerCase = 0 }, "query.per_case"},
		{"files nowhere", func(c *Config) { c.Files.Store.Dir = "" }, "directory"},
		{"no file at all", func(c *Config) { c.Files.MaxBytes = 0 }, "max_bytes"},
		{"one file above all", func(c *Config) { c.Files.OwnerBytes = 1 }, "owner_bytes"},
		{"links of no time", func(c *Config) { c.Files.DownloadLink = 0 }, "download_link"},
		{"a past to forget", func(c *Config) { c.Files.RetentionDays = -1 }, "retention_days"},
		{"no database", func(c *Config) { c.DB = db.Config{} }, "DSN"},
	} {
		_, err := open(t.Context(), good(tc.change), parts{clock: clock.System(), log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want a word of %s", tc.name, err, tc.want)
		}
	}
}

func TestNewWithoutItsNeighbours(t *testing.T) {
	cfg := boot.DefaultConfig()
	cfg.Etcd.Endpoints = []string{"http://127.0.0.1:1"} // nobody there: services start in any order
	cfg.Auth.Issuer, cfg.Auth.ClientSecret, cfg.Auth.IdentitySecret = "http://127.0.0.1:1", "x", "identity secret of the tests"
	cfg.Discovery.CacheDir = filepath.Join(t.TempDir(), "cache")
	rt, err := boot.NewRuntime(t.Context(), cfg, boot.Params{Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	c.DB = dbtest.SQLiteConfig(t)
	c.Files.Store.Dir = t.TempDir()
	if _, err := New(t.Context(), c, rt); err == nil {
		t.Error("started without secrets")
	}
	c.QueryCodeSecret, c.PageSecret = "query code secret of tests", "page secret of the tests"
	s, err := New(t.Context(), c, rt)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Ready():
		t.Error("ready although the catalogue was never read")
	default:
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := rt.Close(); err != nil {
		t.Error(err)
	}
}
