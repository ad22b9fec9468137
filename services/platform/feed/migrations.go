package feed

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/onehall/onehall/services/platform/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the feed's own tables: events, cursors and what is parked.
var Migrations = func() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return sub
}()

// firstServiceVersion is the lowest version a service may give a migration; those
// below are the feed's.
const firstServiceVersion = 100

// WithMigrations joins the feed's migrations with the service's, which must be
// numbered from 00100 and lie in the root of the FS or in its directory "migrations".
func WithMigrations(service fs.FS) fs.FS { return joined{service} }

// joined lists the files of both.
type joined struct{ service fs.FS }

// Open opens a file of the one or the other.
func (j joined) Open(name string) (fs.File, error) {
	if name == "." {
		return Migrations.Open(name)
	}
	if f, err := Migrations.Open(name); err == nil {
		return f, nil
	}
	root, err := db.MigrationRoot(j.service)
	if err != nil {
		return nil, err
	}
	return root.Open(name)
}

// ReadDir lists the files of both and refuses versions of the service that are the feed's.
func (j joined) ReadDir(name string) ([]fs.DirEntry, error) {
	own, err := fs.ReadDir(Migrations, name)
	if err != nil {
		return nil, err
	}
	root, err := db.MigrationRoot(j.service)
	if err != nil {
		return nil, err
	}
	service, err := fs.ReadDir(root, name)
	if err != nil && j.service != nil {
		return nil, err
	}
	for _, e := range service {
		if path.Ext(e.Name()) != ".sql" {
			continue
		}
		number, _, _ := strings.Cut(e.Name(), "_")
		if v, err := strconv.Atoi(number); err != nil || v < firstServiceVersion {
			return nil, fmt.Errorf("feed: migration %s must be numbered from %05d", e.Name(), firstServiceVersion)
		}
	}
	all := slices.Concat(own, service)
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}
