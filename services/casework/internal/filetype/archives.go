package filetype

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/onehall/onehall/services/platform/fault"
)

// The bounds of an archive.
const (
	maxMembers = 5_000
	// maxUnpacked is how much all members together may be, maxRatio how many times
	// larger than packed. Drawings of one colour pack well, so small ones are let be.
	maxUnpacked = 256 << 20
	maxRatio    = 200
	smallEnough = 8 << 20
)

// rootOf is the member that makes an archive a document of a kind.
var rootOf = map[string]*Kind{
	"word/document.xml": DOCX, "xl/workbook.xml": XLSX, "ppt/presentation.xml": PPTX, "OFD.xml": OFD,
}

// checkZip finds out which kind of document an archive is. An archive that is none is no
// kind of ours: what lies in it could be anything.
func checkZip(r io.ReaderAt, size int64) (*Kind, error) {
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fault.FileBroken.New(fault.Cause(err))
	}
	if err != nil || len(z.File) > maxMembers {
		return nil, fault.FileTypeRefused.New(fault.Cause(err))
	}
	var found *Kind
	types := false
	seen := map[string]bool{}
	for _, f := range z.File {
		if err := member(f, seen); err != nil {
			return nil, err
		}
		if k := rootOf[f.Name]; k != nil {
			if found != nil {
				return nil, fault.FileTypeRefused.New()
			}
			found = k
		}
		types = types || f.Name == "[Content_Types].xml"
	}
	if found == nil || found != OFD && !types {
		return nil, nil
	}
	if err := unpack(z); err != nil {
		return nil, err
	}
	return found, directoryAtEnd(r, size)
}

// member refuses what no document has: programs, macros, further archives, passwords,
// paths that lead out, and two members of one name.
func member(f *zip.File, seen map[string]bool) error {
	name := strings.ToLower(f.Name)
	if seen[name] || f.Flags&1 != 0 || strings.HasPrefix(name, "/") || strings.Contains(name, "..") || strings.Contains(name, "\\") {
		if f.Flags&1 != 0 {
			return fault.FileEncrypted.New()
		}
		return fault.FileTypeRefused.New(fault.Cause(errEntry))
	}
	seen[name] = true
	base := path.Base(name)
	ext := strings.TrimPrefix(path.Ext(name), ".")
	switch {
	case base == "vbaproject.bin", strings.Contains(name, "/activex/"), strings.Contains(name, "/embeddings/"), strings.Contains(name, "macrosheets/"):
		return fault.FileTypeRefused.New(fault.Cause(errEntry))
	case slices.Contains([]string{"zip", "rar", "7z", "gz", "tar", "cab"}, ext):
		return fault.FileTypeRefused.New(fault.Cause(errEntry))
	case ext != "xml" && ext != "bin" && slices.Contains(programs, ext):
		return fault.FileTypeRefused.New(fault.Cause(errEntry))
	}
	return nil
}

// unpack reads every member to its end, for what a directory says of sizes need not be
// true. It stops as soon as a bound is passed.
func unpack(z *zip.Reader) error {
	total := int64(0)
	for _, f := range z.File {
		n, err := unpackOne(f, maxUnpacked-total)
		total += n
		if err != nil {
			return err
		}
	}
	return nil
}

func unpackOne(f *zip.File, left int64) (n int64, err error) {
	if f.UncompressedSize64 > uint64(left) {
		return 0, fault.FileUnpacksTooLarge.New()
	}
	rc, err := f.Open()
	if err != nil {
		return 0, fault.FileBroken.New(fault.Cause(err))
	}
	defer func() { err = errors.Join(err, rc.Close()) }()
	limit := left
	if packed := int64(min(f.CompressedSize64, 1<<40)); packed*maxRatio < limit {
		limit = max(packed*maxRatio, smallEnough)
	}
	begin := make([]byte, 512)
	got, err := io.ReadFull(rc, begin)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0, fault.FileBroken.New(fault.Cause(err))
	}
	if begin = begin[:got]; forbidden(begin) || infected(begin) || bytes.HasPrefix(begin, []byte("PK\x03\x04")) {
		return 0, fault.FileTypeRefused.New(fault.Cause(errEntry))
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(rc, limit+1))
	n = rest + int64(got)
	if n > limit {
		return n, fault.FileUnpacksTooLarge.New()
	}
	if err != nil {
		return n, fault.FileBroken.New(fault.Cause(err))
	}
	return n, nil
}

// directoryAtEnd refuses bytes behind the archive and before it: another program would
// read those as something else.
func directoryAtEnd(r io.ReaderAt, size int64) error {
	end, err := part(r, max(0, size-tail), min(size, tail))
	if err != nil {
		return fmt.Errorf("filetype: end of archive: %w", err)
	}
	at := bytes.LastIndex(end, []byte("PK\x05\x06"))
	if at < 0 || len(end)-at < 22 {
		return fault.FileBroken.New()
	}
	comment := int(end[at+20]) | int(end[at+21])<<8
	if len(end)-at != 22+comment || comment > 256 {
		return fault.FileTypeRefused.New()
	}
	return nil
}
