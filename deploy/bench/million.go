package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onehall/onehall/services/platform/codes"
)

// How a hall comes to have a million cases in two minutes: a case that went its way
// through the API in this very run is the pattern. Every row that names it, in the
// tables of casework and of all its followers, is copied as the bytes the database
// gives for it, with another case number, another applicant, its own ids and positions
// and the hash that belongs to the changed event. So the rows are what the product
// writes, whatever it will write one day, and their protobufs and hashes are sound. The
// cursors of all followers are moved behind the copied events, whose effects lie in the
// followers' tables already.

// pattern is a case to copy, share how many of the copies are of it.
type pattern struct {
	name  string
	share int
}

// copied are the schemas whose tables may name a case.
var copied = []string{"casework", "review", "supervision", "hub"}

// multiply stores n copies and tells how long it took and how large the database is.
func multiply(ctx context.Context, pg *postgres, patterns []pattern, n int) (took time.Duration, size string, err error) {
	began := time.Now()
	conn, err := pgx.Connect(ctx, pg.dsn())
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if _, err := conn.Exec(ctx, "SET maintenance_work_mem = '1GB'; SET synchronous_commit = off"); err != nil {
		return 0, "", err
	}
	m := &multiplier{conn: conn, patterns: patterns, n: n, now: time.Now(), last: map[string]int64{}, events: map[string]int64{}}
	if err := m.key(ctx); err != nil {
		return 0, "", err
	}
	tables, err := texts(ctx, conn, `SELECT table_schema || '.' || table_name FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema = ANY($1) ORDER BY 1`, copied)
	if err != nil {
		return 0, "", err
	}
	for _, table := range tables {
		if err := m.table(ctx, table); err != nil {
			return 0, "", fmt.Errorf("%s: %w", table, err)
		}
	}
	if err := m.moveCursors(ctx); err != nil {
		return 0, "", err
	}
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return 0, "", err
	}
	err = conn.QueryRow(ctx, "SELECT pg_size_pretty(pg_database_size(current_database()))").Scan(&size)
	return time.Since(began), size, err
}

// multiplier copies rows.
type multiplier struct {
	conn         *pgx.Conn
	patterns     []pattern
	n            int
	now          time.Time
	applicantKey string
	// last is each feed's last position, events how many were added behind it, both by
	// schema.
	last, events map[string]int64
}

// key finds the applicant's key, which all patterns share.
func (m *multiplier) key(ctx context.Context) error {
	err := m.conn.QueryRow(ctx, "SELECT applicant_key FROM casework.cases WHERE case_no = $1", m.patterns[0].no()).Scan(&m.applicantKey)
	if err != nil {
		return fmt.Errorf("the pattern %s: %w", m.patterns[0].name, err)
	}
	for _, f := range follows {
		var last int64
		if err := m.conn.QueryRow(ctx, "SELECT COALESCE(max(position), 0) FROM "+f.source+".events").Scan(&last); err != nil {
			return err
		}
		m.last[f.source] = last
	}
	return nil
}

func (p pattern) no() string { return p.name[strings.LastIndexByte(p.name, '/')+1:] }

// image is one row as the database sends it, and what in it must change.
type image struct {
	raw []byte
	// numbers and keys are where the case number and the applicant's key stand.
	numbers, keys []int
	// id, position, request, sum and resource are fields by name; nil where absent.
	id, position, request, sum, resource []byte
}

// table copies one table's rows, if any of them names a pattern.
func (m *multiplier) table(ctx context.Context, table string) error {
	images := make([][]*image, len(m.patterns))
	found := 0
	for i, p := range m.patterns {
		var err error
		if images[i], err = m.images(ctx, table, p); err != nil {
			return err
		}
		found += len(images[i])
	}
	if found == 0 {
		return nil
	}
	tx, err := m.conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }() // does nothing after the commit
	if err := m.rebuild(ctx, tx, table, images); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	_, err = m.conn.Exec(ctx, "ANALYZE "+table)
	return err
}

