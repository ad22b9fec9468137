package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// workbook writes rows; a text that begins with = is written as a formula.
func workbook(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	for r, row := range rows {
		for c, v := range row {
			at, err := excelize.CoordinatesToCellName(c+1, r+1)
			if err != nil {
				t.Fatal(err)
			}
			if s, ok := v.(string); ok && strings.HasPrefix(s, "=") {
				err = f.SetCellFormula("Sheet1", at, s)
			} else {
				err = f.SetCellValue("Sheet1", at, v)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	var b bytes.Buffer
	if err := errors.Join(f.Write(&b), f.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBothFormsReadTheSame(t *testing.T) {
	want := &Table{Header: []string{"item_code", "name"}, Rows: []Row{
		{Number: 2, Cells: []string{"A1", "甲"}}, {Number: 4, Cells: []string{"002017001000", "20"}},
	}}
	fromCSV, err := CSV([]byte("\xef\xbb\xbfitem_code, name\nA1,甲\n,\n\"002017001000\",20\n"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, fromCSV); d != "" {
		t.Error(d)
	}
	fromXLSX, err := XLSX(workbook(t, []any{"item_code", "name"}, []any{"A1", "甲"}, nil, []any{"002017001000", 20}))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, fromXLSX); d != "" {
		t.Error(d)
	}
}

func TestFormulasAreTold(t *testing.T) {
	fromCSV, err := CSV([]byte("a,b,c,d,e\n=1+1,+cmd|x,@SUM(A1),-2,+86752\n＝A1,-cmd,--,ok,-\n"))
	if err != nil {
		t.Fatal(err)
	}
	fromXLSX, err := XLSX(workbook(t, []any{"a", "b"}, []any{"x", "=1+1"}, []any{"@x", 3}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]int{{0, 1, 2}, {0, 1}} {
		if d := cmp.Diff(want, fromCSV.Rows[i].Computed); d != "" {
			t.Errorf("row %d: %s", i, d)
		}
	}
	if d := cmp.Diff([][]int{{1}, {0}}, [][]int{fromXLSX.Rows[0].Computed, fromXLSX.Rows[1].Computed}); d != "" {
		t.Error(d)
	}
}

func TestUnusableFiles(t *testing.T) {
	rows := func(n int) string { return "a\n" + strings.Repeat("x\n", n) }
	many := make([][]any, MaxRows+2)
	for i := range many {
		many[i] = []any{"x"}
	}
	gap := workbook(t, []any{"a"})
	f, err := excelize.OpenReader(bytes.NewReader(gap))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetCellValue("Sheet1", "A1000000", "x"); err != nil {
		t.Fatal(err)
	}
	var far bytes.Buffer
	if err := f.Write(&far); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		read func([]byte) (*Table, error)
		file []byte
		want error
	}{
		{"empty", CSV, nil, ErrNoHeader},
		{"only blanks", CSV, []byte("\n \n,,\n"), ErrNoHeader},
		{"header too late", CSV, []byte(",\na,b\n"), ErrNoHeader},
		{"GB18030", CSV, []byte("\xca\xc2\xcf\xee\n"), ErrEncoding},
		{"open quote", CSV, []byte("a\n\"b"), ErrMalformed},
		{"rows", CSV, []byte(rows(MaxRows + 1)), ErrRows},
		{"columns", CSV, []byte(strings.Repeat("a,", maxColumns) + "b\n"), ErrColumns},
		{"cell", CSV, []byte("a\n" + strings.Repeat("长", maxCell)), ErrCell},
		{"bytes", CSV, make([]byte, MaxBytes+1), ErrTooLarge},
		{"bytes", XLSX, make([]byte, MaxBytes+1), ErrTooLarge},
		{"no workbook", XLSX, []byte("a,b\n"), ErrMalformed},
		{"torn workbook", XLSX, gap[:len(gap)/2], ErrMalformed},
		{"rows", XLSX, workbook(t, many...), ErrRows},
		{"a row far away", XLSX, far.Bytes(), ErrRows},
		{"empty workbook", XLSX, workbook(t), ErrNoHeader},
	} {
		if _, err := c.read(c.file); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
	if table, err := CSV([]byte(rows(MaxRows))); err != nil || len(table.Rows) != MaxRows {
		t.Errorf("as many rows as may be: %v", err)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		table, err := CSV(content)
		if err == nil && (table.Header == nil || len(table.Rows) > MaxRows) {
			t.Fatal(fmt.Sprint(table))
		}
	})
}
