package feed_test

import (
	"context"
	"errors"
	"testing"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/feed"
)

// A database that the disk has failed ends both who numbers and who follows: what was
// dropped is not written again, so the process must end and read the file anew.
func TestABrokenDatabaseEndsTheRun(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
	broken := errors.New("the disk has failed")
	d.Fail(broken)
	for name, run := range map[string]func(context.Context) error{
		"server": feed.NewServer(d, d.Clock(), feed.WithLog(quiet)).Run, "follower": follower(d, &played{events: story(5, 1), breaks: 1}).Run,
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(t.Context()); !errors.Is(err, broken) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}
