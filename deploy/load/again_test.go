package load

import (
	"errors"
	"testing"

	"github.com/onehall/onehall/services/platform/fault"
)

func TestAgain(t *testing.T) {
	expired, other := fault.Status(fault.TokenExpired.New(), "en").Err(), errors.New("another")
	for name, tc := range map[string]struct {
		answers []error
		calls   int
		want    error
	}{
		"at once":            {[]error{nil}, 1, nil},
		"the clock jumped":   {[]error{expired, expired, nil}, 3, nil},
		"never":              {[]error{expired, expired, expired, expired, expired}, tries, expired},
		"another is no jump": {[]error{other}, 1, other},
	} {
		calls := 0
		err := again(func() error { calls++; return tc.answers[calls-1] })
		if calls != tc.calls || err != tc.want { //nolint:errorlint // the very error
			t.Errorf("%s: %d calls, %v", name, calls, err)
		}
	}
}
