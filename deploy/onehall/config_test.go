package main

import (
	"io"
	"testing"

	"github.com/onehall/onehall/deploy/stand"
)

// A flag wins over the default and over the environment; the command's own flags do
// not get into the configuration.
func TestFlagsReachTheConfiguration(t *testing.T) {
	t.Setenv("ONEHALL_GATEWAY__LISTEN", "127.0.0.1:1")
	t.Setenv("ONEHALL_LOG__LEVEL", "warn")
	s := newFlags("up", io.Discard)
	own := s.flags.Bool("own", false, "a flag of the command's own")
	c := stand.DefaultConfig()
	if err := s.load([]string{"--gateway.listen", "127.0.0.1:2", "--own"}, &c); err != nil {
		t.Fatal(err)
	}
	if c.Gateway.Listen != "127.0.0.1:2" || c.Log.Level != "warn" || !*own {
		t.Errorf("listen %q, level %q, own %v", c.Gateway.Listen, c.Log.Level, *own)
	}
}

func TestUnknownConfigurationIsRefused(t *testing.T) {
	t.Setenv("ONEHALL_GATEWAY__LISTN", "127.0.0.1:1")
	c := stand.DefaultConfig()
	if err := newFlags("up", io.Discard).load(nil, &c); err == nil {
		t.Error("a misspelt key was taken")
	}
}
