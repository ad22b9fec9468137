package catalogue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/rules"
	"github.com/onehall/onehall/services/catalogue/internal/sheet"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// maxImportErrors is how many findings an import tells of.
const maxImportErrors = 1000

// ImportItems takes in a department's list as drafts, all rows or none.
func (s *Service) ImportItems(ctx context.Context, req *cataloguev1.ImportItemsRequest) (*cataloguev1.ImportItemsResponse, error) {
	r := requestOf(ctx, hallOf(req.GetParent()), "ImportItems", req)
	if !r.covers(req.GetParent()) {
		return nil, fault.NotFound.New(fault.Field("parent"))
	}
	table, err := readTable(req)
	if err != nil {
		return nil, unusable(err)
	}
	header, faults := headerOf(table.Header)
	if faults != nil {
		return &cataloguev1.ImportItemsResponse{Rows: int32(len(table.Rows)), Errors: faults}, nil
	}
	im := importing{r: r, department: req.GetParent(), table: table, header: header}
	if req.GetDryRun() {
		p, err := im.plan(ctx, s.db.Read(), s.clock.Now)
		if err != nil {
			return nil, err
		}
		return p.response(), nil
	}
	return batch(ctx, s, r, hallOf(req.GetParent()), &cataloguev1.ImportItemsResponse{}, im.apply)
}

func readTable(req *cataloguev1.ImportItemsRequest) (*sheet.Table, error) {
	if req.GetFormat() == cataloguev1.ImportFormat_IMPORT_FORMAT_XLSX {
		return sheet.XLSX(req.GetContent())
	}
	return sheet.CSV(req.GetContent())
}

// unusable says what is wrong with a whole file.
func unusable(err error) error {
	v := fault.Violation{Field: "content", Reason: "MALFORMED_FILE", ZH: "文件损坏或者不是所选的格式", EN: "the file is damaged or of another form"}
	for _, known := range []struct {
		err            error
		reason, zh, en string
	}{
		{sheet.ErrTooLarge, "FILE_TOO_LARGE", "文件超过 3 MiB", "the file is larger than 3 MiB"},
		{sheet.ErrRows, "TOO_MANY_ROWS", "超过 5000 行", "there are more than 5000 rows"},
		{sheet.ErrColumns, "TOO_MANY_COLUMNS", "列太多", "there are too many columns"},
		{sheet.ErrCell, "CELL_TOO_LONG", "有单元格内容过长", "a cell is too long"},
		{sheet.ErrEncoding, "NOT_UTF8", "文件不是 UTF-8 编码，请另存为 UTF-8", "the file is not in UTF-8"},
		{sheet.ErrNoHeader, "NO_HEADER", "第一行应当是列名", "the first row must hold the names of the columns"},
	} {
		if errors.Is(err, known.err) {
			v.Reason, v.ZH, v.EN = known.reason, known.zh, known.en
		}
	}
	return fault.ImportInvalid.New(fault.Violations(v), fault.Cause(err))
}

// headerOf finds the columns; a column nobody knows is passed over.
func headerOf(cells []string) (header []string, faults []*cataloguev1.ImportError) {
	first := &importRow{number: 1}
	seen := map[string]bool{}
	for _, cell := range cells {
		name, _ := columnOf(cell)
		if name != "" && seen[name] {
			first.wrong(name, "DUPLICATE_COLUMN", "同一列出现了两次")
		}
		seen[name] = true
		header = append(header, name)
	}
	for _, c := range columns {
		if c.required && !seen[c.name] {
			first.wrong(c.name, "MISSING_COLUMN", "缺少这一列："+c.zh[0])
		}
	}
	return header, first.errors
}

// importing is one import.
type importing struct {
	r          request
	department string
	table      *sheet.Table
	header     []string
}

// plan is what an import would do.
type plan struct {
	rows                        []*importRow
	created, updated, unchanged int32
	desks                       []*desk
	edited                      []*cataloguev1.Item
}

func (p *plan) refused() bool {
	return slices.ContainsFunc(p.rows, (*importRow).refused)
}

func (p *plan) response() *cataloguev1.ImportItemsResponse {
	resp := &cataloguev1.ImportItemsResponse{
		Rows: int32(len(p.rows)), Created: p.created, Updated: p.updated, Unchanged: p.unchanged,
	}
	for _, row := range p.rows {
		resp.Errors = append(resp.Errors, row.errors...)
	}
	resp.Errors = resp.Errors[:min(len(resp.Errors), maxImportErrors)]
	return resp
}

// apply writes what was planned, if nothing stands against it.
func (im importing) apply(ctx context.Context, tx *db.Tx) (*cataloguev1.ImportItemsResponse, error) {
	p, err := im.plan(ctx, tx, tx.Now)
	if err != nil {
		return nil, err
	}
	resp := p.response()
	if p.refused() {
		return resp, nil
	}
	for i, d := range p.desks {
		kind := "item.updated"
		d.row.Sequence++
		d.edit(p.edited[i], im.r.actor(), tx)
		if d.row.Sequence == 1 {
			kind, d.row.Created = "item.drafted", tx.Now()
			err = store.InsertItem(ctx, tx, d.row)
		} else {
			err = store.UpdateItem(ctx, tx, d.row)
		}
		if err != nil {
			return nil, err
		}
		if _, err := im.r.told(ctx, tx, feed.Draft{Subject: d.row.Name, Sequence: d.row.Sequence, Type: kind, Resource: d.shown()}); err != nil {
			return nil, err
		}
	}
	resp.Applied = true
	return resp, nil
}

