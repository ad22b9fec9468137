package casework

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// IngestRows takes rows in. No answer is kept for a repeated request: its rows are
// answered as duplicates, which is true.
func (x exchangeServer) IngestRows(ctx context.Context, req *caseworkv1.IngestRowsRequest) (*caseworkv1.IngestRowsResponse, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	row, ok, err := store.GetSource(ctx, x.s.db.Read(), req.GetParent())
	if err != nil {
		return nil, err
	}
	if !ok || row.Client != a.Subject {
		return nil, fault.NotFound.New() // nobody writes for another, an administrator neither
	}
	src, err := sourceOf(row)
	if err != nil {
		return nil, err
	}
	lang := fault.Lang(ctx)
	in := &ingest{s: x.s, source: src, now: x.s.clock.Now()}
	sent := make([]sentRow, len(req.GetRows()))
	for i, r := range req.GetRows() {
		sent[i] = in.read(r)
	}
	var res *caseworkv1.IngestRowsResponse
	err = x.s.told(ctx, src.GetName(), func(ctx context.Context, tx *db.Tx) error {
		answer, err := newBatch(in, tx).run(ctx, sent, lang)
		if err == nil {
			res = answer
		}
		return err
	})
	if err == nil {
		x.s.countExchanged(res)
	}
	return res, err
}

// told writes what a source told. Only reckoning again may have changed one of its cases
// meanwhile; then it is told anew.
func (s *Service) told(ctx context.Context, source string, write func(ctx context.Context, tx *db.Tx) error) error {
	for try := 1; ; try++ {
		if err := s.db.Write(ctx, source, write); !errors.Is(err, fault.Conflict) || try == conflictTries {
			return err
		}
	}
}

// ingest is what does not change while rows are taken in.
type ingest struct {
	s      *Service
	source *caseworkv1.ExchangeSource
	now    time.Time
}

// sentRow is a row as it was read, or why it is refused.
type sentRow struct {
	row exchange.Row
	err error
}

// read checks a row by itself: its form, its item, its department and its division.
func (in *ingest) read(r *caseworkv1.ExchangeRow) sentRow {
	row, err := exchange.Read(r.GetTable(), r.GetColumns(), in.now)
	if err == nil {
		err = in.belongs(&row)
	}
	return sentRow{row: row, err: err}
}

// belongs checks that the row is of an item that is known here and that the source may
// tell of.
func (in *ingest) belongs(r *exchange.Row) error {
	hall := hallOf(in.source.GetName())
	code := r.Get("SXBM")
	item := in.s.itemAt("halls/"+hall+"/items/"+code, r.At)
	switch {
	case item == nil:
		return fault.ItemNotFound.New(fault.Field("SXBM"))
	case len(in.source.GetDepartments()) > 0 && !slices.Contains(in.source.GetDepartments(), item.Department):
		return fault.RowForeign.New(fault.Field("SXBM"))
	case !sameDivision(r.Get("XZQHDM"), hall):
		return fault.RowDivisionWrong.New(fault.Field("XZQHDM"))
	}
	for _, column := range []string{"SBBMZZJGDM", "BMZZJDDM", "YSLBMZZJGDM", "SLBMZZJDDM", "SPBMZZJDMD", "BJBMZZJDDM"} {
		if body := strings.ReplaceAll(r.Get(column), "-", ""); body != "" && !strings.Contains(code[:18], body) {
			return fault.DepartmentUnknown.New(fault.Field(column))
		}
	}
	return nil
}

// sameDivision compares what halls are told apart by, in either length.
func sameDivision(told, hall string) bool {
	six, err := codes.Division6(told[:min(6, len(told))])
	return err == nil && six == hall
}

// itemAt is the revision under which something that happened then was applied for. What is
// told happened, so an item paused or ended since is no hindrance, and what was before the
// first revision is held to that.
func (s *Service) itemAt(name string, at time.Time) *rules.Item {
	e := s.items.get(name)
	if e == nil {
		return nil
	}
	var found, first *rules.Item
	for _, r := range e.revisions {
		if !r.Effective.After(at) && (found == nil || r.Revision > found.Revision) {
			found = r
		}
		if first == nil || r.Revision < first.Revision {
			first = r
		}
	}
	if found == nil {
		return first
	}
	return found
}

// ingestBatch is one try at writing a batch.
type ingestBatch struct {
	*ingest
	tx     *db.Tx
	cases  map[string]*toldCase
	counts map[store.QualityKey]*store.Quality
	// What is to be written.
	added   []store.ExchangeRow
	rejects map[string]store.Reject
	good    []string
	gaps    int64
	results []*caseworkv1.RowResult
}

// toldCase is a case with the rows that tell of it.
type toldCase struct {
	known   store.ExchangeCase
	rows    map[exchange.Key]map[int]*exchange.Row
	item    string
	latest  time.Time
	changed bool
	waiting map[exchange.Key]bool
	results map[int]exchange.Key
}

func newBatch(in *ingest, tx *db.Tx) *ingestBatch {
	return &ingestBatch{
		ingest: in, tx: tx, cases: map[string]*toldCase{}, counts: map[store.QualityKey]*store.Quality{}, rejects: map[string]store.Reject{},
	}
}

