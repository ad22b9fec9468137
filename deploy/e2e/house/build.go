package house

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binaries are built once a test binary, into one directory.
var binaries struct {
	sync.Mutex
	dir   string
	built map[string]error
}

// packages are the programs that a hall is made of.
var packages = map[string]string{
	"onehall": "github.com/onehall/onehall/deploy/onehall",
	"etcd":    "go.etcd.io/etcd/server/v3",
}

// Binary is the path of a program (onehall or etcd), built when first asked for.
func Binary(t testing.TB, name string) string {
	t.Helper()
	binaries.Lock()
	defer binaries.Unlock()
	if binaries.dir == "" {
		dir, err := os.MkdirTemp("", "onehall-e2e-")
		if err != nil {
			t.Fatalf("house: %v", err)
		}
		binaries.dir, binaries.built = dir, map[string]error{}
	}
	path := filepath.Join(binaries.dir, name)
	err, done := binaries.built[name]
	if !done {
		err = build(path, packages[name])
		binaries.built[name] = err
	}
	if err != nil {
		t.Fatalf("house: build %s: %v", name, err)
	}
	return path
}

func build(path, pkg string) error {
	if pkg == "" {
		return errors.New("there is no such program")
	}
	cmd := exec.Command("go", "build", "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// Main runs a test binary's tests and removes what was built for them.
func Main(m *testing.M) int {
	code := m.Run()
	binaries.Lock()
	defer binaries.Unlock()
	if binaries.dir != "" {
		if err := os.RemoveAll(binaries.dir); err != nil {
			fmt.Fprintf(os.Stderr, "house: %v\n", err)
		}
	}
	return code
}
