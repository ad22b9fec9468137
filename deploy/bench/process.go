package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// childEnv tells a process of this program which part it plays.
const childEnv = "ONEHALL_BENCH_CHILD"

// child is another process of this program, which answers a line of JSON to each line
// of JSON, and ends at the end of its input.
type child struct {
	name  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Scanner
	ended chan error
}

// startChild starts a part and hands it what it must know.
func startChild(part string, spec any) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{name: part, cmd: exec.Command(self), ended: make(chan error, 1)}
	c.cmd.Env = append(os.Environ(), childEnv+"="+part)
	c.cmd.Stderr = os.Stderr
	// An interrupt from the terminal is for the parent, which ends its children in order.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewScanner(stdout)
	c.out.Buffer(make([]byte, 64<<10), 64<<20)
	if err := launch(c.cmd); err != nil {
		return nil, err
	}
	return c, c.send(spec)
}

// launch starts a process from a thread that never ends: the signal it gets at its
// parent's death is tied to the thread, not to the process.
func launch(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		started <- cmd.Start()
		select {}
	}()
	return <-started
}

func (c *child) send(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = c.in.Write(append(raw, '\n'))
	return err
}

// receive waits for the next answer.
func (c *child) receive(v any) error {
	if !c.out.Scan() {
		return errors.Join(fmt.Errorf("%s ended without an answer", c.name), c.out.Err(), c.stop())
	}
	var failed struct{ Error string }
	if err := json.Unmarshal(c.out.Bytes(), &failed); err == nil && failed.Error != "" {
		return fmt.Errorf("%s: %s", c.name, failed.Error)
	}
	return json.Unmarshal(c.out.Bytes(), v)
}

// ask sends a question and waits for its answer.
func (c *child) ask(question, answer any) error {
	if err := c.send(question); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return c.receive(answer)
}

// stop ends the child by ending its input.
func (c *child) stop() error {
	if err := c.in.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	go func() { c.ended <- c.cmd.Wait() }()
	select {
	case err := <-c.ended:
		return err
	case <-time.After(time.Minute):
		return errors.Join(fmt.Errorf("%s did not stop", c.name), c.cmd.Process.Kill())
	}
}

// part is what a child does: it reads its spec and questions and writes answers.
type part func(ctx context.Context, in *bufio.Scanner, answer func(v any) error) error

// parts are the parts that a process of this program can play.
var parts = map[string]part{"hall": hallPart, "load": loadPart, "etcd": etcdPart}

// play runs this process as a part.
func play(ctx context.Context, name string) int {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 64<<10), 64<<20)
	out := json.NewEncoder(os.Stdout)
	run, ok := parts[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "bench: there is no part %q\n", name)
		return 1
	}
	if err := run(ctx, in, out.Encode); err != nil {
		// The parent reads it as the answer, whatever it had asked.
		if encodeErr := out.Encode(map[string]string{"Error": err.Error()}); encodeErr != nil {
			fmt.Fprintln(os.Stderr, "bench:", errors.Join(err, encodeErr))
		}
		return 1
	}
	return 0
}

// next reads the next question; false at the end of the input.
func next(in *bufio.Scanner, v any) (bool, error) {
	if !in.Scan() {
		return false, in.Err()
	}
	return true, json.Unmarshal(in.Bytes(), v)
}
