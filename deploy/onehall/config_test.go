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
	for _, key := range []string{
		"GATEWAY__LISTN", // misspelt
		// What the program fills in itself would be ignored.
		"CATALOGUE__DB__DSN", "CASEWORK__DB__DRIVER", "REVIEW__PAGE_SECRET", "HUB__PAGE_SECRET", "SUPERVISION__PAGE_SECRET",
		"CATALOGUE__PAGE_SECRET", "CASEWORK__QUERY_CODE_SECRET", "CASEWORK__-",
	} {
		t.Run(key, func(t *testing.T) {
			t.Setenv("ONEHALL_"+key, "a value that is long enough")
			c := stand.DefaultConfig()
			if err := newFlags("up", io.Discard).load(nil, &c); err == nil {
				t.Error("the key was taken")
			}
		})
	}
}
