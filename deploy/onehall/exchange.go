package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/onehall/onehall/deploy/restclient"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// importBatch is how many rows are sent at once.
const importBatch = 500

// tableColumn names the table in a file of several tables; else the file's name does.
const tableColumn = "TABLE"

// importWhat imports items, or rows of the exchange.
func importWhat(ctx context.Context, out io.Writer, args []string) error {
	if len(args) > 0 && args[0] == "exchange" {
		return importExchange(ctx, out, args[1:])
	}
	return importItems(ctx, out, args)
}

// exportWhat exports rows of the exchange; there is nothing else yet.
func exportWhat(ctx context.Context, out io.Writer, args []string) error {
	if len(args) > 0 && args[0] == "exchange" {
		return exportExchange(ctx, out, args[1:])
	}
	return errors.New("export what? there is: exchange")
}

// importExchange sends CSV files of rows to their source.
func importExchange(ctx context.Context, out io.Writer, args []string) error {
	s := newFlags("import exchange", out)
	r := remoteFlags(s)
	source := s.flags.String("source", "", "halls/{division}/exchangeSources/{source}")
	if err := s.flags.Parse(args); err != nil {
		return err
	}
	if s.flags.NArg() == 0 {
		return errors.New("no file is named")
	}
	client, err := r.client()
	if err != nil {
		return err
	}
	send := &sender{ctx: ctx, out: out, client: client, source: *source}
	for _, path := range s.flags.Args() {
		if err := send.file(path); err != nil {
			return err
		}
	}
	return send.end()
}

// sender sends rows in batches and tells what became of them.
type sender struct {
	ctx    context.Context //nolint:containedctx // it lives as long as one command
	out    io.Writer
	client *restclient.Client
	source string

	rows                           []*caseworkv1.ExchangeRow
	where                          []string
	accepted, duplicates, rejected int
}

func (s *sender) file(path string) (err error) {
	f, err := os.Open(path) //nolint:gosec // the file that the operator names
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return readRows(f, tableOf(path), func(line int, row *caseworkv1.ExchangeRow) error {
		return s.add(row, fmt.Sprintf("%s line %d", filepath.Base(path), line))
	})
}

// tableOf is the table that a file is named after: EX_GDBS_SB of EX_GDBS_SB.csv or EX_GDBS_SB-1.csv.
func tableOf(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	name, _, _ = strings.Cut(name, "-")
	return strings.ToUpper(name)
}

// readRows reads a CSV file whose first line names the columns.
func readRows(in io.Reader, table string, each func(line int, row *caseworkv1.ExchangeRow) error) error {
	r := csv.NewReader(in)
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("the line of column names: %w", err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		row := &caseworkv1.ExchangeRow{Table: table, Columns: map[string]string{}}
		for i, v := range record {
			switch {
			case head[i] == tableColumn:
				row.Table = v
			case v != "":
				row.Columns[head[i]] = v
			}
		}
		line, _ := r.FieldPos(0)
		if err := each(line, row); err != nil {
			return err
		}
	}
}

func (s *sender) add(row *caseworkv1.ExchangeRow, where string) error {
	s.rows, s.where = append(s.rows, row), append(s.where, where)
	if len(s.rows) < importBatch {
		return nil
	}
	return s.flush()
}

func (s *sender) flush() error {
	if len(s.rows) == 0 {
		return nil
	}
	res := &caseworkv1.IngestRowsResponse{}
	req := &caseworkv1.IngestRowsRequest{RequestId: uuid.NewString(), Rows: s.rows}
	if err := s.client.Post(s.ctx, "/v1/"+s.source+":ingest", req, res); err != nil {
		return err
	}
	for i, r := range res.GetResults() {
		if r.GetStatus() == caseworkv1.RowStatus_ROW_STATUS_REJECTED {
			fmt.Fprintf(s.out, "%s: %s %s %s\n", s.where[i], r.GetReason(), r.GetField(), r.GetMessage())
		}
	}
	s.accepted, s.duplicates, s.rejected = s.accepted+int(res.GetAccepted()), s.duplicates+int(res.GetDuplicates()), s.rejected+int(res.GetRejected())
	s.rows, s.where = nil, nil
	return nil
}

