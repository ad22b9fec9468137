package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// logPrefix begins each entry of the server's log: who, and in which session. A line
// that goes on with the entry begins with a tab.
const logPrefix = "§%a|%c§ "

// statement is one that the hall sent, with the values it bound.
type statement struct {
	text   string
	values []*string // nil is NULL
}

// script is the submit path as pgbench can run it.
type script struct {
	file string
	vars []string
	// texts are the statements, for the report.
	texts []string
	// cpu is what pgbench itself used in its last run.
	cpu time.Duration
}

// captureSubmit lets the server log what one submission sends to it, and finds the
// transaction that wrote it. So the limit can never drift from the product.
func captureSubmit(ctx context.Context, p *postgres, submit func() (name string, err error)) ([]statement, error) {
	if err := p.exec(ctx, "ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()"); err != nil {
		return nil, err
	}
	// A session takes a new setting before its next statement, not at once; the first
	// submissions may slip through unlogged.
	var found []statement
	err := until(ctx, "the statements of a submission", 30*time.Second, func() (bool, error) {
		name, err := submit()
		if err != nil {
			return false, err
		}
		found, err = findTransaction(p.log, name)
		return found != nil, err
	})
	return found, errors.Join(err, p.exec(ctx, "ALTER SYSTEM RESET log_statement", "SELECT pg_reload_conf()"))
}

var (
	entryStart = regexp.MustCompile(`^§([^|]*)\|([^§]*)§ (LOG|DETAIL):  (.*)$`)
	execution  = regexp.MustCompile(`^(?:statement|execute [^:]*): (?s)(.*)$`)
)

// findTransaction reads the server's log for the transaction of casework in which the
// name was bound, from BEGIN to COMMIT.
func findTransaction(path, name string) ([]statement, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	open := map[string][]statement{} // by session
	in := bufio.NewScanner(bytes.NewReader(raw))
	in.Buffer(make([]byte, 64<<10), 16<<20)
	var session, kind, text string
	var found []statement
	flush := func() {
		list := open[session]
		switch {
		case kind == "DETAIL" && len(list) > 0:
			if values, ok := strings.CutPrefix(text, "parameters: "); ok {
				list[len(list)-1].values = parseParameters(values)
			}
		case kind == "LOG":
			m := execution.FindStringSubmatch(text)
			if m == nil {
				return
			}
			if strings.EqualFold(m[1], "begin") {
				list = nil
			}
			open[session] = append(list, statement{text: m[1]})
			if strings.EqualFold(m[1], "commit") && bound(open[session], name) {
				found = open[session]
			}
		}
	}
	for in.Scan() {
		if m := entryStart.FindStringSubmatch(in.Text()); m != nil {
			flush()
			kind = ""
			if m[1] == "onehall/casework" {
				session, kind, text = m[2], m[3], m[4]
			}
		} else if kind != "" {
			text += "\n" + strings.TrimPrefix(in.Text(), "\t")
		}
	}
	flush()
	return found, in.Err()
}

// bound reports whether a transaction writes the named case.
func bound(list []statement, name string) bool {
	for _, s := range list {
		for _, v := range s.values {
			if v != nil && *v == name && strings.HasPrefix(oneLine(s.text), "INSERT") {
				return true
			}
		}
	}
	return false
}

// parseParameters reads $1 = 'a', $2 = NULL, with quotes doubled in texts.
func parseParameters(s string) []*string {
	var out []*string
	for s != "" {
		_, rest, ok := strings.Cut(s, " = ")
		if !ok {
			return out
		}
		if after, null := strings.CutPrefix(rest, "NULL"); null {
			out, s = append(out, nil), after
			continue
		}
		var value strings.Builder
		rest = strings.TrimPrefix(rest, "'")
		for {
			before, after, ok := strings.Cut(rest, "'")
			value.WriteString(before)
			rest = after
			if !ok || !strings.HasPrefix(after, "'") {
				break
			}
			value.WriteByte('\'')
			rest = after[1:]
		}
		text := value.String()
		out, s = append(out, &text), rest
	}
	return out
}

// limitSchema holds tables like casework's for pgbench, so that nobody follows what it
// writes.
const limitSchema = "bench_limit"

// makeLimitTables makes them, with the same indexes and constraints.
func makeLimitTables(ctx context.Context, p *postgres) error {
	return p.exec(ctx, "DROP SCHEMA IF EXISTS "+limitSchema+" CASCADE", "CREATE SCHEMA "+limitSchema,
		"CREATE TABLE "+limitSchema+".events (LIKE casework.events INCLUDING ALL)",
		"CREATE TABLE "+limitSchema+".cases (LIKE casework.cases INCLUDING ALL)")
}

var parameter = regexp.MustCompile(`\$[0-9]+`)