func (b *ingestBatch) run(ctx context.Context, sent []sentRow, lang string) (*caseworkv1.IngestRowsResponse, error) {
	if err := store.LockSource(ctx, b.tx, b.source.GetName()); err != nil {
		return nil, err
	}
	if err := b.tx.ByKey(ctx); err != nil {
		return nil, err
	}
	var cases []string
	for _, row := range sent {
		if row.err == nil {
			cases = append(cases, row.row.Case)
		}
	}
	if err := b.load(ctx, cases); err != nil {
		return nil, err
	}
	res := &caseworkv1.IngestRowsResponse{}
	for i, s := range sent {
		result := b.take(i, s, lang)
		b.results = append(b.results, result)
		switch result.GetStatus() {
		case caseworkv1.RowStatus_ROW_STATUS_DUPLICATE:
			res.Duplicates++
		case caseworkv1.RowStatus_ROW_STATUS_REJECTED:
			res.Rejected++
		default:
			res.Accepted++
		}
	}
	if err := b.tellCases(ctx); err != nil {
		return nil, err
	}
	res.Results = b.results
	return res, b.save(ctx)
}

// load reads what is known of cases.
func (b *ingestBatch) load(ctx context.Context, cases []string) error {
	for _, no := range cases {
		if b.cases[no] == nil {
			b.cases[no] = newToldCase(store.ExchangeCase{Source: b.source.GetName(), SourceCaseNo: no})
		}
	}
	nos := slices.Sorted(maps.Keys(b.cases))
	known, err := store.ExchangeCases(ctx, b.tx, b.source.GetName(), nos)
	if err != nil {
		return err
	}
	rows, err := store.ExchangeRows(ctx, b.tx, b.source.GetName(), slices.Collect(maps.Keys(known)))
	if err != nil {
		return err
	}
	for no, k := range known {
		b.cases[no].known = k
	}
	for _, r := range rows {
		row, err := storedRow(r)
		if err != nil {
			return err
		}
		b.cases[r.Case].add(row)
	}
	return nil
}

func newToldCase(known store.ExchangeCase) *toldCase {
	return &toldCase{known: known, rows: map[exchange.Key]map[int]*exchange.Row{}, results: map[int]exchange.Key{}}
}

// storedRow is a row as it was told.
func storedRow(r store.ExchangeRow) (*exchange.Row, error) {
	m := &caseworkv1.ExchangeRow{}
	if err := proto.Unmarshal(r.Columns, m); err != nil {
		return nil, fmt.Errorf("casework: stored row of %s: %w", r.Case, err)
	}
	return &exchange.Row{Key: exchange.Key{Case: r.Case, Table: r.Table, Serial: r.Serial}, Version: r.Version, At: r.Happened, Columns: m.GetColumns()}, nil
}

func (c *toldCase) add(r *exchange.Row) {
	if c.rows[r.Key] == nil {
		c.rows[r.Key] = map[int]*exchange.Row{}
	}
	c.rows[r.Key][r.Version] = r
	if c.item == "" || r.Table == exchange.Application {
		c.item = r.Get("SXBM")
	}
	if r.At.After(c.latest) {
		c.latest = r.At
	}
}

// standing are the rows in their highest versions.
func (c *toldCase) standing() []*exchange.Row {
	var out []*exchange.Row
	for _, versions := range c.rows {
		out = append(out, versions[slices.Max(slices.Collect(maps.Keys(versions)))])
	}
	return out
}

// take decides about one row.
func (b *ingestBatch) take(i int, s sentRow, lang string) *caseworkv1.RowResult {
	q := b.count(s.row.Table)
	if s.err != nil {
		return b.reject(q, s, s.err, lang)
	}
	c, r := b.cases[s.row.Case], s.row
	versions := c.rows[r.Key]
	if same := versions[r.Version]; same != nil {
		if !same.Same(&r) {
			return b.reject(q, s, fault.RowChanged.New(fault.Field(exchange.VersionColumn)), lang)
		}
		q.Duplicates++
		b.good = append(b.good, rejectKey(&r))
		c.results[i] = r.Key
		return &caseworkv1.RowResult{Status: caseworkv1.RowStatus_ROW_STATUS_DUPLICATE}
	}
	if c.item != "" && c.item != r.Get("SXBM") {
		return b.reject(q, s, fault.RowItemOther.New(fault.Field("SXBM")), lang)
	}
	b.countRow(q, c, &r)
	columns, err := proto.MarshalOptions{Deterministic: true}.Marshal(&caseworkv1.ExchangeRow{Columns: r.Columns})
	if err != nil {
		return b.reject(q, s, fault.RowBadFormat.New(fault.Cause(err)), lang)
	}
	b.added = append(b.added, store.ExchangeRow{
		Source: b.source.GetName(), Case: r.Case, Table: r.Table, Serial: r.Serial, Version: r.Version, Happened: r.At, Entered: b.now, Columns: columns,
	})
	status := caseworkv1.RowStatus_ROW_STATUS_ACCEPTED
	for v := range versions {
		if v > r.Version {
			status = caseworkv1.RowStatus_ROW_STATUS_SUPERSEDED
		}
	}
	c.add(&r)
	c.changed = true
	c.results[i] = r.Key
	b.good = append(b.good, rejectKey(&r))
	return &caseworkv1.RowResult{Status: status}
}

