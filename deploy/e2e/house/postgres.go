package house

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

var databases atomic.Int64

// database makes a database on a server; it is dropped when the test ends.
func database(t testing.TB, server string) string {
	t.Helper()
	name := fmt.Sprintf("e2e_%d_%d", os.Getpid(), databases.Add(1))
	execute(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("house: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}

func execute(t testing.TB, dsn, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Errorf("house: %v", err)
		return
	}
	defer func() { _ = conn.Close(ctx) }() // the statement below reports what matters
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Errorf("house: %s: %v", statement, err)
	}
}