// rebuild writes the copies into a new table and puts it in the place of the old: rows
// that come with their table need no vacuum later, and indexes are built once.
func (m *multiplier) rebuild(ctx context.Context, tx pgx.Tx, table string, images [][]*image) error {
	rebuilt := table + "_rebuilt"
	if _, err := tx.Exec(ctx, fmt.Sprintf("CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING STORAGE)", rebuilt, table)); err != nil {
		return err
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(m.write(w, table, images)) }()
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, r, "COPY "+rebuilt+" FROM STDIN (FORMAT binary, FREEZE)"); err != nil {
		return err
	}
	constraints, err := texts(ctx, tx, `SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', $1::text, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype IN ('p', 'u')`, table)
	if err != nil {
		return err
	}
	indexes, err := texts(ctx, tx, `SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = $1::text::regclass
AND indexrelid NOT IN (SELECT conindid FROM pg_constraint WHERE conrelid = $1::text::regclass)`, table)
	if err != nil {
		return err
	}
	statements := append([]string{
		fmt.Sprintf("INSERT INTO %s SELECT * FROM %s", rebuilt, table), "DROP TABLE " + table,
		fmt.Sprintf("ALTER TABLE %s RENAME TO %s", rebuilt, table[strings.IndexByte(table, '.')+1:]),
	}, append(constraints, indexes...)...)
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// images reads the rows that name a pattern.
func (m *multiplier) images(ctx context.Context, table string, p pattern) ([]*image, error) {
	columns, err := texts(ctx, m.conn, `SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, table)
	if err != nil {
		return nil, err
	}
	order := ""
	if strings.HasSuffix(table, ".events") {
		order = " ORDER BY position" // so that the copies keep it
	}
	var out bytes.Buffer
	// A case number is digits alone, so it needs no quoting.
	query := fmt.Sprintf("COPY (SELECT * FROM %s t WHERE t::text LIKE '%%%s%%'%s) TO STDOUT (FORMAT binary)", table, p.no(), order)
	if _, err := m.conn.PgConn().CopyTo(ctx, &out, query); err != nil {
		return nil, err
	}
	return m.parse(out.Bytes(), columns, p)
}

// copyHeader begins binary copies: a signature, flags and an empty extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

// parse cuts a binary copy into rows and finds what must change in each.
func (m *multiplier) parse(raw []byte, columns []string, p pattern) ([]*image, error) {
	rest, ok := bytes.CutPrefix(raw, []byte(copyHeader))
	if !ok {
		return nil, errors.New("not a binary copy")
	}
	var all []*image
	for {
		if len(rest) < 2 {
			return nil, io.ErrUnexpectedEOF
		}
		n := int16(binary.BigEndian.Uint16(rest))
		if n < 0 {
			return all, nil
		}
		if int(n) != len(columns) {
			return nil, fmt.Errorf("a row of %d fields, not %d", n, len(columns))
		}
		end := 2
		bounds := make([][2]int, n)
		for i := range bounds {
			size := int32(binary.BigEndian.Uint32(rest[end:]))
			end += 4
			bounds[i] = [2]int{end, end + int(max(0, size))}
			end = bounds[i][1]
		}
		im := &image{raw: bytes.Clone(rest[:end])}
		for i, b := range bounds {
			im.name(columns[i], im.raw[b[0]:b[1]])
		}
		im.numbers, im.keys = places(im.raw, p.no()), places(im.raw, m.applicantKey)
		all = append(all, im)
		rest = rest[end:]
	}
}

// name keeps the fields that must change by what they mean.
func (im *image) name(column string, value []byte) {
	switch column {
	case "id":
		im.id = value
	case "position":
		im.position = value
	case "request_key":
		im.request = value
	case "resource":
		im.resource = value
	case "resource_sha256":
		im.sum = value
	}
}

func places(raw []byte, word string) (at []int) {
	for from := 0; ; {
		i := bytes.Index(raw[from:], []byte(word))
		if i < 0 {
			return at
		}
		at = append(at, from+i)
		from += i + len(word)
	}
}

// write writes all copies of a table.
func (m *multiplier) write(w io.Writer, table string, images [][]*image) error {
	out := bufio.NewWriterSize(w, 1<<20)
	if _, err := out.WriteString(copyHeader); err != nil {
		return err
	}
	total := 0
	for _, p := range m.patterns {
		total += p.share
	}
	row := int64(0)
	schema, feed := strings.CutSuffix(table, ".events")
	for i := range m.n {
		which, share := 0, i%total
		for share >= m.patterns[which].share {
			share -= m.patterns[which].share
			which++
		}
		no, key := m.caseNo(i), applicantKey(i)
		for _, im := range images[which] {
			row++
			im.become(no, key, row, m.last[schema])
			if feed {
				m.events[schema]++
			}
			if _, err := out.Write(im.raw); err != nil {
				return err
			}
		}
	}
	if err := binary.Write(out, binary.BigEndian, int16(-1)); err != nil {
		return err
	}
	return out.Flush()
}

// become makes the image another case's. Ids made by the product are of its time; those
// of the copies are small, as if made long ago.
func (im *image) become(no, key string, row, last int64) {
	for _, at := range im.numbers {
		copy(im.raw[at:], no)
	}
	for _, at := range im.keys {
		copy(im.raw[at:], key)
	}
	if len(im.id) == 8 {
		binary.BigEndian.PutUint64(im.id, uint64(row))
	}
	if len(im.position) == 8 {
		binary.BigEndian.PutUint64(im.position, uint64(last+row))
	}
	if len(im.request) > 0 {
		sum := sha256.Sum256(fmt.Appendf(nil, "request %s %d", no, row))
		copy(im.request, base64.RawURLEncoding.EncodeToString(sum[:]))
	}
	if len(im.sum) == sha256.Size {
		sum := sha256.Sum256(im.resource)
		copy(im.sum, sum[:])
	}
}

// caseNo is a number of one of the days of the year before today, in blocks of a hundred
// that lie without order within the day, as the product draws them.
func (m *multiplier) caseNo(i int) string {
	const days, prime, block = 365, 48_271, 100
	return codes.CaseNo(city, m.now.AddDate(0, 0, -1-i%days), (i/days/block*prime%(codes.MaxSerial/block))*block+i/days%block)
}

// applicantKey is the key of one of three hundred thousand people.
func applicantKey(i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "applicant %d", i%300_000))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// moveCursors tells the followers that they know the copies.
func (m *multiplier) moveCursors(ctx context.Context) error {
	for _, f := range follows {
		last, added := m.last[f.source], m.events[f.source]
		if added == 0 {
			continue
		}
		tag, err := m.conn.Exec(ctx, fmt.Sprintf(`UPDATE %s.cursors SET position = $1 WHERE (source = $3 OR source LIKE '%%/' || $3) AND position = $2`, f.follower),
			last+added, last, f.source)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return fmt.Errorf("%s does not stand at the end of the feed of %s", f.follower, f.source)
		}
	}
	return nil
}

// texts reads a column of texts.
func texts(ctx context.Context, q interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, query string, args ...any) ([]string, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