// around is what the rows of an import refer to.
type around struct {
	department *cataloguev1.Department
	entries    map[string]store.Resource
	items      map[string]store.Item
	revisions  map[string][]byte
	titles     map[store.Titled][]string
}

func (im importing) plan(ctx context.Context, q db.Querier, now func() time.Time) (*plan, error) {
	p := &plan{}
	seen := map[string]bool{}
	var names, entries []string
	for _, r := range im.table.Rows {
		row := rowOf(r, im.header)
		p.rows = append(p.rows, row)
		if !row.key() {
			continue
		}
		if seen[row.cells[colCode]] {
			row.wrong(colCode, "DUPLICATE_ITEM_CODE", "事项编码在文件中重复")
			continue
		}
		seen[row.cells[colCode]] = true
		names = append(names, im.name(row))
		entries = append(entries, "directory/"+row.cells[colBase])
	}
	near, err := im.lookAround(ctx, q, names, entries)
	if err != nil {
		return nil, err
	}
	for _, row := range p.rows {
		if row.refused() {
			continue
		}
		d, it, err := im.row(row, near, now)
		if err != nil {
			return nil, err
		}
		p.count(row, d, it)
	}
	return p, nil
}

// count adds a row to the plan.
func (p *plan) count(row *importRow, d *desk, it *cataloguev1.Item) {
	switch {
	case row.refused():
		return
	case d.row.Sequence == 0:
		p.created++
	case sum(feed.Deterministic(it)) == d.row.DraftSHA256:
		p.unchanged++
		return
	default:
		p.updated++
	}
	p.desks, p.edited = append(p.desks, d), append(p.edited, it)
}

func (im importing) name(row *importRow) string {
	return hallOf(im.department) + "/items/" + row.cells[colCode]
}

func (im importing) lookAround(ctx context.Context, q db.Querier, names, entries []string) (near around, err error) {
	if near.department, err = department(ctx, q, im.department); err != nil {
		return near, fault.At("parent", err)
	}
	if near.entries, err = store.DirectoryEntries(ctx, q, entries); err != nil {
		return near, err
	}
	if near.items, err = store.Items(ctx, q, names); err != nil {
		return near, err
	}
	if near.revisions, err = store.Revisions(ctx, q, names); err != nil {
		return near, err
	}
	near.titles, err = store.Titles(ctx, q, im.department)
	return near, err
}

// row makes the item of a row and checks it.
func (im importing) row(row *importRow, near around, now func() time.Time) (*desk, *cataloguev1.Item, error) {
	d, err := im.desk(row, near)
	if err != nil || row.refused() {
		return d, nil, err
	}
	it := proto.CloneOf(d.content)
	row.fill(it)
	if row.refused() {
		return d, it, nil
	}
	valid(row, it)
	found, ok := near.entries[it.GetDirectoryEntry()]
	if !ok {
		row.wrong(colBase, "Q11", "目录中没有这个基本编码")
		return d, it, nil
	}
	e, err := decode(found.Data, &cataloguev1.DirectoryEntry{})
	if err != nil {
		return d, it, err
	}
	from, _, err := inForce(it, now())
	if err != nil {
		return d, it, err
	}
	checked := ruleItem(it, from)
	checked.PromisedUnit = rules.Unit(row.promisedUnit)
	titled := store.Titled{Title: it.GetTitle(), Level: int64(it.GetLevel())}
	taken := slices.ContainsFunc(near.titles[titled], func(n string) bool { return n != it.GetName() })
	near.titles[titled] = append(near.titles[titled], it.GetName())
	for _, f := range rules.Check(checked, rules.Around{USCC: near.department.GetUscc(), DirectoryType: e.GetItemType(), TitleTaken: taken}) {
		if column, ok := columnOfField(f.Field); ok {
			row.say(column, f.Rule, f.ZH, cataloguev1.Severity(f.Severity))
		}
	}
	return d, it, nil
}

// desk is what stands there of a row's item, or an empty one.
func (im importing) desk(row *importRow, near around) (*desk, error) {
	name := im.name(row)
	d := &desk{department: near.department, content: &cataloguev1.Item{Name: name, Department: im.department}}
	there, ok := near.items[name]
	if !ok {
		d.row = store.Item{Name: name, Hall: hallOf(name), State: store.Draft}
		return d, nil
	}
	d.row = there
	switch {
	case there.Department != im.department:
		row.wrong(colCode, "ITEM_OF_OTHER_DEPARTMENT", "该事项属于其他部门")
		return d, nil
	case there.State == store.Cancelled:
		row.wrong(colCode, "ITEM_CANCELLED", "该事项已取消")
		return d, nil
	}
	return d, d.read(near.revisions[name])
}

// valid holds an item against the contract, as one that comes as a message is.
func valid(row *importRow, it *cataloguev1.Item) {
	err := protovalidate.Validate(it)
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		return
	}
	for _, v := range fault.FromViolations(broken.ToProto()).Violations() {
		column, ok := columnOfField(v.Field)
		if !ok {
			column = colCode
			v.ZH = fmt.Sprintf("%s：%s", v.Field, v.ZH)
		}
		row.wrong(column, "BAD_VALUE", v.ZH)
	}
}
