package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// etcdPart runs one etcd member and nothing else: the part of `up` that is not ours.
func etcdPart(ctx context.Context, in *bufio.Scanner, answer func(any) error) error {
	var dir string
	if ok, err := next(in, &dir); !ok || err != nil {
		return errors.Join(errors.New("no directory"), err)
	}
	began := time.Now()
	cfg := embed.NewConfig()
	cfg.Dir, cfg.LogLevel = dir, "fatal"
	var urls []url.URL
	for range 2 {
		port, err := freePort()
		if err != nil {
			return err
		}
		urls = append(urls, url.URL{Scheme: "http", Host: "127.0.0.1:" + strconv.Itoa(port)})
	}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = urls[:1], urls[:1]
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = urls[1:], urls[1:]
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	defer e.Close()
	select {
	case <-e.Server.ReadyNotify():
	case <-ctx.Done():
		return ctx.Err()
	}
	took := time.Since(began)
	rss, err := residentBytes(os.Getpid())
	if err != nil {
		return err
	}
	if err := answer(startFigures{Ready: took, RSS: rss}); err != nil {
		return err
	}
	_, err = next(in, &dir)
	return err
}

// startFigures are of one start.
type startFigures struct {
	Ready time.Duration
	RSS   int64
	// Idle is the share of a core used while nothing happens.
	Idle float64
}

// measureStart starts the program from nothing, as an operator does.
func measureStart(ctx context.Context, b *bench) error {
	program := filepath.Join(b.dir, "onehall")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./deploy/onehall")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	var up, etcd startSeries
	for range b.plan.starts {
		one, err := b.etcdAlone()
		if err != nil {
			return err
		}
		etcd.add(one)
		if one, err = b.upAlone(ctx, program); err != nil {
			return err
		}
		up.add(one)
	}
	b.report.add(
		row{
			what: "`onehall up` from an empty directory to ready", figure: seconds(median(up.ready)), limitWhat: "embedded etcd alone", limit: seconds(median(etcd.ready)),
			ratio: times(median(up.ready) / median(etcd.ready)), reach: "≤ 3 s", met: median(up.ready) <= 3, notes: fmt.Sprintf("%d starts, %s", len(up.ready), spread(up.ready, seconds)),
		},
		row{
			what: "memory of `onehall up`, empty", figure: mebibytes(median(up.rss)), limitWhat: "embedded etcd alone", limit: mebibytes(median(etcd.rss)),
			ratio: times(median(up.rss) / median(etcd.rss)), reach: "ratio ≤ 3", met: median(up.rss) <= 3*median(etcd.rss), notes: spread(up.rss, mebibytes),
		},
		row{what: "idle `onehall up`", figure: percent(median(up.idle)), reach: "≤ 2 % of a core", met: median(up.idle) <= .02, notes: "CPU over 3 s after the start; " + spread(up.idle, percent)})
	return b.demoStart(ctx, program)
}

type startSeries struct{ ready, rss, idle []float64 }

func (s *startSeries) add(f startFigures) {
	s.ready, s.rss, s.idle = append(s.ready, f.Ready.Seconds()), append(s.rss, float64(f.RSS)), append(s.idle, f.Idle)
}

func seconds(v float64) string   { return fmt.Sprintf("%.2f s", v) }
func mebibytes(v float64) string { return fmt.Sprintf("%.0f MiB", v/(1<<20)) }
func percent(v float64) string   { return fmt.Sprintf("%.1f %%", 100*v) }

func (b *bench) etcdAlone() (f startFigures, err error) {
	dir := b.path("etcd")
	c, err := startChild("etcd", dir)
	if err != nil {
		return f, err
	}
	err = c.receive(&f)
	return f, errors.Join(err, c.stop(), os.RemoveAll(dir))
}

