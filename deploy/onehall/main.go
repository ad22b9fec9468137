// Command onehall is the whole product: every role of a service hall, and the tools
// that go with it. `onehall help` lists what it does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/pflag"
)

// command is one thing the program does.
type command struct {
	name, args, short string
	run               func(ctx context.Context, out io.Writer, args []string) error
}

func commands() []command {
	return []command{
		{"demo", "", "start a hall with the sample province and walk through two cases", demo},
		{"up", "", "start a whole hall in this process, on its data directory", up},
		{"serve", "<role>", "run one role of a deployment: catalogue, casework, review, supervision, hub or gateway", serve},
		{"issuer", "", "run the built-in issuer alone, for tests of a split deployment", issuer},
		{"migrate", "", "apply the database migrations of all services", migrate},
		{"import", "<file>", "check a department's item list (CSV or XLSX) and import it as drafts; `import exchange` sends rows of cases", importWhat},
		{"export", "exchange", "write cases as rows of the ten exchange tables (CSV), or push them to another hall", exportWhat},
		{"load", "", "bring the sample province into a running hall", loadSample},
		{"simulate", "", "live through days of a city at high speed and check every invariant", simulate},
		{"verify", "recount", "recount every figure of the hub at its source and compare", verifyAll},
		{"parked", "<verb> <role>", "list, release or skip the events that a role could not apply", parked},
		{"version", "", "print the version", printVersion},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Args[1:]); err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "onehall:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		return help(out)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, out, args[1:])
		}
	}
	return fmt.Errorf("there is no command %q; `onehall help` lists them", args[0])
}

func help(out io.Writer) error {
	fmt.Fprintln(out, "OneHall, an online government service hall.")
	fmt.Fprintln(out)
	for _, c := range commands() {
		if _, err := fmt.Fprintf(out, "  onehall %-24s %s\n", c.name+" "+c.args, c.short); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out, "\n`onehall <command> --help` shows a command's flags. Configuration: a YAML file (--config), ONEHALL_* variables, flags.")
	return err
}

func printVersion(_ context.Context, out io.Writer, _ []string) error {
	_, err := fmt.Fprintln(out, version())
	return err
}

// version is the module's version or the commit the program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return info.Main.Version
}