// writeScript turns the statements into a script: every value is bound as the hall
// bound it, but for those that must differ from case to case.
func writeScript(dir string, list []statement, name string) (*script, error) {
	no := name[strings.LastIndexByte(name, '/')+1:]
	s := &script{file: filepath.Join(dir, "submit.sql")}
	var b strings.Builder
	// Ids rise, case numbers are drawn at random, as in the hall.
	b.WriteString("\\set i :i + 1\n\\set id (:i * 128 + :client_id) + :round * 1000000000\n")
	b.WriteString("\\set n permute(:i * 128 + :client_id, 100000000, 7) + 100000000\n")
	for k, st := range list {
		if strings.Contains(st.text, "pg_advisory_xact_lock") {
			// The hall waits for its turn once for many cases and gives the position
			// then. A script that did so for each would be a poor limit: it gives
			// numbers of its own and waits for nobody.
			continue
		}
		st.text = strings.Replace(oneLine(st.text), nextPosition, ":id", 1)
		s.texts = append(s.texts, st.text)
		text := parameter.ReplaceAllStringFunc(st.text, func(p string) string {
			n, err := strconv.Atoi(p[1:])
			if err != nil || n < 1 || n > len(st.values) || st.values[n-1] == nil {
				return "NULL"
			}
			return s.value(fmt.Sprintf("v%d_%d", k, n), n, st, *st.values[n-1], no)
		})
		b.WriteString(text + ";\n")
	}
	return s, os.WriteFile(s.file, []byte(b.String()), 0o644)
}

// nextPosition is how the hall finds an event's position.
const nextPosition = "(SELECT COALESCE(MAX(position), 0) + 1 FROM events)"

// value is how a parameter is written in the script. The key of the request is the last
// but one of an event.
func (s *script) value(variable string, n int, st statement, value, no string) string {
	events := strings.HasPrefix(oneLine(st.text), "INSERT INTO events")
	switch {
	case strings.HasSuffix(value, no):
		// The same length: the round and the drawn number in the place of the last digits.
		s.set(variable, value[:len(value)-11])
		return "(CAST(:" + variable + " AS TEXT) || CAST(:round AS TEXT) || CAST(:n AS TEXT))"
	case events && n == len(st.values)-1:
		s.set(variable, value[:len(value)-11])
		return "(CAST(:n AS TEXT) || CAST(:" + variable + " AS TEXT) || CAST(:round AS TEXT))"
	}
	if value == "" {
		return "''" // pgbench has no empty variables
	}
	s.set(variable, value)
	return ":" + variable
}

func (s *script) set(name, value string) {
	for i := 0; i < len(s.vars); i += 2 {
		if s.vars[i+1] == name+"="+value {
			return
		}
	}
	s.vars = append(s.vars, "-D", name+"="+value)
}

// rounds numbers the runs with two digits, which keeps their rows apart.
var rounds = 9

// run lets pgbench run the script and gives transactions a second. A script whose
// inserts were refused would be a fast one, so the rows are counted.
func (s *script) run(ctx context.Context, p *postgres, clients int, d time.Duration) (float64, error) {
	rounds++
	before, err := limitRows(ctx, p)
	if err != nil {
		return 0, err
	}
	args := []string{"-n", "-M", "prepared", "-f", s.file, "-c", strconv.Itoa(clients), "-j", "1", "-T", strconv.Itoa(max(1, int(d.Seconds()))),
		"-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", "onehall", "-D", "i=0", "-D", "round=" + strconv.Itoa(rounds)}
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "pgbench"), append(append(args, s.vars...), "postgres")...)
	cmd.Env = append(os.Environ(), "PGOPTIONS=-c search_path="+limitSchema+" -c timezone=UTC")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	s.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	after, err := limitRows(ctx, p)
	if err != nil {
		return 0, err
	}
	m := pgbenchResult.FindSubmatch(out)
	if m == nil || string(m[1]) != strconv.FormatInt(after-before, 10) {
		return 0, fmt.Errorf("pgbench, with %d rows stored:\n%s", after-before, out)
	}
	return strconv.ParseFloat(string(m[2]), 64)
}

var pgbenchResult = regexp.MustCompile(`(?s)actually processed: ([0-9]+).*tps = ([0-9.]+)`)

// limitRows counts the rows of pgbench's events.
func limitRows(ctx context.Context, p *postgres) (n int64, err error) {
	conn, err := pgx.Connect(ctx, p.dsn())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return n, conn.QueryRow(ctx, "SELECT count(*) FROM "+limitSchema+".events").Scan(&n)
}

// comment is the rest of a line that says nothing to the server.
var comment = regexp.MustCompile(`--[^\n]*`)

// oneLine is a statement without its comments, which would swallow the rest of the line.
func oneLine(sql string) string {
	return strings.Join(strings.Fields(comment.ReplaceAllString(sql, "")), " ")
}
