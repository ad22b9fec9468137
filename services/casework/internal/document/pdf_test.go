package document

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-pdf/fpdf"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/typeface"
)

func issued(t *testing.T, change func(*caseworkv1.Case), r Request) *caseworkv1.CaseDocument {
	t.Helper()
	doc, err := Write(full(change), r)
	if err != nil {
		t.Fatal(err)
	}
	doc.DepartmentTitle = "惠州市市场监督管理局"
	doc.ArchiveTerm, doc.ArchiveUntil = caseworkv1.ArchiveTerm_ARCHIVE_TERM_THIRTY_YEARS, "2056-12-31"
	return doc
}

// readText is what another program, poppler's, reads out of a PDF.
func readText(t *testing.T, pdf []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdftotext", "-layout", path, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("pdftotext: %v: %s", err, out)
	}
	return strings.Join(strings.Fields(string(out)), "")
}

func TestPDFSaysWhatTheTextSays(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*caseworkv1.Case)
		r      Request
	}{
		"receipt":    {nil, Request{Kind: kindReceipt}},
		"acceptance": {nil, Request{Kind: kindAcceptance}},
		"supplement": {nil, Request{Kind: kindSupplement, Serial: 1}},
		"special":    {nil, Request{Kind: kindSpecial, Serial: 1}},
		"decision":   {nil, Request{Kind: kindDecision}},
		"delivery":   {nil, Request{Kind: kindDelivery}},
		"revocation": {nil, Request{Kind: kindRevocation}},
		"refusal":    {ended(caseworkv1.CaseState_CASE_STATE_REFUSED, "本机关没有这项职权\n有权受理机关：惠州市公安局"), Request{Kind: kindRefusal}},
	} {
		t.Run(name, func(t *testing.T) {
			doc := issued(t, tc.change, tc.r)
			pdf, err := PDF(doc)
			if err != nil {
				t.Fatal(err)
			}
			got := readText(t, pdf)
			want := []string{doc.GetTitle(), doc.GetDocumentNo(), doc.GetAddressee() + "：", body(doc), doc.GetRemedies(), doc.GetDepartmentTitle(), day(doc.GetIssueTime()), "归档保管期限：30年，至2056年12月31日"}
			for _, f := range doc.GetFields() {
				want = append(want, f.GetLabel(), f.GetValue())
			}
			for _, w := range append(want, doc.GetLegalBasis()...) {
				if !strings.Contains(got, strings.Join(strings.Fields(w), "")) {
					t.Errorf("the PDF lacks %q:\n%s", w, got)
				}
			}
		})
	}
}

func TestPDFIsTheSameBytes(t *testing.T) {
	doc := issued(t, nil, Request{Kind: kindReceipt})
	first, err := PDF(doc)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 24 { // side by side: the faces are shared
		all.Go(func() {
			if again, err := PDF(doc); err != nil || !bytes.Equal(first, again) {
				t.Errorf("another time it is other bytes (%v)", err)
			}
		})
	}
	all.Wait()
	if len(first) > 200<<10 {
		t.Errorf("%d bytes: the faces are embedded whole", len(first))
	}
}

func TestPDFOfManyPages(t *testing.T) {
	doc := issued(t, func(c *caseworkv1.Case) {
		c.Supplements[0].Reason = strings.Repeat("平面图没有标明后厨面积，请按照比例重新绘制。", 150)
	}, Request{Kind: kindSupplement, Serial: 1})
	pdf, err := PDF(doc)
	if err != nil {
		t.Fatal(err)
	}
	got := readText(t, pdf)
	if n := strings.Count(got, "平面图没有标明"); n < 140 || !strings.Contains(got, "第3页") {
		t.Errorf("the reason stands %d times of 150 unbroken, or there is no third page", n)
	}
}

func TestPDFNamesWhatItCannotDraw(t *testing.T) {
	doc := issued(t, func(c *caseworkv1.Case) { c.Applicant.DisplayName = "𠮷田测试" }, Request{Kind: kindAcceptance})
	pdf, err := PDF(doc)
	if err != nil {
		t.Fatal(err)
	}
	if got := readText(t, pdf); !strings.Contains(got, "〓田测试：") || !strings.Contains(got, "U+20BB7") {
		t.Errorf("the missing character is passed over:\n%s", got)
	}
}

func TestWrap(t *testing.T) {
	pdf := fpdf.New("P", "mm", "A4", "")
	for _, f := range []*typeface.Face{typeface.Han, typeface.Latin} {
		pdf.AddUTF8FontFromBytes(f.Name, "", bytes.Clone(f.File))
	}
	s := &setter{pdf: pdf, size: 13}
	one := s.width("一")
	for name, tc := range map[string]struct {
		text   string
		indent float64
		want   []string
	}{
		"short":           {"惠州市", 0, []string{"惠州市"}},
		"full":            {"一二三四五六", 0, []string{"一二三四五", "六"}},
		"indent":          {"一二三四五六", 2, []string{"一二三", "四五六"}},
		"no comma first":  {"一二三四五，六", 0, []string{"一二三四", "五，六"}},
		"no bracket last": {"一二三四（五六）", 0, []string{"一二三四", "（五六）"}},
		"a word whole":    {"一二三abcd四", 0, []string{"一二三", "abcd四"}},
		"a word too long": {strings.Repeat("w", 40), 0, nil},
		"empty":           {"", 0, nil},
	} {
		got := s.wrap(tc.text, 5*one+0.01, tc.indent*one)
		if tc.want != nil && strings.Join(got, "|") != strings.Join(tc.want, "|") {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		if strings.Join(got, "") != tc.text {
			t.Errorf("%s: %q says not what %q says", name, got, tc.text)
		}
		for _, line := range got {
			if s.width(line) > 5*one+one { // punctuation may hang over by one
				t.Errorf("%s: %q is too long", name, line)
			}
		}
	}
}
