package sheet

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/xuri/excelize/v2"
)

// XLSX reads the first sheet of a workbook.
func XLSX(content []byte) (t *Table, err error) {
	if len(content) > MaxBytes {
		return nil, ErrTooLarge
	}
	// A workbook that its reader trips over is one more that is not well formed.
	defer func() {
		if v := recover(); v != nil {
			t, err = nil, fmt.Errorf("%w: %v", ErrMalformed, v)
		}
	}()
	f, err := excelize.OpenReader(bytes.NewReader(content), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: unpacked, UnzipXMLSizeLimit: unpacked,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sheets := f.GetSheetList()
	if len(sheets) == 0 {
		return nil, ErrNoHeader
	}
	b := book{f, sheets[0], hasFormulas(f)}
	return b.read()
}

// book is an open workbook with the sheet to read.
type book struct {
	*excelize.File
	sheet string
	// computed says that there are formulas to look for.
	computed bool
}

// hasFormulas looks for formulas anywhere, which is cheap; asking for that of every
// cell is not.
func hasFormulas(f *excelize.File) bool {
	found := false
	f.Pkg.Range(func(_, part any) bool {
		data, ok := part.([]byte)
		found = ok && (bytes.Contains(data, []byte("<f>")) || bytes.Contains(data, []byte("<f ")))
		return !found
	})
	return found
}

// beyond is how many rows are looked at past the last that may hold something.
const beyond = 1000

func (b book) read() (t *Table, err error) {
	rows, err := b.Rows(b.sheet)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	t = &Table{}
	for number := 1; rows.Next(); number++ {
		if number > 1+MaxRows+beyond {
			return nil, ErrRows
		}
		cells, err := rows.Columns()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		row := Row{Number: number, Cells: cells}
		if row.Computed, err = b.formulas(number, cells); err != nil {
			return nil, err
		}
		if err := t.add(row); err != nil {
			return nil, err
		}
	}
	if err := rows.Error(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return t.done()
}

func (b book) formulas(number int, cells []string) (computed []int, err error) {
	for i, c := range cells {
		is := formula(c)
		if !is && b.computed && i < maxColumns {
			at, err := excelize.CoordinatesToCellName(i+1, number)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
			}
			f, err := b.GetCellFormula(b.sheet, at)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
			}
			is = f != ""
		}
		if is {
			computed = append(computed, i)
		}
	}
	return computed, nil
}
