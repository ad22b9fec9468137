package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onehall/onehall/services/platform/clock"
)

// DB is one service's database. It is safe for concurrent use.
type DB struct {
	cfg      Config
	clock    clock.Clock
	engine   engine
	writers  []*writer
	running  sync.WaitGroup
	turn     atomic.Uint32
	ids      ids
	inflight inflight
	stats    counters

	mu    sync.Mutex
	hooks []func()

	failOnce sync.Once
	failed   chan struct{}
	failure  error

	// forget ends the comparing with the database's clock; nil when there is none.
	forget func()
}

// Open opens the database, applies the migrations and starts the writers. A SQLite
// file that another process has open is refused. Close must be called.
func Open(ctx context.Context, cfg Config, migrations fs.FS, clk clock.Clock) (*DB, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	e, err := openEngine(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := e.migrate(ctx, migrations, !cfg.ManualMigrations); err != nil {
		return nil, errors.Join(err, e.close())
	}
	d := &DB{
		cfg: cfg, clock: clk, engine: e,
		inflight: inflight{clock: clk, starts: map[uint64]time.Time{}},
		failed:   make(chan struct{}),
	}
	d.forget = d.compareClock(ctx)
	for range cfg.Writers {
		w := newWriter(d)
		d.writers = append(d.writers, w)
		d.running.Go(w.loop)
	}
	return d, nil
}

func openEngine(ctx context.Context, cfg Config) (engine, error) {
	if cfg.Driver == SQLite {
		return openSQLite(ctx, cfg)
	}
	return openPostgres(ctx, cfg)
}

// Close lets the writes already waiting finish, refuses new ones and closes the database.
func (d *DB) Close() error {
	for _, w := range d.writers {
		w.close()
	}
	d.running.Wait()
	if d.forget != nil {
		d.forget()
	}
	if err := d.engine.close(); err != nil {
		return fmt.Errorf("db: close: %w", err)
	}
	return nil
}

// Driver is SQLite or Postgres.
func (d *DB) Driver() string { return d.cfg.Driver }

// Clock is the clock the database was opened with.
func (d *DB) Clock() clock.Clock { return d.clock }

// NextID makes an id that rises with time, for a row's primary key.
func (d *DB) NextID() int64 { return d.ids.next(d.clock.Now()) }

// Read is the pool for reading. Writing through it fails on SQLite and must not be
// done on PostgreSQL.
func (d *DB) Read() Querier { return d.engine.reader() }

// ReadTx lets fn see one state of the database in all its queries.
func (d *DB) ReadTx(ctx context.Context, fn func(q Querier) error) error {
	tx, err := d.engine.beginRead(ctx)
	if err != nil {
		return outward(err)
	}
	// A transaction that only read has nothing to commit.
	defer func() { _ = tx.Rollback() }()
	return outward(fn(tx))
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	select {
	case <-d.failed:
		return d.failure
	default:
	}
	var one int
	err := d.Read().QueryRowContext(ctx, "SELECT 1").Scan(&one)
	return outward(err)
}

// OnCommit has fn called after every commit of this process that changed something,
// in the writer's goroutine: it must not wait for anything.
func (d *DB) OnCommit(fn func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hooks = append(d.hooks, fn)
}

func (d *DB) committed() {
	d.mu.Lock()
	hooks := d.hooks
	d.mu.Unlock()
	for _, fn := range hooks {
		fn()
	}
}

// Settled is a moment such that every Write of this process whose function read the
// clock at or before it has ended. It says nothing of other processes.
func (d *DB) Settled() time.Time { return d.inflight.settled() }

// Failed is closed when the disk reported that a flush failed. What the kernel has
// then dropped it will not write again, so the process must stop, not retry; until
// it does, every Write is refused. Err says what happened.
func (d *DB) Failed() <-chan struct{} { return d.failed }

// Err is why Failed is closed, or nil.
func (d *DB) Err() error {
	select {
	case <-d.failed:
		return d.failure
	default:
		return nil
	}
}

// Fail ends all writing for good, as when the disk reported a failed flush: the writers
// call it then, and Failed and Err tell everybody else. Only the first error counts.
func (d *DB) Fail(err error) {
	d.failOnce.Do(func() {
		d.failure = err
		close(d.failed)
	})
}

// pick chooses the writer of a key, so that writes of one key queue in one line.
// Without a key the writers take turns.
func (d *DB) pick(key string) *writer {
	if len(d.writers) == 1 {
		return d.writers[0]
	}
	n := d.turn.Add(1)
	if key != "" {
		h := fnv.New32a()
		_, _ = h.Write([]byte(key)) // a hash never fails
		n = h.Sum32()
	}
	return d.writers[n%uint32(len(d.writers))]
}

var (
	_ Querier = (*sql.DB)(nil)
	_ Querier = (*sql.Tx)(nil)
	_ Querier = (*Tx)(nil)
)
