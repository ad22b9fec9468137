package filetype

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/onehall/onehall/services/platform/fault"
)

func TestKinds(t *testing.T) {
	for name, tc := range map[string]struct {
		b     []byte
		claim Claim
		want  *Kind
	}{
		"pdf":              {[]byte(aPDF), Claim{Name: "a.pdf", MediaType: "application/pdf"}, PDF},
		"pdf without name": {[]byte(aPDF), Claim{}, PDF},
		"png":              {aPNG(t), Claim{Name: "扫描件.PNG", MediaType: "image/png"}, PNG},
		"jpeg":             {aJPEG(t), Claim{Name: "a.jpg", MediaType: "image/jpg"}, JPEG},
		"docx":             {aDOCX(t), Claim{Name: "a.docx", MediaType: "application/octet-stream"}, DOCX},
		"xlsx":             {aZip(t, contentTypes, "<Types/>", "xl/workbook.xml", "<workbook/>"), Claim{Name: "a.xlsx"}, XLSX},
		"pptx":             {aZip(t, contentTypes, "<Types/>", "ppt/presentation.xml", "<p/>"), Claim{Name: "a.pptx"}, PPTX},
		"ofd":              {aZip(t, "OFD.xml", "<OFD/>", "Doc_0/Document.xml", "<Document/>"), Claim{Name: "a.ofd"}, OFD},
		"text":             {[]byte("姓名,金额\r\n甲,3\r\n"), Claim{Name: "a.csv", MediaType: "text/csv; charset=utf-8"}, Text},
		"text in GBK":      {[]byte("\xc4\xe3\xba\xc3, \xca\xc0\xbd\xe7\n"), Claim{Name: "a.txt"}, Text},
		"a dot in a name":  {[]byte(aPDF), Claim{Name: "合同 v1.2.pdf"}, PDF},
		"the item's kinds": {[]byte(aPDF), Claim{Name: "a.pdf", Kinds: []string{"jpeg", "pdf"}}, PDF},
	} {
		if got, err := Check(bytes.NewReader(tc.b), int64(len(tc.b)), tc.claim); err != nil || got != tc.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestHostileFiles is row H67 of the hostile inputs, and more of its kind.
func TestHostileFiles(t *testing.T) {
	pdf := []byte(aPDF)
	huge := strings.Repeat("0", 32<<20)
	for name, tc := range map[string]struct {
		b     []byte
		claim Claim
		want  *fault.Reason
	}{
		"empty":                      {nil, Claim{}, fault.FileEmpty},
		"declared PDF, Windows":      {[]byte("MZ\x90\x00 a program"), Claim{Name: "a.pdf", MediaType: "application/pdf"}, fault.FileTypeRefused},
		"declared PDF, Linux":        {[]byte("\x7fELF\x02\x01\x01"), Claim{Name: "a.pdf"}, fault.FileTypeRefused},
		"declared PDF, Mac":          {[]byte("\xcf\xfa\xed\xfe\x07\x00"), Claim{Name: "a.pdf"}, fault.FileTypeRefused},
		"script":                     {[]byte("#!/bin/sh\nrm -rf /\n"), Claim{Name: "a.txt"}, fault.FileTypeRefused},
		"batch":                      {[]byte("@echo off\r\ndel *\r\n"), Claim{Name: "a.txt"}, fault.FileTypeRefused},
		"old word document":          {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest"), Claim{Name: "a.doc"}, fault.FileTypeRefused},
		"rar":                        {[]byte("Rar!\x1a\x07\x00"), Claim{Name: "a.rar"}, fault.FileTypeRefused},
		"SVG with script":            {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), Claim{Name: "a.svg"}, fault.FileTypeRefused},
		"HTML":                       {[]byte("<!DOCTYPE html><p>hello"), Claim{Name: "a.txt"}, fault.FileTypeRefused},
		"HTML late in a text":        {[]byte(strings.Repeat("a", 9000) + "<SCRIPT>"), Claim{Name: "a.txt"}, fault.FileTypeRefused},
		"bytes of nothing":           {[]byte("\x00\x01\x02\x03"), Claim{}, fault.FileTypeRefused},
		"EICAR":                      {eicar, Claim{Name: "a.txt"}, fault.FileInfected},
		"EICAR in a document":        {aDOCX(t, "word/media/a.txt", string(eicar)), Claim{Name: "a.docx"}, fault.FileTypeRefused},
		"PDF and ZIP":                {append(bytes.Clone(pdf), aZip(t, "a.txt", "x")...), Claim{Name: "a.pdf"}, fault.FileTypeRefused},
		"PDF and program":            {append(bytes.Clone(pdf), "\x7fELF\x02"...), Claim{Name: "a.pdf"}, fault.FileTypeRefused},
		"PDF with script":            {[]byte(strings.Replace(aPDF, "/Catalog", "/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>", 1)), Claim{}, fault.FileTypeRefused},
		"PDF that starts something":  {[]byte(strings.Replace(aPDF, "/Catalog", "/Catalog/AA<</S/Launch>>", 1)), Claim{}, fault.FileTypeRefused},
		"PDF with a password":        {[]byte(strings.Replace(aPDF, "trailer<<", "trailer<</Encrypt 5 0 R", 1)), Claim{}, fault.FileEncrypted},
		"PDF cut short":              {pdf[:40], Claim{}, fault.FileBroken},
		"PNG of 40,000 squared":      {hugePNG(t), Claim{Name: "a.png"}, fault.ImageTooLarge},
		"PNG and ZIP":                {append(aPNG(t), aZip(t, "a.txt", "x")...), Claim{Name: "a.png"}, fault.FileTypeRefused},
		"PNG cut short":              {aPNG(t)[:30], Claim{}, fault.FileBroken},
		"PNG without its end":        {aPNG(t)[:len(aPNG(t))-6], Claim{}, fault.FileBroken},
		"JPEG and page":              {append(aJPEG(t), "<html><script>"...), Claim{Name: "a.jpg"}, fault.FileTypeRefused},
		"JPEG without its end":       {aJPEG(t)[:len(aJPEG(t))-2], Claim{}, fault.FileBroken},
		"1000:1 in a document":       {aDOCX(t, "word/media/a.png", huge), Claim{Name: "a.docx"}, fault.FileUnpacksTooLarge},
		"a document with a macro":    {aDOCX(t, "word/vbaProject.bin", "x"), Claim{Name: "a.docx"}, fault.FileTypeRefused},
		"a document with a program":  {aDOCX(t, "word/media/setup.exe", "x"), Claim{Name: "a.docx"}, fault.FileTypeRefused},
		"a program by another name":  {aDOCX(t, "word/media/a.png", "MZ\x90\x00"), Claim{Name: "a.docx"}, fault.FileTypeRefused},
		"a document in a document":   {aDOCX(t, "word/embeddings/oleObject1.bin", "x"), Claim{Name: "a.docx"}, fault.FileTypeRefused},
		"an archive in a document":   {aDOCX(t, "word/media/a.png", string(aZip(t, "a", "b"))), Claim{Name: "a.docx"}, fault.FileTypeRefused},
		"two documents":              {aDOCX(t, "xl/workbook.xml", "x"), Claim{Name: "a.docx"}, fault.FileTypeRefused},
		"two members of one name":    {aDOCX(t, "Word/Document.xml", "x"), Claim{Name: "a.docx"}, fault.FileTypeRefused},
		"a way out":                  {aDOCX(t, "../../etc/cron.d/x", "x"), Claim{Name: "a.docx"}, fault.FileTypeRefused},
		"a locked document":          {aDOCX(t, "word/a.xml!", "x"), Claim{Name: "a.docx"}, fault.FileEncrypted},
		"an archive":                 {aZip(t, "a.txt", "x"), Claim{Name: "a.zip"}, fault.FileTypeRefused},
		"an archive with a tail":     {append(aDOCX(t), "<html>"...), Claim{Name: "a.docx"}, fault.FileTypeRefused},
		"an archive cut short":       {aDOCX(t)[:60], Claim{Name: "a.docx"}, fault.FileBroken},
		"declared PNG, is PDF":       {pdf, Claim{Name: "a.pdf", MediaType: "image/png"}, fault.FileTypeMismatch},
		"named PNG, is PDF":          {pdf, Claim{Name: "a.png"}, fault.FileTypeMismatch},
		"named program":              {pdf, Claim{Name: "a.pdf.exe"}, fault.FileTypeMismatch},
		"a program between the dots": {pdf, Claim{Name: "a.exe.pdf"}, fault.FileTypeRefused},
		"not a kind of the item":     {pdf, Claim{Name: "a.pdf", Kinds: []string{"jpeg"}}, fault.FileTypeRefused},
	} {
		if k, err := Check(bytes.NewReader(tc.b), int64(len(tc.b)), tc.claim); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, %v; want %s", name, k, err, tc.want.Name)
		}
	}
}

func TestEveryCutAndFlipIsAnswered(t *testing.T) {
	for _, b := range [][]byte{[]byte(aPDF), aPNG(t), aJPEG(t), aDOCX(t)} {
		for i := range b {
			if _, err := Check(bytes.NewReader(b[:i]), int64(i), Claim{}); err != nil && fault.Of(err).Reason() == fault.Internal {
				t.Fatalf("cut at %d: %v", i, err)
			}
			flipped := bytes.Clone(b)
			flipped[i] ^= 0xff
			if _, err := Check(bytes.NewReader(flipped), int64(len(b)), Claim{}); err != nil && fault.Of(err).Reason() == fault.Internal {
				t.Fatalf("flipped at %d: %v", i, err)
			}
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(aPDF))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Check(bytes.NewReader(b), int64(len(b)), Claim{}); err != nil && fault.Of(err).Reason() == fault.Internal {
			t.Fatal(err)
		}
	})
}

