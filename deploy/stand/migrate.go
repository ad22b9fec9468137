package stand

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/onehall/onehall/services/casework"
	"github.com/onehall/onehall/services/catalogue"
	"github.com/onehall/onehall/services/hub"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/review"
	"github.com/onehall/onehall/services/supervision"
)

// Migrate applies the pending migrations of every service, and tells of each.
func Migrate(ctx context.Context, c Config, done func(role string)) error {
	if c.Storage.Driver == db.SQLite {
		if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
			return err
		}
	}
	for _, s := range []struct {
		role       string
		migrations fs.FS
	}{
		{"catalogue", catalogue.Migrations}, {"casework", casework.Migrations}, {"review", review.Migrations},
		{"supervision", supervision.Migrations}, {"hub", hub.Migrations},
	} {
		if err := db.Migrate(ctx, c.storage(s.role), s.migrations); err != nil {
			return fmt.Errorf("%s: %w", s.role, err)
		}
		done(s.role)
	}
	return nil
}
