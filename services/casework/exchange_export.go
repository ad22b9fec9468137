package casework

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
)

// exporter writes rows for one caller.
type exporter struct {
	s *Service
	// unmasked shows personal data, departments restricts to those, empty to none.
	unmasked    bool
	departments []string
}

// exporterFor is what the caller may read in a hall: a front machine by its registration,
// an administrator or supervisor everything, masked.
func (x exchangeServer) exporterFor(ctx context.Context, hall string) (*exporter, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if oversees(a) {
		return &exporter{s: x.s}, nil
	}
	rows, err := store.Sources(ctx, x.s.db.Read(), "halls/"+hall+"/exchangeSources/")
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.Client == a.Subject && a.Has(optionsv1.Role_ROLE_EXCHANGE) {
			src, err := sourceOf(r)
			if err != nil {
				return nil, err
			}
			return &exporter{s: x.s, unmasked: src.GetUnmasked(), departments: src.GetDepartments()}, nil
		}
	}
	return nil, fault.NotFound.New()
}

// ExportCase writes one case as rows.
func (x exchangeServer) ExportCase(ctx context.Context, req *caseworkv1.ExportCaseRequest) (*caseworkv1.ExportCaseResponse, error) {
	e, err := x.exporterFor(ctx, hallOf(req.GetName()))
	if err != nil {
		return nil, err
	}
	row, c, err := x.s.stored(ctx, lastPart(req.GetName()))
	if err != nil {
		return nil, err
	}
	if c == nil || c.GetName() != req.GetName() || c.GetSubmitTime() == nil || !e.may(c) {
		return nil, fault.NotFound.New()
	}
	rows, err := e.rows(ctx, c, 0, row.Seq)
	if err != nil {
		return nil, err
	}
	return &caseworkv1.ExportCaseResponse{Rows: rows}, nil
}

func (e *exporter) may(c *caseworkv1.Case) bool {
	return len(e.departments) == 0 || slices.Contains(e.departments, c.GetDepartment())
}

// ExportRows writes the rows that changed after a position.
func (x exchangeServer) ExportRows(ctx context.Context, req *caseworkv1.ExportRowsRequest) (*caseworkv1.ExportRowsResponse, error) {
	e, err := x.exporterFor(ctx, hallOf(req.GetParent()))
	if err != nil {
		return nil, err
	}
	size, err := page.Size(req.GetPageSize(), 200, 500)
	if err != nil {
		return nil, err
	}
	events, err := feed.Page(ctx, x.s.db.Read(), req.GetPosition(), size)
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ExportRowsResponse{Position: req.GetPosition(), More: len(events) == size}
	spans, order := map[string][2]int64{}, []string(nil)
	for _, ev := range events {
		res.Position = ev.GetPosition()
		if !strings.HasPrefix(ev.GetSubject(), req.GetParent()+"/cases/") {
			continue
		}
		span, seen := spans[ev.GetSubject()]
		if !seen {
			span[0] = ev.GetSequence()
			order = append(order, ev.GetSubject())
		}
		span[1] = ev.GetSequence()
		spans[ev.GetSubject()] = span
	}
	for _, subject := range order {
		_, c, err := x.s.stored(ctx, lastPart(subject))
		if err != nil {
			return nil, err
		}
		if c == nil || !e.may(c) {
			continue
		}
		rows, err := e.rows(ctx, c, spans[subject][0], spans[subject][1])
		if err != nil {
			return nil, err
		}
		res.Rows = append(res.Rows, rows...)
	}
	return res, nil
}

// rows are the rows of a case that changed by its events from one to another, each in the
// version it then had. Those of a case of a source are the source's own, all of them.
func (e *exporter) rows(ctx context.Context, c *caseworkv1.Case, first, last int64) ([]*caseworkv1.ExchangeRow, error) {
	var rows []*exchange.Row
	var err error
	if c.GetSource() != "" {
		rows, err = e.toldRows(ctx, c)
	} else {
		rows, err = e.ownRows(ctx, c, first, last)
	}
	if err != nil {
		return nil, err
	}
	out := make([]*caseworkv1.ExchangeRow, len(rows))
	for i, r := range rows {
		columns := maps.Clone(r.Columns)
		if !e.unmasked {
			maskRow(r.Table, columns)
		}
		columns[exchange.VersionColumn] = strconv.Itoa(r.Version)
		out[i] = &caseworkv1.ExchangeRow{Table: r.Table, Columns: columns}
	}
	return out, nil
}

