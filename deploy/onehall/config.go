package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/pflag"

	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
)

// settings are the flags that every command which runs something has.
type settings struct {
	flags  *pflag.FlagSet
	config string
}

// configFlags are the flags that are keys of the configuration.
var configFlags = []string{"data_dir", "log.level", "admin.listen", "gateway.listen", "issuer.listen", "storage.driver"}

// newFlags makes a command's flag set. Flags named like configuration keys go into
// the configuration; the others are the command's own.
func newFlags(name string, out io.Writer) *settings {
	s := &settings{flags: pflag.NewFlagSet("onehall "+name, pflag.ContinueOnError)}
	s.flags.SetOutput(out)
	s.flags.StringVar(&s.config, "config", "", "YAML configuration file")
	s.flags.String("data_dir", "", "where the data lies")
	s.flags.String("log.level", "", "debug, info, warn or error")
	s.flags.String("admin.listen", "", "address of the operators' server (metrics, health)")
	s.flags.String("gateway.listen", "", "address of the public server")
	s.flags.String("storage.driver", "", "sqlite or postgres")
	return s
}

// load parses the arguments and reads the configuration on top of c.
func (s *settings) load(args []string, c *stand.Config) error {
	if err := s.flags.Parse(args); err != nil {
		return err
	}
	// Flags of the command's own are not keys of the configuration.
	keys := pflag.NewFlagSet("keys", pflag.ContinueOnError)
	for _, name := range configFlags {
		f := s.flags.Lookup(name)
		if f == nil || !f.Changed {
			continue
		}
		keys.String(name, "", f.Usage)
		if err := keys.Set(name, f.Value.String()); err != nil {
			return err
		}
	}
	return boot.Load(c, boot.Sources{File: s.config, Flags: keys})
}

// params makes the parts of a runtime that no configuration holds.
func params(c stand.Config, clk clock.Clock) (boot.Params, error) {
	log, err := boot.NewLogger(c.Log, os.Stderr)
	if err != nil {
		return boot.Params{}, err
	}
	slog.SetDefault(log)
	return boot.Params{Clock: clk, Log: log, Version: version()}, nil
}

// oneArgument is the single argument a command takes.
func oneArgument(flags *pflag.FlagSet, what string) (string, error) {
	switch flags.NArg() {
	case 1:
		return flags.Arg(0), nil
	case 0:
		return "", errors.New("missing " + what)
	}
	return "", fmt.Errorf("one %s, not %d", what, flags.NArg())
}
