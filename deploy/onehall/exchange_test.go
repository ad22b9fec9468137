package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// TestRowsByFile writes rows and reads the same.
func TestRowsByFile(t *testing.T) {
	rows := []*caseworkv1.ExchangeRow{
		{Table: "EX_GDBS_SL", Columns: map[string]string{"SBLSH": "1", "BSLYY": "一,\"二\"\n三"}},
		{Table: "EX_GDBS_SL", Columns: map[string]string{"SBLSH": "2", "SLZTDM": "1", "VERSION": "2"}},
	}
	path := filepath.Join(t.TempDir(), "EX_GDBS_SL.csv")
	if err := writeRows(path, rows); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	var got []*caseworkv1.ExchangeRow
	if err := readRows(f, tableOf(path), func(_ int, r *caseworkv1.ExchangeRow) error { got = append(got, r); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

// TestFilesOfSeveralTables name the table in a column, and may begin with a byte order mark.
func TestFilesOfSeveralTables(t *testing.T) {
	var got []string
	err := readRows(strings.NewReader("\ufeffSBLSH,TABLE,XH\n1,EX_GDBS_BJGZ,1\n1,EX_GDBS_SB,\n"), "ALL", func(line int, r *caseworkv1.ExchangeRow) error {
		got = append(got, r.GetTable()+" "+r.GetColumns()["XH"])
		if line != len(got)+1 || r.GetColumns()["SBLSH"] != "1" {
			t.Errorf("line %d: %v", line, r)
		}
		return nil
	})
	if diff := cmp.Diff([]string{"EX_GDBS_BJGZ 1", "EX_GDBS_SB "}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if tableOf("/a/ex_gdbs_sb-2026.csv") != "EX_GDBS_SB" {
		t.Error(tableOf("/a/ex_gdbs_sb-2026.csv"))
	}
}
