package catalogue

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/rules"
	"github.com/onehall/onehall/services/catalogue/internal/sheet"
	"github.com/onehall/onehall/services/platform/codes"
)

// importRow is one row: its cells by column, and what is wrong with them.
type importRow struct {
	number int
	cells  map[string]string
	parts  codes.ItemParts
	errors []*cataloguev1.ImportError
	// promisedUnit is kept apart because an item has one unit for both limits.
	promisedUnit cataloguev1.TimeUnit
}

func rowOf(r sheet.Row, header []string) *importRow {
	row := &importRow{number: r.Number, cells: map[string]string{}}
	for i, name := range header {
		switch {
		case name == "":
		case i < len(r.Cells):
			row.cells[name] = r.Cells[i]
		default:
			row.cells[name] = ""
		}
		if name != "" && slices.Contains(r.Computed, i) {
			row.wrong(name, "FORMULA_CELL", "单元格是公式，请改为文字")
		}
	}
	return row
}

func (r *importRow) wrong(column, reason, message string) {
	r.say(column, reason, message, cataloguev1.Severity_SEVERITY_ERROR)
}

// say notes a finding once for a column.
func (r *importRow) say(column, reason, message string, s cataloguev1.Severity) {
	for _, e := range r.errors {
		if e.GetColumn() == column && e.GetReason() == reason {
			return
		}
	}
	r.errors = append(r.errors, &cataloguev1.ImportError{
		Row: int32(r.number), Column: column, Reason: reason, Message: message, Severity: s,
	})
}

// refused says whether the row cannot be imported.
func (r *importRow) refused() bool {
	return slices.ContainsFunc(r.errors, func(e *cataloguev1.ImportError) bool {
		return e.GetSeverity() == cataloguev1.Severity_SEVERITY_ERROR
	})
}

// key checks the cells that say which item it is.
func (r *importRow) key() bool {
	for _, c := range columns {
		if c.required && r.cells[c.name] == "" {
			r.wrong(c.name, "REQUIRED", "必须填写")
		}
	}
	if r.cells[colCode] == "" {
		return false
	}
	parts, err := codes.ParseItemCode(r.cells[colCode])
	if err != nil {
		r.wrong(colCode, "BAD_ITEM_CODE", "事项编码不正确")
		return false
	}
	r.parts = parts
	if _, err := codes.BaseCode(r.cells[colBase]); err != nil && r.cells[colBase] != "" {
		r.wrong(colBase, "BAD_ITEM_CODE", "基本编码不正确")
	}
	return true
}

// fill writes the cells into an item.
func (r *importRow) fill(it *cataloguev1.Item) {
	r.texts(it)
	r.limits(it)
	r.ways(it)
	r.fee(it)
	r.themes(it)
	if cell, ok := r.cells[colMaterials]; ok {
		it.Materials = r.materials(cell, it.GetMaterials())
	}
	r.result(it)
	it.Level = cataloguev1.Level(r.parts.Level)
	it.DepthLevel = int32(rules.DepthLevel(it.GetOnlineDepth(), int(it.GetVisits())))
}

func (r *importRow) texts(it *cataloguev1.Item) {
	for _, f := range []struct {
		column string
		to     *string
	}{
		{colName, &it.Title}, {colReason, &it.VisitReason}, {colBasis, &it.LegalBasis}, {colConsult, &it.ConsultPhone}, {colComplaint, &it.ComplaintPhone},
	} {
		if cell, ok := r.cells[f.column]; ok {
			*f.to = r.text(f.column, cell)
		}
	}
	it.DirectoryEntry = "directory/" + r.cells[colBase]
	var ok bool
	if it.ItemType, ok = itemTypes[r.cells[colType]]; !ok {
		it.ItemType = r.cells[colType]
		r.wrong(colType, "BAD_CODE", "没有这种事项类型")
	}
}

// text is a cell without characters that cannot be seen.
func (r *importRow) text(column, cell string) string {
	s, err := cleanText(cell)
	if err != nil {
		r.wrong(column, "BAD_TEXT", "文字过长或含有不允许的字符")
	}
	return s
}

func (r *importRow) limits(it *cataloguev1.Item) {
	it.CaseType = choice(r, colCase, caseTypes)
	it.StatutoryLimit, it.PromisedLimit = r.number32(colStatutory), r.number32(colPromised)
	it.LimitUnit = choice(r, colStatUnit, units)
	r.promisedUnit = it.GetLimitUnit()
	if r.cells[colPromUnit] != "" {
		r.promisedUnit = choice(r, colPromUnit, units)
	}
	if r.cells[colStatUnit] == "" {
		it.LimitUnit = r.promisedUnit
	}
}

func (r *importRow) ways(it *cataloguev1.Item) {
	if _, ok := r.cells[colVisits]; ok {
		it.Visits = r.number32(colVisits)
	}
	for column, to := range map[string]*[]int32{colDepth: &it.OnlineDepth, colForms: &it.HandlingForms, colObjects: &it.ServiceObjects} {
		if cell, ok := r.cells[column]; ok {
			*to = r.codes(column, cell)
		}
	}
}

// choice reads a cell that holds one of some words.
func choice[T any](r *importRow, column string, words map[string]T) T {
	v, ok := words[r.cells[column]]
	if !ok && r.cells[column] != "" {
		r.wrong(column, "BAD_CODE", "不是允许的选项")
	}
	return v
}

func (r *importRow) number32(column string) int32 {
	cell := r.cells[column]
	if cell == "" {
		return 0
	}
	n, err := strconv.ParseInt(cell, 10, 32)
	if err != nil || n < 0 {
		r.wrong(column, "BAD_NUMBER", "应当是不小于 0 的整数")
		return 0
	}
	return int32(n)
}

