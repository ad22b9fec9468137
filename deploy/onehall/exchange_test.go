package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/onehall/onehall/deploy/restclient"
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

// gatewayOf stands for a hall that takes in what is sent, refuses what has the code 7, and
// has two pages of rows to fetch.
func gatewayOf(t *testing.T, sent *[]int) *restclient.Client {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer proto.Message
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/v1/halls/441300/exchangeSources/oa:ingest":
			req, res := &caseworkv1.IngestRowsRequest{}, &caseworkv1.IngestRowsResponse{}
			body, err := io.ReadAll(r.Body)
			if err = errors.Join(err, protojson.Unmarshal(body, req)); err != nil {
				t.Error(err)
			}
			*sent = append(*sent, len(req.GetRows()))
			for _, row := range req.GetRows() {
				result := &caseworkv1.RowResult{Status: caseworkv1.RowStatus_ROW_STATUS_ACCEPTED}
				if res.Accepted++; row.GetColumns()["SLZTDM"] == "7" {
					result = &caseworkv1.RowResult{Status: caseworkv1.RowStatus_ROW_STATUS_REJECTED, Reason: "ROW_BAD_CODE", Field: "SLZTDM"}
					res.Accepted, res.Rejected = res.Accepted-1, res.Rejected+1
				}
				res.Results = append(res.Results, result)
			}
			answer = res
		case r.URL.Path == "/v1/halls/441300/exchangeRows" && r.URL.Query().Get("position") == "5":
			answer = &caseworkv1.ExportRowsResponse{Rows: []*caseworkv1.ExchangeRow{{Table: "EX_GDBS_SB"}}, Position: 9, More: true}
		case r.URL.Path == "/v1/halls/441300/exchangeRows" && r.URL.Query().Get("position") == "9":
			answer = &caseworkv1.ExportRowsResponse{Rows: []*caseworkv1.ExchangeRow{{Table: "EX_GDBS_SL"}}, Position: 12}
		default:
			t.Errorf("asked for %s", r.URL)
			return
		}
		raw, err := protojson.Marshal(answer)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		if _, err := w.Write(raw); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(srv.Close)
	return &restclient.Client{Base: srv.URL}
}

// TestSendRows sends in batches, and tells which line of which file was refused.
func TestSendRows(t *testing.T) {
	var sent []int
	var out strings.Builder
	path := filepath.Join(t.TempDir(), "EX_GDBS_SL.csv")
	text := "SBLSH,SLZTDM\n" + strings.Repeat("1,1\n", 700) + "2,7\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &sender{ctx: t.Context(), out: &out, client: gatewayOf(t, &sent), source: "halls/441300/exchangeSources/oa"}
	if err := s.file(path); err != nil {
		t.Fatal(err)
	}
	if err := s.end(); err == nil {
		t.Error("a refusal is no success")
	}
	if diff := cmp.Diff([]int{500, 201}, sent); diff != "" {
		t.Error(diff)
	}
	if told := out.String(); !strings.Contains(told, "EX_GDBS_SL.csv line 702: ROW_BAD_CODE SLZTDM") || !strings.Contains(told, "701 rows: 700 taken in, 0 known, 1 refused") {
		t.Error(told)
	}
}

// TestFetchRows goes on until there is no more, and gives the position to go on from.
func TestFetchRows(t *testing.T) {
	var tables []string
	position, err := fetchRows(t.Context(), gatewayOf(t, nil), "halls/441300", 5, func(r *caseworkv1.ExchangeRow) error {
		tables = append(tables, r.GetTable())
		return nil
	})
	if err != nil || position != 12 {
		t.Errorf("position %d, %v", position, err)
	}
	if diff := cmp.Diff([]string{"EX_GDBS_SB", "EX_GDBS_SL"}, tables); diff != "" {
		t.Error(diff)
	}
}
