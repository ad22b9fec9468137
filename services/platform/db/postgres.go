package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// postgresEngine is one schema: a pool that writes and a pool that reads.
type postgresEngine struct {
	cfg     Config
	writers *sql.DB
	readers *sql.DB
}

// warnedKey marks, in a connection's own data, that the server sent a warning.
const warnedKey = "onehall.warned"

func openPostgres(ctx context.Context, cfg Config) (*postgresEngine, error) {
	e := &postgresEngine{cfg: cfg}
	limit := strconv.FormatInt(cfg.TxTimeout.Milliseconds(), 10)
	bounds := map[string]string{
		"statement_timeout": limit,
		// One that hangs in a transaction would hold back vacuum and the rows it locked.
		"idle_in_transaction_session_timeout": limit,
		"lock_timeout":                        strconv.FormatInt(min(cfg.TxTimeout, 3*time.Second).Milliseconds(), 10),
	}
	var err error
	if e.writers, err = e.pool(bounds, cfg.Writers+1); err != nil {
		return nil, err
	}
	if e.readers, err = e.pool(bounds, cfg.Readers); err != nil {
		return nil, err
	}
	if err := e.readers.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("db: connect to PostgreSQL: %w", err), e.close())
	}
	return e, nil
}

// pool opens connections with session parameters.
func (e *postgresEngine) pool(params map[string]string, size int) (*sql.DB, error) {
	cc, err := pgx.ParseConfig(e.cfg.DSN)
	if err != nil {
		// The error may repeat the connection string, password included.
		return nil, errors.New("db: the PostgreSQL DSN cannot be understood")
	}
	if cc.ConnectTimeout == 0 {
		cc.ConnectTimeout = 5 * time.Second
	}
	// A server that vanished without a word is noticed within a minute.
	cc.DialFunc = (&net.Dialer{Timeout: cc.ConnectTimeout, KeepAlive: 15 * time.Second}).DialContext
	if e.cfg.Schema != "" {
		cc.RuntimeParams["search_path"] = e.cfg.Schema
	}
	cc.RuntimeParams["timezone"] = "UTC"
	if cc.RuntimeParams["application_name"] == "" {
		cc.RuntimeParams["application_name"] = "onehall/" + e.cfg.Schema
	}
	for k, v := range params {
		cc.RuntimeParams[k] = v
	}
	cc.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) {
		if n.SeverityUnlocalized == "WARNING" {
			c.CustomData()[warnedKey] = n.Message
		}
	}
	pool := stdlib.OpenDB(*cc)
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxLifetime(30 * time.Minute)
	return pool, nil
}

func (e *postgresEngine) remote() bool    { return true }
func (e *postgresEngine) reader() Querier { return e.readers }

func (e *postgresEngine) beginRead(ctx context.Context) (*sql.Tx, error) {
	return e.readers.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
}

// migrate runs on connections of its own, because building an index may take longer
// than any statement of a request, and under a lock, because replicas start together.
func (e *postgresEngine) migrate(ctx context.Context, migrations fs.FS, apply bool) (err error) {
	pool, err := e.pool(nil, 4)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if apply {
		conn, err := pool.Conn(ctx)
		if err != nil {
			return fmt.Errorf("db: connect to PostgreSQL: %w", err)
		}
		// Closing the connection frees the lock as well, whatever happens in between.
		defer func() { err = errors.Join(err, conn.Close()) }()
		h := fnv.New64a()
		_, _ = h.Write([]byte("onehall.migrate." + e.cfg.Schema)) // a hash never fails
		key := int64(h.Sum64())
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", key); err != nil {
			return fmt.Errorf("db: wait for the migration lock: %w", err)
		}
		defer func() {
			_, unlockErr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", key)
			err = errors.Join(err, unlockErr)
		}()
		if err := e.makeSchema(ctx, conn); err != nil {
			return err
		}
	}
	return runGoose(ctx, goose.DialectPostgres, pool, migrations, apply)
}

// makeSchema makes the schema where it is absent, asking first: the role of a service
// often may not create any.
func (e *postgresEngine) makeSchema(ctx context.Context, conn *sql.Conn) error {
	if e.cfg.Schema == "" {
		return nil
	}
	var found bool
	err := conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)", e.cfg.Schema).Scan(&found)
	if err == nil && !found {
		// The name was checked to be plain, so it needs no quoting.
		_, err = conn.ExecContext(ctx, "CREATE SCHEMA "+e.cfg.Schema)
	}
	if err != nil {
		return fmt.Errorf("db: schema %s: %w", e.cfg.Schema, err)
	}
	return nil
}

func (e *postgresEngine) close() error {
	var errs []error
	for _, pool := range []*sql.DB{e.readers, e.writers} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}
