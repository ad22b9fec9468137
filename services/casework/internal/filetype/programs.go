package filetype

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/onehall/onehall/services/platform/fault"
)

// eicar is the harmless file that every scanner knows, in two halves so that this
// source is not taken for it.
var eicar = []byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`)

func infected(begin []byte) bool { return bytes.Contains(begin, eicar) }

// starts are the first bytes of what is never taken: programs, scripts, archives, disk
// images and the old compound documents, whose macros cannot be told apart.
var starts = [][]byte{
	[]byte("MZ"), []byte("\x7fELF"), []byte("\xfe\xed\xfa\xce"), []byte("\xfe\xed\xfa\xcf"), []byte("\xce\xfa\xed\xfe"),
	[]byte("\xcf\xfa\xed\xfe"), []byte("\xca\xfe\xba\xbe"), []byte("\x00asm"), []byte("dex\n"), []byte("#!"),
	[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), []byte("Rar!"), []byte("7z\xbc\xaf"), []byte("\x1f\x8b"), []byte("BZh"),
	[]byte("\xfd7zXZ"), []byte("\x28\xb5\x2f\xfd"), []byte("MSCF"), []byte("ITSF"), []byte("\x4c\x00\x00\x00\x01\x14\x02\x00"),
	[]byte("{\\rtf"), []byte("!<arch>"), []byte("FWS"), []byte("CWS"), []byte("ZWS"),
}

func forbidden(begin []byte) bool {
	for _, s := range starts {
		if bytes.HasPrefix(begin, s) {
			return true
		}
	}
	return false
}

// markup are the words by which a browser or a system takes a text for more than that.
var markup = [][]byte{
	[]byte("<script"), []byte("<svg"), []byte("<html"), []byte("<!doctype"), []byte("<?xml"), []byte("<?php"), []byte("<iframe"),
	[]byte("<body"), []byte("<head"), []byte("javascript:"), []byte("vbscript:"), []byte("@echo off"), []byte("wscript.shell"),
}

// plain is a text in UTF-8 or GB 18030 that is nothing but text.
func plain(r io.ReaderAt, size int64) (*Kind, error) {
	if size > maxText {
		return nil, nil
	}
	all, err := part(r, 0, size)
	if err != nil {
		return nil, err
	}
	lower := bytes.ToLower(all)
	for _, m := range markup {
		if bytes.Contains(lower, m) {
			return nil, fault.FileTypeRefused.New()
		}
	}
	for _, c := range all {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' || c == 0x7f {
			return nil, nil
		}
	}
	if !utf8.Valid(all) && !chinese(all) {
		return nil, nil
	}
	return Text, nil
}

// maxText is larger than any text a person writes.
const maxText = 4 << 20

// chinese reports bytes that GB 18030 could mean.
func chinese(b []byte) bool {
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c < 0x80:
			i++
		case c == 0x80 || c == 0xff || i+1 >= len(b):
			return false
		case b[i+1] >= 0x40 && b[i+1] != 0x7f && b[i+1] != 0xff:
			i += 2
		case i+3 < len(b) && b[i+1] >= 0x30 && b[i+1] <= 0x39 && b[i+2] > 0x80 && b[i+2] < 0xff && b[i+3] >= 0x30 && b[i+3] <= 0x39:
			i += 4
		default:
			return false
		}
	}
	return true
}
