package feed_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// Repeated requests that share a commit with the first one see its row, but its event only
// once the commit is over. They are answered with that event all the same, and not told that
// what they asked for is there already.
func TestRepeatedInOneCommit(t *testing.T) {
	dbtest.Each(t, tables, func(t *testing.T, d *db.DB) {
		key, hash := feed.RequestKey("hall", "ada", "Create", "one"), []byte("hash")
		create := func(ctx context.Context, tx *db.Tx) error {
			if err := feed.Check(ctx, tx, key, hash); err != nil {
				return err
			}
			there := 0
			if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM effects WHERE n = 7").Scan(&there); err != nil {
				return err
			}
			if there > 0 {
				return fault.AlreadyExists.New()
			}
			e := draft("subject", 1)
			e.RequestKey, e.RequestHash = key, hash
			if _, err := feed.Append(ctx, tx, e); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "INSERT INTO effects (n, subject, sequence) VALUES (7, 'subject', 1)")
			return err
		}
		const repeats = 8
		held, free := make(chan struct{}), make(chan struct{})
		var once sync.Once
		var all sync.WaitGroup
		write := func(fn func(ctx context.Context, tx *db.Tx) error, into *error) {
			all.Go(func() { *into = d.Write(context.Background(), "key", fn) })
		}
		var gate error
		write(func(context.Context, *db.Tx) error {
			once.Do(func() { close(held) })
			<-free // the others gather behind this one, and share the next commit
			return nil
		}, &gate)
		<-held
		errs := make([]error, repeats)
		for i := range errs {
			write(create, &errs[i])
		}
		for d.Stats().Waiting < repeats {
			runtime.Gosched() // the writers are on their way
		}
		close(free)
		all.Wait()
		created, replayed := 0, 0
		for _, err := range errs {
			_, again := feed.Replayed(err)
			switch {
			case err == nil:
				created++
			case again:
				replayed++
			default:
				t.Error(fmt.Errorf("refused: %w", err))
			}
		}
		if created != 1 || replayed != repeats-1 || gate != nil {
			t.Errorf("created %d times, replayed %d, gate %v", created, replayed, gate)
		}
	})
}
