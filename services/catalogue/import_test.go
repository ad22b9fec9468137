package catalogue_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"google.golang.org/protobuf/testing/protocmp"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

var header = strings.Split("item_code,name,base_code,item_type,case_type,statutory_limit,statutory_unit,promised_limit,promised_unit,visits,"+
	"visit_reason,fee_flag,fee_name,fee_standard,fee_basis,service_objects,themes,legal_basis,materials,consult_phone,complaint_phone,"+
	"online_depth,handling_forms,result_name,result_type", ",")

// cells is a good row of the n-th item.
func cells(n int) map[string]string {
	return map[string]string{
		"item_code": code(n), "name": fmt.Sprintf("户口登记%d", n), "base_code": base(n), "item_type": "20", "case_type": "2", "statutory_limit": "20",
		"statutory_unit": "working_day", "promised_limit": "5", "promised_unit": "working_day", "visits": "0", "fee_flag": "0", "service_objects": "1",
		"themes": "p010", "legal_basis": "《户口登记条例》", "materials": "居民身份证|either|1|yes|government;申请表", "consult_phone": "0752-12345",
		"complaint_phone": "0752-12388", "online_depth": "1;2;4;5;6", "handling_forms": "1,2", "result_name": "户口簿", "result_type": "certificate",
	}
}

// csv writes rows under the header.
func csv(rows ...map[string]string) []byte {
	lines := []string{strings.Join(header, ",")}
	for _, row := range rows {
		var line []string
		for _, h := range header {
			line = append(line, `"`+row[h]+`"`)
		}
		lines = append(lines, strings.Join(line, ","))
	}
	return []byte("\xef\xbb\xbf" + strings.Join(lines, "\r\n"))
}

func (h *house) imports(user string, content []byte, change func(*cataloguev1.ImportItemsRequest)) (*cataloguev1.ImportItemsResponse, error) {
	req := &cataloguev1.ImportItemsRequest{Parent: police, Format: cataloguev1.ImportFormat_IMPORT_FORMAT_CSV, Content: content, RequestId: id()}
	if change != nil {
		change(req)
	}
	return h.client.ImportItems(h.As(user), req)
}

func TestImport(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(9)
		file := csv(cells(1), cells(2), cells(3))
		dry, err := h.imports("editor", file, func(r *cataloguev1.ImportItemsRequest) { r.DryRun = true })
		h.must(err)
		want := &cataloguev1.ImportItemsResponse{Rows: 3, Created: 3}
		if d := cmp.Diff(want, dry, protocmp.Transform()); d != "" {
			t.Errorf("dry run: %s", d)
		}
		if _, err := h.client.GetItemDraft(h.As("editor"), &cataloguev1.GetItemDraftRequest{Name: name(1)}); !is(err, fault.ItemNotFound) {
			t.Errorf("a dry run wrote: %v", err)
		}
		req := &cataloguev1.ImportItemsRequest{Parent: police, Format: 1, Content: file, RequestId: id()}
		for range 2 { // a repeated request is answered as the first time
			resp, err := h.client.ImportItems(h.As("editor"), req)
			h.must(err)
			want.Applied = true
			if d := cmp.Diff(want, resp, protocmp.Transform()); d != "" {
				t.Error(d)
			}
		}
		draft, err := h.client.GetItemDraft(h.As("editor"), &cataloguev1.GetItemDraftRequest{Name: name(1)})
		h.must(err)
		if draft.GetTitle() != "户口登记1" || draft.GetLevel() != 3 || len(draft.GetMaterials()) != 2 || draft.GetMaterials()[1].GetId() != "m2" ||
			!draft.GetFullOnline() || draft.GetDepthLevel() != 4 || draft.GetPersonThemes()[0] != "010" || draft.GetState() != cataloguev1.ItemState_ITEM_STATE_DRAFT {
			t.Errorf("draft %v", draft)
		}
		// What the list does not say stays; what is the same is not written.
		edited := with(draft, func(i *cataloguev1.Item) {
			i.Aliases, i.Materials[0].Notes, i.Results[0].Sample = []string{"上户口"}, "原件", "样本"
		})
		_, err = h.update("editor", edited)
		h.must(err)
		again := cells(2)
		again["promised_limit"] = "3"
		resp, err := h.imports("editor", csv(cells(1), again, cells(3), cells(4)), nil)
		h.must(err)
		if d := cmp.Diff(&cataloguev1.ImportItemsResponse{Rows: 4, Created: 1, Updated: 1, Unchanged: 2, Applied: true}, resp, protocmp.Transform()); d != "" {
			t.Error(d)
		}
		draft, err = h.client.GetItemDraft(h.As("editor"), &cataloguev1.GetItemDraftRequest{Name: name(1)})
		h.must(err)
		if draft.GetAliases() == nil || draft.GetMaterials()[0].GetNotes() != "原件" || draft.GetResults()[0].GetSample() != "样本" {
			t.Errorf("an import lost what others wrote: %v", draft)
		}
		_, err = h.imports("civil", file, nil)
		h.refused("another department's editor", err, fault.NotFound)
		_, err = h.imports("abroad", file, nil)
		h.refused("another hall's editor", err, fault.NotFound)
		_, err = h.imports("publisher", file, nil)
		h.refused("a publisher", err, fault.PermissionDenied)
	})
}

