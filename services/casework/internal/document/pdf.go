package document

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/go-pdf/fpdf"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/typeface"
)

// The page, in millimetres and points: A4 with the type area and the sizes of GB/T 9704
// (title 二号, text 三号 made smaller so that most documents keep to one page).
const (
	left, top, right, bottom = 28.0, 35.0, 26.0, 30.0
	titleSize, textSize      = 22.0, 13.0
	smallSize                = 9.0
	leading                  = 8.0
	labelWidth               = 38.0
)

// sheet is a PDF being written from top to bottom.
type sheet struct {
	setter
	doc  *caseworkv1.CaseDocument
	y    float64
	wide float64
}

// PDF sets a document as a PDF that carries its own letters. The same document is always
// the same bytes, so its hash identifies it in an archive.
func PDF(d *caseworkv1.CaseDocument) ([]byte, error) {
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetCatalogSort(true)
	pdf.SetCreationDate(d.GetIssueTime().AsTime())
	pdf.SetModificationDate(d.GetIssueTime().AsTime())
	pdf.SetLang("zh-CN")
	pdf.SetTitle(d.GetTitle()+" "+d.GetDocumentNo(), true)
	pdf.SetAuthor(d.GetDepartmentTitle(), true)
	pdf.SetAutoPageBreak(false, 0)
	for _, f := range []*typeface.Face{typeface.Han, typeface.Latin} {
		// The library writes into the bytes it is given while it cuts the letters out.
		pdf.AddUTF8FontFromBytes(f.Name, "", bytes.Clone(f.File))
	}
	w, _ := pdf.GetPageSize()
	s := &sheet{setter: setter{pdf: pdf}, doc: d, wide: w - left - right}
	s.page()
	s.head()
	s.text(d.GetAddressee()+"：", 0)
	for _, p := range strings.Split(body(d), "\n") {
		s.text(p, 2)
	}
	s.table()
	s.text("法律依据："+strings.Join(d.GetLegalBasis(), "；")+"。", 2)
	if d.GetRemedies() != "" {
		s.text("救济途径："+d.GetRemedies(), 2)
	}
	s.sign()
	s.explain()
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	return out.Bytes(), nil
}

// body is what the text says between the addressee and the table.
func body(d *caseworkv1.CaseDocument) string {
	_, rest, _ := strings.Cut(d.GetText(), d.GetAddressee()+"：\n\n")
	said, _, _ := strings.Cut(rest, "\n\n")
	return said
}

func (s *sheet) page() {
	s.pdf.AddPage()
	s.y = top
	s.size = smallSize
	_, high := s.pdf.GetPageSize()
	s.centre(high-bottom/2, fmt.Sprintf("%s　第%d页", s.doc.GetDocumentNo(), s.pdf.PageNo()))
}

// room begins a new page unless so many millimetres are left on this one.
func (s *sheet) room(need float64) {
	if _, high := s.pdf.GetPageSize(); s.y+need > high-bottom {
		size := s.size
		s.page()
		s.size = size
	}
}

func (s *sheet) centre(y float64, text string) { s.draw(left+(s.wide-s.width(text))/2, y, text) }

func (s *sheet) head() {
	s.size = textSize
	s.centre(s.y, s.doc.GetDepartmentTitle())
	s.y += 13
	s.size = titleSize
	for _, line := range s.wrap(s.doc.GetTitle(), s.wide, 0) {
		s.centre(s.y, line)
		s.y += 11
	}
	s.size = smallSize + 1
	no := "编号：" + s.doc.GetDocumentNo()
	s.draw(left+s.wide-s.width(no), s.y, no)
	s.y += 5
	s.pdf.SetLineWidth(0.4)
	s.pdf.Line(left, s.y, left+s.wide, s.y)
	s.y += leading + 3
}

// text sets a paragraph, its first line moved in by so many characters.
func (s *sheet) text(p string, indent int) {
	s.size = textSize
	in := float64(indent) * s.width("一")
	for i, line := range s.wrap(p, s.wide, in) {
		s.room(leading)
		x := left
		if i == 0 {
			x += in
		}
		s.draw(x, s.y, line)
		s.y += leading
	}
}

// table sets the lines of data, each in a box.
func (s *sheet) table() {
	s.pdf.SetLineWidth(0.2)
	s.y += 2
	for _, f := range s.doc.GetFields() {
		s.size = textSize - 1
		labels, values := s.wrap(f.GetLabel(), labelWidth-4, 0), s.wrap(f.GetValue(), s.wide-labelWidth-4, 0)
		for first := true; first || len(labels)+len(values) > 0; first = false {
			s.room(2 * leading)
			_, high := s.pdf.GetPageSize()
			n := min(max(len(labels), len(values)), int((high-bottom-s.y)/leading))
			labels, values = s.box(labels, values, n)
		}
	}
	s.y += leading + 2
}

// box draws up to n lines of a row and returns what is left for the next page.
func (s *sheet) box(labels, values []string, n int) (restLabels, restValues []string) {
	high := float64(n)*leading + 1
	y := s.y - leading + 2.5
	s.pdf.Rect(left, y, labelWidth, high, "D")
	s.pdf.Rect(left+labelWidth, y, s.wide-labelWidth, high, "D")
	column := func(x float64, lines []string) []string {
		for i, line := range lines[:min(n, len(lines))] {
			s.draw(x, s.y+0.5+float64(i)*leading, line)
		}
		return lines[min(n, len(lines)):]
	}
	restLabels, restValues = column(left+2, labels), column(left+labelWidth+2, values)
	s.y += high
	return restLabels, restValues
}

// sign sets who issued it and when, together on one page.
func (s *sheet) sign() {
	s.size = textSize
	s.room(5 * leading)
	s.y += 2 * leading
	for _, line := range []string{s.doc.GetDepartmentTitle(), day(s.doc.GetIssueTime())} {
		s.draw(left+s.wide-s.width(line), s.y, line)
		s.y += leading
	}
}

// explain says at the end what the archive keeps and which characters the faces lack.
func (s *sheet) explain() {
	var notes []string
	if term := termWords[s.doc.GetArchiveTerm()]; term != "" {
		note := "归档保管期限：" + term
		if until, err := time.Parse(time.DateOnly, s.doc.GetArchiveUntil()); err == nil {
			note += fmt.Sprintf("，至%d年%d月%d日", until.Year(), int(until.Month()), until.Day())
		}
		notes = append(notes, note)
	}
	for _, r := range s.missing {
		notes = append(notes, fmt.Sprintf("“〓”处的字为 U+%04X，字形以电子数据为准", r))
	}
	s.size = smallSize
	for _, n := range notes {
		for _, line := range s.wrap(n, s.wide, 0) {
			s.room(5)
			s.draw(left, s.y, line)
			s.y += 5
		}
	}
}

var termWords = map[caseworkv1.ArchiveTerm]string{
	caseworkv1.ArchiveTerm_ARCHIVE_TERM_TEN_YEARS: "10年", caseworkv1.ArchiveTerm_ARCHIVE_TERM_THIRTY_YEARS: "30年", caseworkv1.ArchiveTerm_ARCHIVE_TERM_PERMANENT: "永久",
}
