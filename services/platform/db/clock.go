package db

import (
	"context"
	"net/netip"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
)

// believed refuses what would be written by a clock that cannot be believed: nothing that
// is entered can be taken back.
func (d *DB) believed() error {
	if err := clock.Doubt(d.clock); err != nil {
		return fault.ClockUnconfirmed.New(fault.Cause(err))
	}
	return nil
}

// compareClock has a guarded clock held against the database's, at once and from then on,
// until the function it returns is called. SQLite has no clock but the process's own.
func (d *DB) compareClock(ctx context.Context) (forget func()) {
	g, ok := d.clock.(*clock.Guard)
	if !ok || !d.engine.remote() {
		return nil
	}
	forget = g.Ask("database "+d.cfg.Schema, d.databaseTime)
	g.Check(ctx)
	return forget
}

// databaseTime is the time by the database's clock, and whose that is. A database on this
// machine, or one reached through a socket, reads the same clock as the process.
func (d *DB) databaseTime(ctx context.Context) (a clock.Answer, err error) {
	var address string
	err = d.Read().QueryRowContext(ctx, "SELECT clock_timestamp(), COALESCE(host(inet_server_addr()), '')").Scan(&a.Time, &address)
	a.Machine = "database " + address
	if ip, bad := netip.ParseAddr(address); bad != nil || ip.IsLoopback() {
		a.Machine = clock.ThisMachine()
	}
	return a, err
}
