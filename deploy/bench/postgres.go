package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgres is a private server of the run: default settings, every commit flushed, and
// as much shared memory as a small server would be given.
type postgres struct {
	bin, dir string
	port     int
	cmd      *exec.Cmd
	ended    chan error
	// errors of the server's own log, for who looks into a failure.
	log string
}

// startPostgres makes a database cluster in dir and serves it on loopback.
func startPostgres(ctx context.Context, dir string) (*postgres, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	p := &postgres{bin: bin, dir: filepath.Join(dir, "postgres"), ended: make(chan error, 1)}
	p.log = filepath.Join(p.dir, "log")
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	attr, err := p.account()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(p.dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "onehall", "-A", "trust", "-E", "UTF8", "--locale=C")
	initdb.Dir, initdb.SysProcAttr = p.dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if p.port, err = freePort(); err != nil {
		return nil, err
	}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }() // the server has its own handle
	p.cmd = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(p.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+p.dir, "-c", "max_connections=300",
		"-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB", "-c", "log_line_prefix="+logPrefix)
	if os.Getenv(profileEnv) != "" {
		p.cmd.Args = append(p.cmd.Args, "-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.max=1000")
	}
	p.cmd.Dir, p.cmd.SysProcAttr, p.cmd.Stdout, p.cmd.Stderr = p.dir, attr, log, log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	if err := p.await(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// dsn is how to reach it.
func (p *postgres) dsn() string {
	return fmt.Sprintf("postgres://onehall@127.0.0.1:%d/postgres?sslmode=disable", p.port)
}

// stop ends the server; its files go with the run's directory.
func (p *postgres) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return nil // a server told to stop quickly reports nothing of interest
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("postgres did not stop"), p.cmd.Process.Kill())
	}
}

func (p *postgres) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, p.dsn())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case end := <-p.ended:
			return fmt.Errorf("postgres ended: %w; see %s", end, p.log)
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// exec runs statements outside any transaction of the hall.
func (p *postgres) exec(ctx context.Context, statements ...string) (err error) {
	conn, err := pgx.Connect(ctx, p.dsn())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// account gives the server's directory to the user it must run as: it refuses root.
func (p *postgres) account() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	// The run's directory is ours alone; the way through it must be open to the server.
	if err := errors.Join(err1, err2, os.Chown(p.dir, int(uid), int(gid)), os.Chmod(filepath.Dir(p.dir), 0o711)); err != nil {
		return nil, err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, nil
}

// postgresBin is the directory of the server's programs, the newest version first.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if path, lookErr := exec.LookPath("initdb"); lookErr == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			found = append(found, path)
		}
	}
	for _, path := range slices.Backward(slices.Sorted(slices.Values(found))) {
		dir := filepath.Dir(path)
		if _, err := os.Stat(filepath.Join(dir, "pgbench")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("no PostgreSQL with pgbench found in /usr/lib/postgresql or PATH")
}

func (p *postgres) version() string {
	out, err := exec.Command(filepath.Join(p.bin, "postgres"), "--version").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// cpuTime is what the server's processes have used: those that are, and those that were.
func (p *postgres) cpuTime() (time.Duration, error) {
	parent := p.cmd.Process.Pid
	sum, err := processTime(parent, true)
	if err != nil {
		return 0, err
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if err != nil {
		return 0, err
	}
	for word := range strings.FieldsSeq(string(raw)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			return 0, err
		}
		used, err := processTime(pid, false)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// profile writes what the server's statements took since reset into a file, the dearest
// first. It is a part of the halls' profiles, not of a measurement.
func (p *postgres) profile(ctx context.Context, name string) (err error) {
	dir := os.Getenv(profileEnv)
	if dir == "" || p == nil {
		return nil
	}
	conn, err := pgx.Connect(ctx, p.dsn())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if _, err := conn.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements"); err != nil {
		return err
	}
	lines, err := texts(ctx, conn, `SELECT format('%10s ms %8s calls %10s rows %12s wal  %s', round(total_exec_time::numeric, 1), calls, rows, wal_bytes, regexp_replace(left(query, 160), '\s+', ' ', 'g'))
FROM pg_stat_statements WHERE calls > 0 ORDER BY total_exec_time DESC LIMIT 40`)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "SELECT pg_stat_statements_reset()"); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".statements"), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}
