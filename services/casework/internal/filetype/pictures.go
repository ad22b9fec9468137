package filetype

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	_ "image/jpeg" // their headers are read
	_ "image/png"
	"io"
	"regexp"

	"github.com/onehall/onehall/services/platform/fault"
)

// The bounds of a picture: a sheet scanned at 600 dpi has 35 million pixels.
const (
	maxPixels = 100_000_000
	maxSide   = 20_000
)

// checkImage reads how large a picture is, and that nothing stands behind it.
func checkImage(r io.ReaderAt, size int64, k *Kind) error {
	cfg, _, err := image.DecodeConfig(io.NewSectionReader(r, 0, min(size, 1<<20)))
	if err != nil {
		return fault.FileBroken.New(fault.Cause(err))
	}
	if cfg.Width <= 0 || cfg.Height <= 0 {
		return fault.FileBroken.New()
	}
	if cfg.Width > maxSide || cfg.Height > maxSide || int64(cfg.Width)*int64(cfg.Height) > maxPixels {
		return fault.ImageTooLarge.New()
	}
	if k == PNG {
		return checkChunks(r, size)
	}
	end, err := part(r, max(0, size-tail), min(size, tail))
	if err != nil {
		return err
	}
	// Cameras put small things behind the picture; another file is not one of them.
	at := bytes.LastIndex(end, []byte("\xff\xd9"))
	switch {
	case at < 0:
		return fault.FileBroken.New()
	case second(end[at:]):
		return fault.FileTypeRefused.New()
	}
	return nil
}

// checkChunks walks a PNG from chunk to chunk: it must end where its last one does.
func checkChunks(r io.ReaderAt, size int64) error {
	for at := int64(8); at+12 <= size; {
		h, err := part(r, at, 8)
		if err != nil {
			return err
		}
		at += 12 + int64(binary.BigEndian.Uint32(h))
		if string(h[4:]) == "IEND" {
			if at != size {
				return fault.FileTypeRefused.New()
			}
			return nil
		}
	}
	return fault.FileBroken.New()
}

// second reports the beginning of another file.
func second(b []byte) bool {
	for _, s := range []string{"PK\x03\x04", "PK\x05\x06", "%PDF-", "\x7fELF", "MZ\x90", "<script", "<html", "<?php", "Rar!", "7z\xbc\xaf"} {
		if bytes.Contains(b, []byte(s)) {
			return true
		}
	}
	return false
}

var (
	// Names in a PDF may be written with #xx escapes, which nobody needs in these.
	pdfActive = regexp.MustCompile(`/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA)\b`)
	pdfLocked = regexp.MustCompile(`/Encrypt[\s/<\d]`)
)

// pdfWindow is how much of a PDF is searched at once, and pdfOverlap how much of it is
// searched again with the next, for words that lie across.
const (
	pdfWindow  = 256 << 10
	pdfOverlap = 64
)

// checkPDF refuses one that runs something, carries files, is locked by a password, or is
// another kind of file as well.
func checkPDF(r io.ReaderAt, size int64) error {
	end, err := part(r, max(0, size-tail), min(size, tail))
	if err != nil {
		return err
	}
	at := bytes.LastIndex(end, []byte("%%EOF"))
	if at < 0 {
		return fault.FileBroken.New()
	}
	if second(end[at:]) || zipEnd(end) {
		return fault.FileTypeRefused.New()
	}
	for from := int64(0); from < size; from += pdfWindow {
		b, err := part(r, from, min(size-from, pdfWindow+pdfOverlap))
		if err != nil {
			return err
		}
		switch {
		case pdfLocked.Match(b):
			return fault.FileEncrypted.New()
		case pdfActive.Match(b):
			return fault.FileTypeRefused.New()
		}
	}
	return nil
}

// zipEnd reports the end of a ZIP archive: a reader of those would take the file for one.
func zipEnd(end []byte) bool {
	at := bytes.LastIndex(end, []byte("PK\x05\x06"))
	return at >= 0 && len(end)-at >= 22
}

// errEntry is why a member of an archive is refused.
var errEntry = errors.New("filetype: member of an archive")