func TestImportFindsWhatIsWrong(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(9)
		_, err := h.load(item(8))
		h.must(err)
		cases := []struct {
			column, value, want, reason string
			severity                    cataloguev1.Severity
		}{
			{"item_code", "", "item_code", "REQUIRED", 1},
			{"item_code", "11440300MB2D2694XL4442111826000", "item_code", "BAD_ITEM_CODE", 1},
			{"item_code", strings.ToLower(code(1)), "item_code", "BAD_ITEM_CODE", 1},
			{"item_code", "11440000MB2D0164XH3" + base(1), "item_code", "Q11", 1},
			{"name", "", "name", "REQUIRED", 1},
			{"name", "户口\u202e登记", "name", "BAD_TEXT", 1},
			{"name", "=HYPERLINK(A1)", "name", "FORMULA_CELL", 1},
			{"name", strings.Repeat("长", 201), "name", "BAD_VALUE", 1},
			{"name", "居住证办理8", "name", "Q12", 2},
			{"base_code", base(2), "base_code", "Q11", 1},
			{"base_code", "44", "base_code", "BAD_ITEM_CODE", 1},
			{"item_type", "10", "item_type", "Q11", 1},
			{"item_type", "打招呼", "item_type", "BAD_CODE", 1},
			{"item_type", "非行政许可审批", "item_type", "Q11", 1},
			{"case_type", "1", "case_type", "Q1", 1},
			{"case_type", "9", "case_type", "BAD_CODE", 1},
			{"statutory_limit", "二十", "statutory_limit", "BAD_NUMBER", 1},
			{"statutory_limit", "-1", "statutory_limit", "BAD_NUMBER", 1},
			{"statutory_limit", "9999", "statutory_limit", "BAD_VALUE", 1},
			{"promised_limit", "21", "promised_limit", "Q2", 1},
			{"promised_unit", "自然日", "promised_unit", "Q2", 1},
			{"promised_unit", "年", "promised_unit", "BAD_CODE", 1},
			{"visits", "1", "visit_reason", "Q3", 1},
			{"visit_reason", "核对原件", "visit_reason", "Q3", 1},
			{"handling_forms", "1", "handling_forms", "Q4", 1},
			{"handling_forms", "7", "handling_forms", "BAD_VALUE", 1},
			{"online_depth", "x", "online_depth", "BAD_NUMBER", 1},
			{"fee_flag", "1", "fee_name", "Q6", 1},
			{"fee_name", "工本费", "fee_name", "Q6", 1},
			{"fee_flag", "也许", "fee_flag", "BAD_CODE", 1},
			{"service_objects", "2", "themes", "Q7", 1},
			{"themes", "p01", "themes", "BAD_CODE", 1},
			{"themes", "", "themes", "Q7", 1},
			{"materials", "其他材料", "materials", "Q12", 2},
			{"materials", "身份证|石头", "materials", "BAD_CODE", 1},
			{"materials", "身份证|纸质|一", "materials", "BAD_CODE", 1},
			{"consult_phone", "12345", "consult_phone", "Q8", 2},
			{"complaint_phone", "0752-12345", "complaint_phone", "Q8", 2},
			{"result_type", "document", "result_type", "Q10", 2},
			{"result_type", "画", "result_type", "BAD_CODE", 1},
		}
		for _, c := range cases {
			row := cells(1)
			row[c.column] = c.value
			resp, err := h.imports("editor", csv(row), func(r *cataloguev1.ImportItemsRequest) { r.DryRun = true })
			h.must(err)
			found := false
			for _, e := range resp.GetErrors() {
				found = found || e.GetRow() == 2 && e.GetColumn() == c.want && e.GetReason() == c.reason && e.GetSeverity() == c.severity && e.GetMessage() != ""
			}
			if !found || (c.severity == 1) != (resp.GetCreated() == 0) {
				t.Errorf("%s %q: %v", c.column, c.value, resp)
			}
		}
		twice := cells(1)
		wrong := cells(2)
		wrong["name"] = ""
		resp, err := h.imports("editor", csv(cells(1), twice, wrong, cells(8)), nil)
		h.must(err)
		if resp.GetApplied() || len(resp.GetErrors()) != 2 || resp.GetErrors()[0].GetReason() != "DUPLICATE_ITEM_CODE" || resp.GetErrors()[0].GetRow() != 3 || resp.GetErrors()[1].GetRow() != 4 {
			t.Errorf("all or nothing: %v", resp)
		}
		if _, err := h.client.GetItemDraft(h.As("editor"), &cataloguev1.GetItemDraftRequest{Name: name(1)}); !is(err, fault.ItemNotFound) {
			t.Errorf("a refused import wrote: %v", err)
		}
	})
}

