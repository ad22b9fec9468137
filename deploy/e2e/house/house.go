package house

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
)

// Shape is how a hall is cut into processes.
type Shape string

// The shapes.
const (
	// One is `onehall up`: everything in one process.
	One Shape = "one"
	// Split is a process for each role, an etcd and an issuer.
	Split Shape = "split"
)

// The names of the processes that are no roles.
const (
	etcdName   = "etcd"
	issuerName = "issuer"
	upName     = "up"
	toolName   = "tool"
)

// Options are what a test may ask of its hall.
type Options struct {
	Shape Shape
	// Driver is sqlite or postgres.
	Driver string
	// Settings replace whole sections of every process's configuration.
	Settings map[string]any
}

// House is a running hall.
type House struct {
	// Shape and Driver tell which of the halls it is.
	Shape  Shape
	Driver string
	// Gateway and Issuer are the addresses of the front door and the sign-in.
	Gateway, Issuer string

	t       testing.TB
	options Options
	dir     string
	dsn     string
	etcd    string
	grpc    map[string]string // by role
	admin   map[string]string // by process
	procs   map[string]*process
	order   []string // of starting
	issuer  *authn.Issuer
	tokens  *tokens
	conns   map[string]*grpc.ClientConn
	marks   map[string]int // how much of each log Faults passes over
}

// Each runs the same test on every shape and database.
func Each(t *testing.T, test func(t *testing.T, o Options)) {
	t.Helper()
	for _, shape := range []Shape{One, Split} {
		for _, driver := range Drivers(t) {
			t.Run(string(shape)+"/"+driver, func(t *testing.T) {
				test(t, Options{Shape: shape, Driver: driver})
			})
		}
	}
}

// Drivers are the databases of this machine. Without PostgreSQL a test fails in CI and
// runs with SQLite alone elsewhere, which is said loudly.
func Drivers(t *testing.T) []string {
	t.Helper()
	if dbtest.Postgres(t) == "" {
		return []string{db.SQLite}
	}
	return []string{db.SQLite, db.Postgres}
}

// Start starts a hall that stops when the test ends. It returns when every role is
// ready and the front door reaches them all.
func Start(t *testing.T, o Options) *House {
	t.Helper()
	h := &House{
		Shape: o.Shape, Driver: o.Driver, t: t, options: o, dir: t.TempDir(),
		Gateway: "http://" + address(t), Issuer: "http://" + address(t),
		grpc: map[string]string{}, admin: map[string]string{}, procs: map[string]*process{}, conns: map[string]*grpc.ClientConn{},
		marks: map[string]int{},
	}
	for _, role := range grpcRoles() {
		h.grpc[role] = address(t)
	}
	if o.Driver == db.Postgres {
		h.dsn = database(t, dbtest.Postgres(t))
	}
	var err error
	// The same key file as the issuer's process: the test speaks as people it made up.
	h.issuer, err = authn.NewIssuer(authn.IssuerConfig{URL: h.Issuer, KeyFile: filepath.Join(h.dir, "issuer.key")}, clock.System())
	if err != nil {
		t.Fatalf("house: %v", err)
	}
	h.tokens = newTokens(h.issuer)
	t.Cleanup(h.close)
	if o.Shape == Split {
		h.split()
	} else {
		h.one()
	}
	h.awaitDoors()
	h.Mark()
	return h
}

// one starts `onehall up`.
func (h *House) one() {
	h.admin[upName] = address(h.t)
	h.program(upName, "up")
	h.Restart(upName)
}

// split starts etcd, the issuer and then all roles at once: they start in any order.
func (h *House) split() {
	h.etcd = address(h.t)
	peer := address(h.t)
	h.admin[etcdName] = ""
	h.procs[etcdName] = newProcess(h.dir, etcdName, Binary(h.t, "etcd"),
		"--name", "e2e", "--data-dir", filepath.Join(h.dir, "etcd"), "--log-level", "warn",
		"--listen-client-urls", "http://"+h.etcd, "--advertise-client-urls", "http://"+h.etcd,
		"--listen-peer-urls", "http://"+peer, "--initial-advertise-peer-urls", "http://"+peer, "--initial-cluster", "e2e=http://"+peer)
	h.order = append(h.order, etcdName)
	h.program(issuerName, "issuer")
	for _, role := range stand.Roles() {
		h.admin[role] = address(h.t)
		h.program(role, "serve", role)
	}
	for _, name := range h.order {
		h.launch(name)
	}
	for _, name := range h.order {
		h.awaitReady(name)
	}
}

// program adds a process of onehall with a configuration of its own.
func (h *House) program(name string, args ...string) {
	path, err := h.settings(name)
	if err != nil {
		h.t.Fatalf("house: %v", err)
	}
	argv := append([]string{Binary(h.t, "onehall")}, args...)
	h.procs[name] = newProcess(h.dir, name, append(argv, "--config", path)...)
	h.order = append(h.order, name)
}

// Processes are the names of the running programs, in the order of their start.
func (h *House) Processes() []string { return slices.Clone(h.order) }

// holder is the process that runs a role.
func (h *House) holder(role string) string {
	if h.Shape == One {
		return upName
	}
	return role
}

// Kill ends the process of a role (or etcd, or the issuer) with SIGKILL. In one
// process that is everything.
func (h *House) Kill(role string) {
	h.t.Helper()
	if err := h.process(role).signal(syscall.SIGKILL, 10*time.Second); err != nil {
		h.t.Fatalf("house: %v", err)
	}
}

// Restart starts what was killed, and returns when it is ready.
func (h *House) Restart(role string) {
	h.t.Helper()
	h.launch(h.holder(role))
	h.awaitReady(h.holder(role))
}

func (h *House) process(role string) *process {
	h.t.Helper()
	p, ok := h.procs[h.holder(role)]
	if !ok {
		h.t.Fatalf("house: there is no process for %s", role)
	}
	return p
}

func (h *House) launch(name string) {
	h.t.Helper()
	if err := h.procs[name].start(); err != nil {
		h.t.Fatalf("house: %v", err)
	}
}

// Stop ends everything in good order, the last started first, and reports who did not
// go in time.
func (h *House) Stop() {
	h.t.Helper()
	for _, name := range slices.Backward(h.order) {
		if err := h.procs[name].signal(syscall.SIGTERM, 30*time.Second); err != nil {
			h.t.Errorf("house: stop: %v", err)
		}
	}
}

// Run runs the program beside the hall, with the hall's configuration, and returns what
// it prints.
func (h *House) Run(ctx context.Context, args ...string) (string, error) {
	h.t.Helper()
	path, err := h.settings(toolName)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, Binary(h.t, "onehall"), append(args, "--config", path)...)
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("onehall %v: %w", args, err)
	}
	return string(out), nil
}

// close ends the hall and shows the logs of a test that failed.
func (h *House) close() {
	for _, c := range h.conns {
		if err := c.Close(); err != nil {
			h.t.Errorf("house: %v", err)
		}
	}
	for _, p := range h.procs {
		if err := p.signal(syscall.SIGKILL, 10*time.Second); err != nil {
			h.t.Errorf("house: %v", err)
		}
	}
	if !h.t.Failed() {
		return
	}
	for _, name := range h.order {
		h.procs[name].show(h.t, 25)
	}
	if keep := os.Getenv("ONEHALL_E2E_LOGS"); keep != "" {
		if err := os.CopyFS(filepath.Join(keep, h.t.Name()), os.DirFS(h.dir)); err != nil {
			h.t.Logf("house: %v", err)
		}
	}
}

// Dir is where the hall's files are.
func (h *House) Dir() string { return h.dir }
