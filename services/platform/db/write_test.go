package db_test

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
)

var notes = fstest.MapFS{"00100_notes.sql": {Data: []byte(`-- +goose Up
CREATE TABLE notes (id BIGINT NOT NULL PRIMARY KEY, word TEXT NOT NULL UNIQUE, n BIGINT NOT NULL);
-- +goose Down
DROP TABLE notes;
`)}}

func insert(id int64, word string) db.WriteFunc {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO notes (id, word, n) VALUES ($1, $2, 0)", id, word)
		return err
	}
}

func words(t *testing.T, d *db.DB) []string {
	t.Helper()
	rows, err := d.Read().QueryContext(context.Background(), "SELECT word FROM notes ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var w string
		if err := rows.Scan(&w); err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWriteAndRead(t *testing.T) {
	dbtest.Each(t, notes, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		if err := d.Write(ctx, "a", insert(1, "one")); err != nil {
			t.Fatal(err)
		}
		err := d.Write(ctx, "a", insert(2, "one"))
		if !db.IsUnique(err) {
			t.Fatalf("got %v, want a breach of uniqueness", err)
		}
		refused := errors.New("refused")
		err = d.Write(ctx, "a", func(ctx context.Context, tx *db.Tx) error {
			if err := insert(3, "three")(ctx, tx); err != nil {
				return err
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Fatalf("got %v, want the function's error", err)
		}
		if got := words(t, d); len(got) != 1 || got[0] != "one" {
			t.Fatalf("got %v, want only the first", got)
		}
	})
}
