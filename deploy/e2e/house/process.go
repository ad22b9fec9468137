package house

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that can be killed and started again; its log goes on in one
// file over all its lives.
type process struct {
	name string
	argv []string
	log  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when the present life is over
}

func newProcess(dir, name string, argv ...string) *process {
	return &process{name: name, argv: argv, log: filepath.Join(dir, name+".log")}
}

// start begins a life.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has its own handle
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, environment()
	cmd.SysProcAttr = attributes()
	if err := launch(cmd); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	done := make(chan struct{})
	p.cmd, p.done = cmd, done
	go func() {
		defer close(done)
		_ = cmd.Wait() // how it ended is in its log
	}()
	return nil
}

// environment is ours without what would change a hall's configuration.
func environment() []string {
	var out []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ONEHALL_") && !strings.HasPrefix(v, "OTEL_") && !strings.HasPrefix(v, "ETCD_") {
			out = append(out, v)
		}
	}
	return out
}

// ended is closed when the present life is over.
func (p *process) ended() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// signal ends the present life and waits for its end.
func (p *process) signal(sig syscall.Signal, patience time.Duration) error {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-done:
		return nil
	case <-late.C:
		return errors.Join(fmt.Errorf("%s did not end within %v", p.name, patience), cmd.Process.Kill())
	}
}

// show puts what matters of the log into the test's output: warnings, errors and what
// is no log line at all, up to so many lines from the end.
func (p *process) show(t testing.TB, lines int) {
	raw, err := os.ReadFile(p.log)
	if err != nil {
		t.Logf("%s: %v", p.name, err)
		return
	}
	var all [][]byte
	for line := range bytes.Lines(raw) {
		if !bytes.Contains(line, []byte(`"level":"INFO"`)) {
			all = append(all, line)
		}
	}
	t.Logf("---- %s, the last of %d lines:\n%s", p.name, len(all), bytes.Join(all[max(0, len(all)-lines):], nil))
}

// launches are done by one thread that never ends: the signal that a process gets at
// its parent's death is tied to the thread that started it.
var launches = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

func launch(cmd *exec.Cmd) error {
	started := make(chan error)
	launches() <- func() { started <- cmd.Start() }
	return <-started
}