func (b *ingestBatch) count(table string) *store.Quality {
	if _, ok := exchange.Find(table); !ok {
		table = "" // what was sent is not repeated
	}
	k := store.QualityKey{Month: workday.DateOf(b.now).String()[:7], Table: table}
	if b.counts[k] == nil {
		b.counts[k] = &store.Quality{}
	}
	return b.counts[k]
}

// countRow counts a row that is taken in, before it is added to its case.
func (b *ingestBatch) countRow(q *store.Quality, c *toldCase, r *exchange.Row) {
	q.Accepted++
	if len(c.rows[r.Key]) > 0 {
		q.Corrections++
	} else if r.At.Before(c.latest) {
		q.Disordered++
	}
	lag := b.now.Sub(r.At)
	q.LagSeconds += int64(max(0, lag) / time.Second)
	if lag > lateAfter {
		q.Late++
	}
	filled, expected := r.Filled()
	q.Filled, q.Expected = q.Filled+int64(filled), q.Expected+int64(expected)
}

// lateAfter is when data are late, as for supervision's rule H1.
const lateAfter = 24 * time.Hour

// reject notes a refusal.
func (b *ingestBatch) reject(q *store.Quality, s sentRow, err error, lang string) *caseworkv1.RowResult {
	q.Rejected++
	f := fault.Of(err)
	reason, field := f.Reason().Name, ""
	if vs := f.Violations(); len(vs) > 0 {
		reason, field = vs[0].Reason, vs[0].Field
	}
	key := rejectKey(&s.row)
	r := store.Reject{Source: b.source.GetName(), Key: key, Serial: s.row.Serial, Version: s.row.Version, Reason: reason, Field: field, At: b.now, Attempts: 1}
	if _, ok := exchange.Find(s.row.Table); ok {
		r.Table = s.row.Table
	}
	if plainKey(s.row.Case) {
		r.SourceCaseNo = s.row.Case
	}
	r.Attempts += b.rejects[key].Attempts
	b.rejects[key] = r
	return &caseworkv1.RowResult{Status: caseworkv1.RowStatus_ROW_STATUS_REJECTED, Reason: reason, Field: field, Message: f.Message(lang)}
}

// plainKey reports an application number that can be shown again.
func plainKey(no string) bool {
	return no != "" && len(no) <= 50 && strings.IndexFunc(no, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-')
	}) < 0
}

// rejectKey tells a refused row from others, so that it is found again when it comes well.
func rejectKey(r *exchange.Row) string {
	no := r.Case
	if !plainKey(no) {
		sum := sha256.Sum256([]byte(no))
		no = "?" + hex.EncodeToString(sum[:8])
	}
	table := r.Table
	if _, ok := exchange.Find(table); !ok {
		sum := sha256.Sum256([]byte(table))
		table = "?" + hex.EncodeToString(sum[:8])
	}
	return table + "|" + no + "|" + strconv.Itoa(r.Serial)
}

// save writes what came of the batch, beside the cases.
func (b *ingestBatch) save(ctx context.Context) error {
	source := b.source.GetName()
	if err := store.InsertExchangeRows(ctx, b.tx, b.added); err != nil {
		return err
	}
	delta, err := b.saveRejects(ctx, source)
	if err != nil {
		return err
	}
	keys := slices.SortedFunc(maps.Keys(b.counts), func(x, y store.QualityKey) int { return strings.Compare(x.Month+x.Table, y.Month+y.Table) })
	if err := store.AddQuality(ctx, b.tx, source, keys, b.counts); err != nil {
		return err
	}
	return store.CountOpen(ctx, b.tx, source, b.gaps, delta)
}

// saveRejects writes the list of rejects and tells by how much it grew. A row that came
// both ways in one batch stands as it came last; refused last is the safe reading.
func (b *ingestBatch) saveRejects(ctx context.Context, source string) (int64, error) {
	var good []string
	for _, k := range b.good {
		if _, refused := b.rejects[k]; !refused {
			good = append(good, k)
		}
	}
	slices.Sort(good)
	good = slices.Compact(good)
	refused := slices.Sorted(maps.Keys(b.rejects))
	known, err := store.KnownRejects(ctx, b.tx, source, slices.Concat(refused, good))
	if err != nil {
		return 0, err
	}
	delta, rows := int64(0), make([]store.Reject, 0, len(refused))
	for _, k := range refused {
		if rows = append(rows, b.rejects[k]); !known[k] {
			delta++
		}
	}
	good = slices.DeleteFunc(good, func(k string) bool { return !known[k] })
	if err := store.PutRejects(ctx, b.tx, rows); err != nil {
		return 0, err
	}
	return delta - int64(len(good)), store.ClearRejects(ctx, b.tx, source, good)
}
