package dbtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// EnvServer names the environment variable with the connection string of a server to
// use instead of starting one.
const EnvServer = "ONEHALL_TEST_POSTGRES"

// errAbsent tells that this machine has no PostgreSQL.
var errAbsent = errors.New("no PostgreSQL found in PATH or /usr/lib/postgresql")

// server is the one server of this test binary.
var server = sync.OnceValues(func() (string, error) {
	if dsn := os.Getenv(EnvServer); dsn != "" {
		return dsn, nil
	}
	var err error
	for range 3 { // the free port may be taken by somebody else in between
		var dsn string
		if dsn, err = start(); err == nil || errors.Is(err, errAbsent) {
			return dsn, err
		}
	}
	return "", err
})

// Postgres is the connection string of a private server, started once a test binary
// and gone when the binary ends. Where there is no PostgreSQL it fails the test in
// CI; elsewhere it says so loudly and gives "", and the test runs without.
func Postgres(t testing.TB) (dsn string) {
	t.Helper()
	dsn, err := server()
	switch {
	case err == nil:
		return dsn
	case errors.Is(err, errAbsent) && os.Getenv("CI") == "":
		fmt.Fprintf(os.Stderr, "\n!!! %s: %v: NOT tested on PostgreSQL\n\n", t.Name(), err)
		return ""
	}
	t.Fatalf("dbtest: %v", err)
	return ""
}

// start makes a database cluster in a temporary directory and serves it on loopback.
func start() (dsn string, err error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "onehall-pg-")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	attr, err := account(dir)
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "onehall", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
	initdb.Dir, initdb.SysProcAttr = dir, attr()
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, log.Close()) }() // the server has its own handle
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+dir, "-c", "max_connections=300",
		"-c", "shared_buffers=64MB", "-c", "full_page_writes=off", "-c", "max_wal_size=1GB")
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = dir, attr(), log, log
	if err := launch(cmd); err != nil {
		return "", err
	}
	if err := watch(cmd.Process.Pid, dir); err != nil {
		return "", errors.Join(err, cmd.Process.Kill())
	}
	dsn = fmt.Sprintf("postgres://onehall@127.0.0.1:%d/postgres?sslmode=disable", port)
	if err := await(dsn); err != nil {
		text, readErr := os.ReadFile(log.Name())
		return "", errors.Join(fmt.Errorf("postgres does not answer: %w\n%s", err, text), readErr, cmd.Process.Kill())
	}
	return dsn, nil
}

// binaries finds the directory of initdb and postgres, the newest version first.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "postgres")); err == nil {
				return filepath.Dir(path), nil
			}
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errAbsent
	}
	return filepath.Dir(slices.Max(found)), nil
}

// account gives the attributes for the server's processes and hands the directory to
// their user: initdb refuses to run as root.
func account(dir string) (func() *syscall.SysProcAttr, error) {
	var cred *syscall.Credential
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			if u, err = user.Lookup("nobody"); err != nil {
				return nil, err
			}
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2, os.Chown(dir, int(uid), int(gid))); err != nil {
			return nil, err
		}
		cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return func() *syscall.SysProcAttr { return attributes(cred) }, nil
}

// launch starts the server from a thread that never ends: the signal that the server
// gets at its parent's death is tied to the thread, not to the process.
func launch(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // await below notices a server that died
			select {}
		}
	}()
	return <-started
}

// watch leaves a shell behind that waits for this process to end, however it ends,
// and then stops the server and removes its files.
func watch(pid int, dir string) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	script := `cat >/dev/null; kill -QUIT "$0"; n=0; while kill -0 "$0" 2>/dev/null && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done; rm -rf "$1"`
	cmd := exec.Command("/bin/sh", "-c", script, strconv.Itoa(pid), dir)
	cmd.Stdin, cmd.Dir = r, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // an interrupt from the terminal must not end it first
	if err := cmd.Start(); err != nil {
		return errors.Join(err, r.Close(), w.Close())
	}
	alive = w
	return r.Close()
}

// alive is the end of the pipe that the watching shell waits on; it closes with the process.
var alive *os.File

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// await tries to connect until the server answers.
func await(dsn string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