// TestCleanName is row H68 of the hostile inputs.
func TestCleanName(t *testing.T) {
	for sent, want := range map[string]string{
		"身份证.pdf": "身份证.pdf", "a b.pdf": "a b.pdf", "../../x": "x", `..\..\x.pdf`: "x.pdf", "/etc/passwd": "passwd", "": "file", "...": "file",
		"-rf": "rf", "--.pdf": "pdf", ".htaccess": "htaccess", "a\x00b.pdf": "ab.pdf", "a\u202egpj.exe": "agpj.exe", "a\u200b.pdf": "a.pdf",
		"con": "_con", "LPT1.pdf": "_LPT1.pdf", "nul .txt": "_nul .txt", "a.pdf. . ": "a.pdf", "a\r\nSet-Cookie: x.pdf": "a Set-Cookie_ x.pdf",
		`a"b;c.pdf`: "a_b;c.pdf", "\xff\xfe.pdf": "pdf", "  两  个  空格 .pdf": "两 个 空格 .pdf", "a%2fb.pdf": "a_2fb.pdf",
	} {
		if got := CleanName(sent); got != want {
			t.Errorf("%q became %q, want %q", sent, got, want)
		}
	}
	long := CleanName(strings.Repeat("长", 4096) + ".pdf")
	if utf8.RuneCountInString(long) != maxName || !strings.HasSuffix(long, "长.pdf") {
		t.Errorf("a long name became %d characters: …%q", utf8.RuneCountInString(long), long[len(long)-20:])
	}
}