// end sends what is left and tells the sums.
func (s *sender) end() error {
	if err := s.flush(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%d rows: %d taken in, %d known, %d refused\n", s.accepted+s.duplicates+s.rejected, s.accepted, s.duplicates, s.rejected)
	if s.rejected > 0 {
		return errors.New("some rows were refused")
	}
	return nil
}

// exportExchange fetches the rows that changed after a position, and writes them as files
// or pushes them to a source of another hall.
func exportExchange(ctx context.Context, out io.Writer, args []string) error {
	s := newFlags("export exchange", out)
	r := remoteFlags(s)
	hall := s.flags.String("hall", "", "halls/{division}")
	dir := s.flags.String("dir", ".", "where the files go, one for each table")
	after := s.flags.Int64("position", 0, "where the run before ended")
	to := remote{
		gateway: s.flags.String("push-gateway", "", "address of the hall to push to instead of writing files"),
		issuer:  s.flags.String("push-issuer", "", "its issuer"), user: s.flags.String("push-user", "", "who pushes"),
		password: s.flags.String("push-password", "", "the password, or @file"),
	}
	source := s.flags.String("push-source", "", "the source to push as, halls/{division}/exchangeSources/{source}")
	if err := s.flags.Parse(args); err != nil {
		return err
	}
	client, err := r.client()
	if err != nil {
		return err
	}
	var sink rowSink
	if *to.gateway == "" {
		sink = &rowFiles{dir: *dir, rows: map[string][]*caseworkv1.ExchangeRow{}}
	} else {
		other, err := to.client()
		if err != nil {
			return err
		}
		sink = &sender{ctx: ctx, out: out, client: other, source: *source}
	}
	position, err := fetchRows(ctx, client, *hall, *after, func(row *caseworkv1.ExchangeRow) error { return sink.add(row, "a row of "+row.GetTable()) })
	if err != nil {
		return err
	}
	if err := sink.end(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "position %d\n", position)
	return err
}

// rowSink is where exported rows go.
type rowSink interface {
	add(row *caseworkv1.ExchangeRow, where string) error
	end() error
}

// fetchRows reads all changes after a position and gives the position of the last.
func fetchRows(ctx context.Context, client *restclient.Client, hall string, after int64, each func(*caseworkv1.ExchangeRow) error) (int64, error) {
	for {
		res := &caseworkv1.ExportRowsResponse{}
		if err := client.Get(ctx, "/v1/"+hall+"/exchangeRows?position="+strconv.FormatInt(after, 10), res); err != nil {
			return after, err
		}
		for _, row := range res.GetRows() {
			if err := each(row); err != nil {
				return after, err
			}
		}
		if after = res.GetPosition(); !res.GetMore() {
			return after, nil
		}
	}
}

// rowFiles gathers rows and writes a file for each table.
type rowFiles struct {
	dir  string
	rows map[string][]*caseworkv1.ExchangeRow
}

func (f *rowFiles) add(row *caseworkv1.ExchangeRow, _ string) error {
	f.rows[row.GetTable()] = append(f.rows[row.GetTable()], row)
	return nil
}

func (f *rowFiles) end() error {
	for table, rows := range f.rows {
		if err := writeRows(filepath.Join(f.dir, table+".csv"), rows); err != nil {
			return err
		}
	}
	return nil
}

// writeRows writes rows of one table, with the columns that any of them fills in.
func writeRows(path string, rows []*caseworkv1.ExchangeRow) (err error) {
	used := map[string]bool{}
	for _, r := range rows {
		for c := range r.GetColumns() {
			used[c] = true
		}
	}
	head := slices.Sorted(maps.Keys(used))
	// Only its owner reads a file that may hold personal data.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // where the operator says
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := csv.NewWriter(f)
	record := make([]string, len(head))
	if err := w.Write(head); err != nil {
		return err
	}
	for _, r := range rows {
		for i, c := range head {
			record[i] = r.GetColumns()[c]
		}
		if err := w.Write(record); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}
