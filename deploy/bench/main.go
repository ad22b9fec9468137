package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// measure is one part of the run.
type measure struct {
	name, short string
	run         func(ctx context.Context, b *bench) error
}

// measures in the order they run.
func measures() []measure {
	return []measure{
		{"submit", "durable submissions over REST on PostgreSQL against pgbench", measureSubmit},
		{"group", "SQLite with group commit against one transaction a request, and the front door without a store", measureGroup},
		{"life", "whole lifecycles, empty and with a million cases stored", measureLife},
		{"lag", "from the commit to the card and the hub's figure", measureLag},
		{"start", "start and memory of `up`, readiness of the demo", measureStart},
		{"clocks", "many open clocks: a quiet hour, and from the due moment to the card", measureClocks},
		{"rebuild", "cards and due dates of a million cases from their events", measureRebuild},
		{"dryrun", "other rules tried on a million past cases", measureDryRun},
		{"wall", "the live wall with a thousand readers", measureWall},
		{"search", "search among the items of a whole province", measureSearch},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if name := os.Getenv(childEnv); name != "" {
		os.Exit(play(ctx, name))
	}
	if err := run(ctx, os.Stdout, os.Args[1:]); err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) (err error) {
	flags := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	only := flags.StringSlice("only", nil, "run these parts only")
	short := flags.Bool("short", false, "less of everything, in about two minutes")
	cases := flags.Int("cases", 0, "how many cases are stored, instead of the plan's number")
	list := flags.Bool("list", false, "list the parts")
	if err := flags.Parse(singleDash(args)); err != nil {
		return err
	}
	if *list {
		for _, m := range measures() {
			fmt.Fprintf(out, "%-8s %s\n", m.name, m.short)
		}
		return nil
	}
	for _, name := range *only {
		if !slices.ContainsFunc(measures(), func(m measure) bool { return m.name == name }) {
			return fmt.Errorf("there is no part %q; -list names them", name)
		}
	}
	dir, err := os.MkdirTemp("", "onehall-bench-")
	if err != nil {
		return err
	}
	b := &bench{dir: dir, out: out, report: &report{out: out}, plan: fullPlan}
	if *short {
		b.plan = shortPlan
	}
	if *cases > 0 {
		b.plan.stored, b.plan.clocks = *cases, *cases
	}
	defer func() { err = errors.Join(err, b.stop(), os.RemoveAll(dir)) }()
	fmt.Fprintf(out, "%s, %d cores, %s, load %s\n", runtime.Version(), runtime.NumCPU(), processor(), loadAverage())
	began := time.Now()
	for _, m := range measures() {
		if len(*only) > 0 && !slices.Contains(*only, m.name) {
			continue
		}
		fmt.Fprintf(out, "%s: %s\n", m.name, m.short)
		if err := m.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	if err := b.report.table(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\ntook %v\n", time.Since(began).Round(time.Second))
	return err
}

// singleDash lets -short and -only be written with one dash, as Go's own tools do.
func singleDash(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out {
		if strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && len(a) > 2 {
			out[i] = "-" + a
		}
	}
	return out
}

// processor is the machine's, as it names itself.
func processor() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(raw)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return runtime.GOARCH
}