// toldRows are the rows that a source told, in their highest versions.
func (e *exporter) toldRows(ctx context.Context, c *caseworkv1.Case) ([]*exchange.Row, error) {
	stored, err := store.ExchangeRows(ctx, e.s.db.Read(), c.GetSource(), []string{c.GetSourceCaseNo()})
	if err != nil {
		return nil, err
	}
	told := newToldCase(store.ExchangeCase{})
	for _, r := range stored {
		row, err := storedRow(r)
		if err != nil {
			return nil, err
		}
		told.add(row)
	}
	rows := told.standing()
	slices.SortFunc(rows, exchange.Compare)
	return rows, nil
}

// ownRows follows the history of a case of this hall: a row has as many versions as it had
// contents. Events hold masked data only, so what is personal is taken from the case itself.
func (e *exporter) ownRows(ctx context.Context, c *caseworkv1.Case, first, last int64) ([]*exchange.Row, error) {
	type state struct {
		row     *exchange.Row
		changed int64
	}
	now := map[exchange.Key]state{}
	titles := e.s.titles(c)
	parent, err := e.s.parentOf(ctx, c)
	if err != nil {
		return nil, err
	}
	for after := int64(0); after < last; {
		events, err := feed.History(ctx, e.s.db.Read(), c.GetName(), after, 0)
		if err != nil {
			return nil, err
		}
		for _, ev := range events {
			if after = ev.GetSequence(); after > last {
				break
			}
			was, err := caseOf(ev)
			if err != nil {
				return nil, err
			}
			for _, r := range rowsOf(was, titles, parent) {
				old, ok := now[r.Key]
				if ok && old.row.Same(r) {
					continue
				}
				if r.Version = 1; ok {
					r.Version = old.row.Version + 1
				}
				now[r.Key] = state{r, after}
			}
		}
		if len(events) == 0 {
			break
		}
	}
	var rows []*exchange.Row
	for _, st := range now {
		if st.changed >= first {
			rows = append(rows, st.row)
		}
	}
	if e.unmasked {
		reveal(rows, rowsOf(c, titles, parent))
	}
	slices.SortFunc(rows, exchange.Compare)
	return rows, nil
}

// titles gives the guide's names of materials.
func (s *Service) titles(c *caseworkv1.Case) func(id string) string {
	item := s.items.revision(c.GetItem(), c.GetItemRevision())
	return func(id string) string {
		if item != nil {
			if at := slices.IndexFunc(item.Materials, func(m rules.ItemMaterial) bool { return m.ID == id }); at >= 0 {
				return item.Materials[at].Title
			}
		}
		return id
	}
}

// reveal puts personal data into rows from the same rows of the case as it is.
func reveal(rows, whole []*exchange.Row) {
	for _, r := range rows {
		for _, w := range whole {
			if w.Key != r.Key {
				continue
			}
			t, _ := exchange.Find(r.Table)
			for _, c := range t.Columns {
				if c.Personal() && r.Columns[c.Name] != "" {
					r.Columns[c.Name] = w.Columns[c.Name]
				}
			}
		}
	}
}

// maskRow masks the personal data of a row, as they are masked elsewhere.
func maskRow(table string, columns map[string]string) {
	t, _ := exchange.Find(table)
	company := columns["SQRZJLX"] == exchange.IDUSCC
	for _, c := range t.Columns {
		v := columns[c.Name]
		if v == "" || !c.Personal() {
			continue
		}
		switch {
		case company && c.Name == "SQRMC":
			// A company's name stands in a public register.
		case company && c.Name == "SQRZJHM":
			columns[c.Name] = codes.MaskUSCC(v)
		case c.Kind == "person":
			columns[c.Name] = codes.MaskName(v)
		case c.Kind == "phone":
			columns[c.Name] = codes.MaskPhone(v)
		case c.Kind == "identity":
			columns[c.Name] = codes.MaskID(v)
		default:
			columns[c.Name] = strings.Repeat("*", 6)
		}
	}
}