func TestImportForms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(3)
		f := excelize.NewFile()
		zh := []any{"事项编码", "事项名称", "基本编码", "事项类型", "办件类型", "法定办结时限", "承诺办结时限", "服务对象", "主题", "申请材料", "办理形式", "备注"}
		row := []any{code(1), "户口登记", base(1), "公共服务", "承诺件", 20, 5, "1", "010", "身份证；户口簿｜纸质｜2｜否｜申请人自备", "1，2", "随便"}
		if err := errors.Join(f.SetSheetRow("Sheet1", "A1", &zh), f.SetSheetRow("Sheet1", "A2", &row)); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := errors.Join(f.Write(&b), f.Close()); err != nil {
			t.Fatal(err)
		}
		resp, err := h.imports("editor", b.Bytes(), func(r *cataloguev1.ImportItemsRequest) { r.Format = 2 })
		h.must(err)
		if !resp.GetApplied() || resp.GetCreated() != 1 {
			t.Fatalf("xlsx: %v", resp)
		}
		draft, err := h.client.GetItemDraft(h.As("editor"), &cataloguev1.GetItemDraftRequest{Name: name(1)})
		h.must(err)
		m := draft.GetMaterials()
		if draft.GetItemType() != "20" || draft.GetCaseType() != 2 || len(m) != 2 || m[1].GetForm() != 1 || m[1].GetCopies() != 2 || m[1].GetNecessary() || m[1].GetSource() != 1 {
			t.Errorf("draft %v", draft)
		}
		for _, c := range []struct {
			what    string
			content []byte
			format  cataloguev1.ImportFormat
		}{
			{"GB18030", []byte("\xca\xc2\xcf\xee\n"), 1}, {"no workbook", []byte("a,b\n"), 2}, {"empty", []byte("\n"), 1},
			{"too many rows", []byte("item_code\n" + strings.Repeat("x\n", 5001)), 1},
		} {
			_, err := h.imports("editor", c.content, func(r *cataloguev1.ImportItemsRequest) { r.Format = c.format })
			h.refused(c.what, err, fault.ImportInvalid)
		}
		resp, err = h.imports("editor", []byte("item_code,name,名称\nx,y,z\n"), nil)
		h.must(err)
		reasons := map[string]string{}
		for _, e := range resp.GetErrors() {
			reasons[e.GetColumn()] = e.GetReason()
		}
		if resp.GetApplied() || reasons["name"] != "DUPLICATE_COLUMN" || reasons["base_code"] != "MISSING_COLUMN" {
			t.Errorf("header: %v", resp)
		}
	})
}