// upAlone starts the built program and asks its door until it answers.
func (b *bench) upAlone(ctx context.Context, program string) (f startFigures, err error) {
	port, err := freePort()
	if err != nil {
		return f, err
	}
	dir := b.path("up")
	cmd := exec.CommandContext(ctx, program, "up", "--data_dir", dir, "--log.level", "error", "--gateway.listen", fmt.Sprintf("127.0.0.1:%d", port))
	cmd.Env = append(os.Environ(), "ONEHALL_ISSUER__LISTEN=127.0.0.1:0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return f, err
	}
	began := time.Now()
	if err := launch(cmd); err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, interrupt(cmd), os.RemoveAll(dir)) }()
	// It speaks when all roles are ready, and not before.
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		return f, fmt.Errorf("up ended before it was ready: %w", err)
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }() // what it says further is not needed
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	err = until(ctx, "the door of up", time.Minute, func() (bool, error) {
		resp, err := http.Get(base + "/v1/halls")
		if err != nil {
			return false, err
		}
		return resp.StatusCode == http.StatusOK, resp.Body.Close()
	})
	if err != nil {
		return f, err
	}
	f.Ready = time.Since(began)
	if f.RSS, err = residentBytes(cmd.Process.Pid); err != nil {
		return f, err
	}
	f.Idle, err = idleShare(cmd.Process.Pid)
	return f, err
}

// idleShare is the share of a core that a process uses over some seconds.
func idleShare(pid int) (float64, error) {
	const over = 3 * time.Second
	time.Sleep(time.Second) // what the start set going comes to rest
	before, err := processTime(pid, false)
	if err != nil {
		return 0, err
	}
	time.Sleep(over)
	after, err := processTime(pid, false)
	return (after - before).Seconds() / over.Seconds(), err
}

// processTime is what a process has used, and with reaped also what its children that
// have ended had, in steps of 10 ms.
func processTime(pid int, reaped bool) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name in brackets may hold anything; what follows are numbers.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 15 {
		return 0, fmt.Errorf("process %d: cannot read its times", pid)
	}
	counted := fields[11:13]
	if reaped {
		counted = fields[11:15]
	}
	var sum time.Duration
	for _, f := range counted {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum, nil
}

// interrupt stops a program as an operator does.
func interrupt(cmd *exec.Cmd) error {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return cmd.Wait()
}

var demoReady = regexp.MustCompile(`ready：([0-9.]+)`)

// demoStart runs the demonstration until it stays up, reads when it was ready and looks
// at its memory then: the sample province is loaded, two cases went their way.
func (b *bench) demoStart(ctx context.Context, program string) error {
	var ready, whole, rss []float64
	for range b.plan.starts {
		one, walked, err := runDemo(ctx, program)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		ready, whole, rss = append(ready, one.Ready.Seconds()), append(whole, walked.Seconds()), append(rss, float64(one.RSS))
	}
	b.report.add(
		row{
			what: "`onehall demo`, sample province loaded, ready", figure: seconds(median(ready)), reach: "≤ 5 s", met: median(ready) <= 5,
			notes: fmt.Sprintf("%d starts, %s; with its walk %s", len(ready), spread(ready, seconds), seconds(median(whole))),
		},
		row{what: "memory with the sample province", figure: mebibytes(median(rss)), notes: spread(rss, mebibytes)})
	return nil
}

func runDemo(ctx context.Context, program string) (f startFigures, walked time.Duration, err error) {
	cmd := exec.CommandContext(ctx, program, "demo", "--any-port")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return f, 0, err
	}
	began := time.Now()
	if err := launch(cmd); err != nil {
		return f, 0, err
	}
	defer func() { err = errors.Join(err, interrupt(cmd)) }()
	in := bufio.NewScanner(stdout)
	for in.Scan() && !strings.Contains(in.Text(), "stays up") {
		if m := demoReady.FindStringSubmatch(in.Text()); m != nil {
			v, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				return f, 0, err
			}
			f.Ready = time.Duration(v * float64(time.Second))
		}
	}
	if f.Ready == 0 || !strings.Contains(in.Text(), "stays up") {
		return f, 0, errors.Join(errors.New("it ended before it stayed up"), in.Err())
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }() // what it says further is not needed
	walked = time.Since(began)
	f.RSS, err = residentBytes(cmd.Process.Pid)
	return f, walked, err
}
