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
