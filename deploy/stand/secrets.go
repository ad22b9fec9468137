package stand

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/onehall/onehall/services/platform/boot"
)

// secrets are what `up` makes up at its first start and keeps beside the data: the
// keys of people's cases must be the same after a restart.
type secrets struct {
	Identity, Page, Query, Service string
}

func loadSecrets(dir string) (secrets, error) {
	var s secrets
	path := filepath.Join(dir, "secrets.json")
	raw, err := os.ReadFile(path)
	if err == nil {
		if err := json.Unmarshal(raw, &s); err != nil {
			return s, fmt.Errorf("%s: %w", path, err)
		}
		return s, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	s = secrets{rand.Text(), rand.Text(), rand.Text(), rand.Text()}
	if raw, err = json.Marshal(s); err != nil {
		return s, err
	}
	return s, os.WriteFile(path, raw, 0o600)
}

// fill puts the secrets in where the configuration names none.
func (s secrets) fill(c *Config) {
	for _, f := range []struct {
		to   *boot.Secret
		from string
	}{
		{&c.Auth.IdentitySecret, s.Identity}, {&c.PageSecret, s.Page}, {&c.QuerySecret, s.Query}, {&c.Auth.ClientSecret, s.Service},
	} {
		if *f.to == "" {
			*f.to = boot.Secret(f.from)
		}
	}
}

// running is where a hall of `up` can be found by the program's other commands on the
// same machine.
type running struct{ Etcd, Issuer string }

func (r running) save(dir string) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "running.json"), raw, 0o600)
}

// Join fills in how to reach a hall that `up` runs on the configuration's data
// directory: its discovery, its issuer and its secrets. Where no such hall has ever
// run, the configuration stays as it is.
func Join(c *Config) error {
	raw, err := os.ReadFile(filepath.Join(c.DataDir, "running.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var r running
	if err := json.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("running.json: %w", err)
	}
	s, err := loadSecrets(c.DataDir)
	if err != nil {
		return err
	}
	s.fill(c)
	c.Etcd.Endpoints = []string{r.Etcd}
	if c.Auth.Issuer == "" {
		c.Auth.Issuer = r.Issuer
	}
	return nil
}
