// Package typeface holds the faces that documents are set in, so that a document looks
// alike on every machine and carries its own letters into the archive.
package typeface

import (
	_ "embed"
	"sync"

	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// han is Droid Sans Fallback (Google, Apache License 2.0): the Han characters of GBK,
// most of Extension A and Chinese punctuation, but no Latin letters.
//
//go:embed DroidSansFallbackFull.ttf
var han []byte

// Face is one of the faces.
type Face struct {
	// Name is what a document calls it.
	Name string
	// File is a TrueType file.
	File []byte

	parsed func() *sfnt.Font
}

// Han is the face of Chinese text, Latin that of Latin letters and digits.
var (
	Han   = face("han", han)
	Latin = face("latin", goregular.TTF)
)

func face(name string, file []byte) *Face {
	return &Face{Name: name, File: file, parsed: sync.OnceValue(func() *sfnt.Font {
		f, err := sfnt.Parse(file)
		if err != nil {
			// The file is part of the program: a damaged one is a damaged program.
			panic("typeface: " + name + ": " + err.Error())
		}
		return f
	})}
}

// Has reports whether the face has a glyph for a character.
func (f *Face) Has(r rune) bool {
	var buf sfnt.Buffer
	glyph, err := f.parsed().GlyphIndex(&buf, r)
	return err == nil && glyph != 0
}

// Of is the face to set a character in; nil when no face has it.
func Of(r rune) *Face {
	for _, f := range []*Face{Han, Latin} {
		// Both have a space; the Latin one stands beside letters.
		if f.Has(r) && (r > ' ' || f == Latin) {
			return f
		}
	}
	return nil
}