// list cuts a cell at commas, semicolons and their Chinese kin.
func list(cell string) []string {
	return strings.FieldsFunc(cell, func(c rune) bool { return strings.ContainsRune(",，;；、 \n", c) })
}

func (r *importRow) codes(column, cell string) []int32 {
	var all []int32
	for _, word := range list(cell) {
		n, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			r.wrong(column, "BAD_NUMBER", "应当是用逗号隔开的代码")
			return nil
		}
		if !slices.Contains(all, int32(n)) {
			all = append(all, int32(n))
		}
	}
	return all
}

var oneAmount = regexp.MustCompile(`^([0-9]{1,7})元(/.*)?$`)

// fee reads the one fee that a row can hold; a free item has none and is not paid online.
func (r *importRow) fee(it *cataloguev1.Item) {
	if _, ok := r.cells[colFeeFlag]; !ok {
		return
	}
	it.Charged = choice(r, colFeeFlag, flags)
	f := &cataloguev1.Fee{
		DisplayName: r.text(colFeeName, r.cells[colFeeName]), Standard: r.text(colStandard, r.cells[colStandard]),
		Basis: r.text(colFeeBasis, r.cells[colFeeBasis]),
	}
	it.Fees = nil
	if it.GetCharged() || f.GetDisplayName() != "" || f.GetStandard() != "" || f.GetBasis() != "" {
		it.Fees = []*cataloguev1.Fee{f}
	}
	it.OnlinePayment = it.GetOnlinePayment() && it.GetCharged()
	if m := oneAmount.FindStringSubmatch(f.GetStandard()); m != nil {
		if yuan, err := strconv.ParseInt(m[1], 10, 64); err == nil { // seven digits always are a number
			f.AmountFen = yuan * 100
		}
	}
}

var theme = regexp.MustCompile(`^([pl]?)([0-9]{3})$`)

// themes reads p030 as a theme of persons and l010 as one of legal persons; without a
// letter it is of whom the item is for, if that is one kind only.
func (r *importRow) themes(it *cataloguev1.Item) {
	cell, ok := r.cells[colThemes]
	if !ok {
		return
	}
	it.PersonThemes, it.LegalThemes = nil, nil
	persons := slices.Contains(it.GetServiceObjects(), rules.Person)
	both := persons && len(it.GetServiceObjects()) > 1
	for _, word := range list(cell) {
		m := theme.FindStringSubmatch(word)
		switch {
		case m == nil || m[1] == "" && both:
			r.wrong(colThemes, "BAD_CODE", "应当是三位主题代码，自然人主题前加 p，法人主题前加 l")
		case m[1] == "p" || m[1] == "" && persons:
			it.PersonThemes = append(it.PersonThemes, m[2])
		default:
			it.LegalThemes = append(it.LegalThemes, m[2])
		}
	}
}

// materials reads name|form|copies|necessary|source, of which only the name must be
// there. A material known by its name keeps its id and what the row does not say.
func (r *importRow) materials(cell string, old []*cataloguev1.Material) []*cataloguev1.Material {
	known := map[string]*cataloguev1.Material{}
	taken := map[string]bool{}
	for _, m := range old {
		known[m.GetDisplayName()] = m
		taken[m.GetId()] = true
	}
	var all []*cataloguev1.Material
	for _, entry := range strings.FieldsFunc(cell, func(c rune) bool { return c == ';' || c == '；' || c == '\n' }) {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		parts := strings.Split(strings.ReplaceAll(entry, "｜", "|"), "|")
		parts = append(parts, "", "", "", "")[:max(len(parts), 5)]
		m := &cataloguev1.Material{DisplayName: r.text(colMaterials, strings.TrimSpace(parts[0])), Copies: 1}
		if k := known[m.GetDisplayName()]; k != nil {
			m.Id, m.Notes, m.LegalBasis = k.GetId(), k.GetNotes(), k.GetLegalBasis()
			delete(known, m.GetDisplayName())
		}
		r.material(m, parts[1:])
		all = append(all, m)
	}
	next := 1
	for _, m := range all {
		for ; m.GetId() == ""; next++ {
			if id := fmt.Sprintf("m%d", next); !taken[id] {
				m.Id = id
			}
		}
	}
	return all
}

func (r *importRow) material(m *cataloguev1.Material, parts []string) {
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	form, okForm := materialForms[parts[0]]
	necessary, okFlag := flags[parts[2]]
	source, okSource := materialSources[parts[3]]
	m.Form, m.Necessary, m.Source = form, necessary || parts[2] == "", source
	copies, err := strconv.ParseInt(cmp.Or(parts[1], "1"), 10, 32)
	m.Copies = int32(copies)
	if !okForm || !okFlag || !okSource || err != nil || len(parts) > 4 {
		r.wrong(colMaterials, "BAD_CODE", "材料应当写成 名称|形式|份数|必要性|来源")
	}
}

// result reads the one result that a row can hold; its sample stays if the name does.
func (r *importRow) result(it *cataloguev1.Item) {
	cell, ok := r.cells[colResult]
	if !ok {
		return
	}
	var sample string
	if old := it.GetResults(); len(old) > 0 && old[0].GetDisplayName() == cell {
		sample = old[0].GetSample()
	}
	it.Results = nil
	kind := choice(r, colResultType, resultTypes)
	if cell != "" {
		it.Results = []*cataloguev1.ResultDocument{{DisplayName: r.text(colResult, cell), Type: cmp.Or(kind, "other"), Sample: sample}}
	}
}
