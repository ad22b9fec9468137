// Package sheet reads the lists that departments keep: CSV and XLSX as rows of text
// under a header. Files come from outside and may be anything, so what is read is
// bounded, and a cell that a spreadsheet would compute is refused: its text is not what
// its author saw.
package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of a list. MaxBytes is that of the file, unpacked is what an XLSX may become.
const (
	MaxBytes   = 3 << 20
	MaxRows    = 5000
	maxColumns = 100
	maxCell    = 20_000
	unpacked   = 64 << 20
)

// What makes a whole file unusable.
var (
	ErrTooLarge  = errors.New("file too large")
	ErrRows      = errors.New("too many rows")
	ErrColumns   = errors.New("too many columns")
	ErrCell      = errors.New("a cell is too long")
	ErrEncoding  = errors.New("not UTF-8")
	ErrNoHeader  = errors.New("no header row")
	ErrMalformed = errors.New("not a file of this form")
)

// Row is one row; Number is that of the file, the header being 1.
type Row struct {
	Number int
	Cells  []string
	// Computed are the columns, from 0, whose cells are formulas.
	Computed []int
}

// Table is a header and what stands under it, without the empty rows.
type Table struct {
	Header []string
	Rows   []Row
}

// CSV reads comma-separated values in UTF-8, with or without byte order mark.
func CSV(content []byte) (*Table, error) {
	if len(content) > MaxBytes {
		return nil, ErrTooLarge
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(content) {
		return nil, ErrEncoding
	}
	r := csv.NewReader(bytes.NewReader(content))
	r.FieldsPerRecord = -1
	t := &Table{}
	for number := 1; ; number++ {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t.done()
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		row := Row{Number: number, Cells: cells}
		for i, c := range cells {
			if formula(c) {
				row.Computed = append(row.Computed, i)
			}
		}
		if err := t.add(row); err != nil {
			return nil, err
		}
	}
}

// add takes a row: the first that is not empty is the header.
func (t *Table) add(row Row) error {
	empty := true
	for i, c := range row.Cells {
		if len(c) > maxCell {
			return ErrCell
		}
		row.Cells[i] = strings.TrimSpace(c)
		empty = empty && row.Cells[i] == ""
	}
	switch {
	case empty && len(row.Computed) == 0:
		return nil
	case len(row.Cells) > maxColumns:
		return ErrColumns
	case t.Header == nil && row.Number > 1:
		return ErrNoHeader
	case t.Header == nil:
		t.Header = row.Cells
		return nil
	case len(t.Rows) == MaxRows:
		return ErrRows
	}
	t.Rows = append(t.Rows, row)
	return nil
}

func (t *Table) done() (*Table, error) {
	if t.Header == nil {
		return nil, ErrNoHeader
	}
	return t, nil
}

// formula recognises a text that a spreadsheet would compute when it opens the list.
// A sign before a digit is a number or a phone.
func formula(cell string) bool {
	s := strings.TrimLeft(cell, " \t\r\n\u3000")
	if s == "" {
		return false
	}
	first, n := utf8.DecodeRuneInString(s)
	switch first {
	case '=', '＝', '@', '＠':
		return true
	case '+', '-', '＋', '－':
		return len(s) > n && (s[n] < '0' || s[n] > '9') && !strings.HasPrefix(s[n:], "-")
	}
	return false
}
