// Package filetype decides by its bytes what a file is, and whether it may be handed in.
//
// What a name or a sender claims only ever makes the answer stricter. A file is taken
// when it is one of a few kinds and nothing else: not a program, not two kinds at once,
// not larger unpacked than a reader could bear. Nothing is decoded to find out: headers
// and directories are read with fixed bounds, so no file costs more than its own length.
package filetype

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/onehall/onehall/services/platform/fault"
)

// Kind is one kind of file that may be handed in.
type Kind struct {
	// Name is its short name, MediaType its type.
	Name, MediaType string
	// Extensions are those its name may have, the usual one first.
	Extensions []string
}

// The kinds.
var (
	PDF  = &Kind{"pdf", "application/pdf", []string{".pdf"}}
	JPEG = &Kind{"jpeg", "image/jpeg", []string{".jpg", ".jpeg", ".jpe", ".jfif"}}
	PNG  = &Kind{"png", "image/png", []string{".png"}}
	OFD  = &Kind{"ofd", "application/ofd", []string{".ofd"}}
	DOCX = &Kind{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", []string{".docx"}}
	XLSX = &Kind{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", []string{".xlsx"}}
	PPTX = &Kind{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", []string{".pptx"}}
	Text = &Kind{"txt", "text/plain", []string{".txt", ".text", ".csv"}}
)

// Kinds are all kinds.
func Kinds() []*Kind { return []*Kind{PDF, JPEG, PNG, OFD, DOCX, XLSX, PPTX, Text} }

// Claim is what is said of a file.
type Claim struct {
	// Name is its clean name, MediaType what the sender says it is; empty for nothing.
	Name, MediaType string
	// Kinds are the names of those that are taken here; empty for all.
	Kinds []string
}

// head is how much of a file's beginning decides what it may be, tail how much of its
// end is looked at for a second kind.
const (
	head = 4096
	tail = 64 << 10
)

// Check finds out what a file is. The error is a fault that says why it is not taken.
func Check(r io.ReaderAt, size int64, claim Claim) (*Kind, error) {
	if size == 0 {
		return nil, fault.FileEmpty.New()
	}
	begin, err := part(r, 0, min(size, head))
	if err != nil {
		return nil, err
	}
	if infected(begin) {
		return nil, fault.FileInfected.New()
	}
	if forbidden(begin) {
		return nil, fault.FileTypeRefused.New()
	}
	k, err := recognise(r, size, begin)
	if err != nil {
		return nil, err
	}
	if k == nil || len(claim.Kinds) > 0 && !slices.Contains(claim.Kinds, k.Name) {
		return nil, fault.FileTypeRefused.New()
	}
	if err := claim.fits(k); err != nil {
		return nil, err
	}
	return k, nil
}

// recognise finds the kind, nil for none of ours, and refuses what else is wrong with
// such a file.
func recognise(r io.ReaderAt, size int64, begin []byte) (*Kind, error) {
	switch text := string(begin); {
	case strings.HasPrefix(text, "%PDF-"):
		return PDF, checkPDF(r, size)
	case strings.HasPrefix(text, "\xff\xd8\xff"):
		return JPEG, checkImage(r, size, JPEG)
	case strings.HasPrefix(text, "\x89PNG\r\n\x1a\n"):
		return PNG, checkImage(r, size, PNG)
	case strings.HasPrefix(text, "PK\x03\x04"):
		return checkZip(r, size)
	}
	return plain(r, size)
}

// fits compares what is claimed with what the file is.
func (c Claim) fits(k *Kind) error {
	media, _, _ := strings.Cut(strings.ToLower(c.MediaType), ";")
	media = strings.TrimSpace(media)
	if media == "image/jpg" {
		media = JPEG.MediaType
	}
	if k == Text && media == "text/csv" {
		media = k.MediaType
	}
	// The general type is what a browser says of what it does not know.
	if media != "" && media != "application/octet-stream" && media != k.MediaType {
		return fault.FileTypeMismatch.New(fault.Meta("is", k.Name))
	}
	parts := strings.Split(strings.ToLower(c.Name), ".")
	if len(parts) < 2 {
		return nil
	}
	if !slices.Contains(k.Extensions, path.Ext(strings.ToLower(c.Name))) {
		return fault.FileTypeMismatch.New(fault.Meta("is", k.Name))
	}
	for _, p := range parts[1 : len(parts)-1] {
		if slices.Contains(programs, strings.TrimSpace(p)) {
			return fault.FileTypeRefused.New() // a.exe.pdf wants to be taken for something
		}
	}
	return nil
}

// programs are extensions by which some system starts a file.
var programs = strings.Fields(`app apk bat bin chm cmd com cpl dll dmg docm dotm elf exe gadget hta htm html inf ins iso
	jar job js jse jsp lnk msc msi msix msp mst php pif pl potm ppam ppsm pptm ps1 py rb reg rpm scf scr sct sh shb svg swf
	sys vb vbe vbs wasm ws wsc wsf wsh xhtml xlam xlsm xltm xml`)

// part reads n bytes at an offset.
func part(r io.ReaderAt, at, n int64) ([]byte, error) {
	b := make([]byte, n)
	got, err := r.ReadAt(b, at)
	if err != nil && !(errors.Is(err, io.EOF) && int64(got) == n) {
		return nil, fmt.Errorf("filetype: read: %w", err)
	}
	return b, nil
}
