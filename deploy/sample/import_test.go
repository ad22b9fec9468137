package sample

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/onehall/onehall/services/platform/codes"
)

var importColumns = strings.Split("item_code,name,base_code,item_type,case_type,statutory_limit,statutory_unit,"+
	"promised_limit,promised_unit,visits,visit_reason,fee_flag,fee_name,fee_standard,fee_basis,service_objects,themes,"+
	"legal_basis,materials,consult_phone,complaint_phone,online_depth,handling_forms,result_name,result_type", ",")

func readRows(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return rows
}

func TestImportListsHaveTheColumns(t *testing.T) {
	for _, name := range []string{"import_good.csv", "import_bad.csv"} {
		if rows := readRows(t, name); !slices.Equal(rows[0], importColumns) {
			t.Errorf("%s: columns %v", name, rows[0])
		}
	}
	want := readRows(t, "import_bad.want.csv")
	if got := len(readRows(t, "import_bad.csv")); got != len(want) {
		t.Errorf("%d bad rows, %d explained", got, len(want))
	}
	for _, w := range want[1:] {
		if !slices.Contains(importColumns, w[1]) {
			t.Errorf("row %s: no column %s", w[0], w[1])
		}
	}
}

func TestGoodListFitsTheDirectoryAndTheDepartment(t *testing.T) {
	dir := make(map[string]string)
	for _, b := range Directory() {
		dir[b.BaseCode] = b.Name
	}
	taken := make(map[string]bool)
	uscc := ""
	for _, it := range Huizhou().Items {
		taken[it.ItemCode] = true
		if it.Division == huizhouCode && it.Department == "market-supervision" {
			uscc = it.USCC
		}
	}
	rows := readRows(t, "import_good.csv")
	if len(rows) < 20 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, r := range rows[1:] {
		parts, err := codes.ParseItemCode(r[0])
		if err != nil || parts.USCC != uscc || parts.BaseCode() != r[2] || dir[r[2]] != r[1] || taken[r[0]] {
			t.Errorf("%s %s: directory says %q, taken %v, %v", r[0], r[1], dir[r[2]], taken[r[0]], err)
		}
	}
}
