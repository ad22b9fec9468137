package feed_test

import (
	"errors"
	"testing"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

func TestCheckEtag(t *testing.T) {
	const name, other = "halls/441300/cases/1", "halls/441300/cases/2"
	for _, c := range []struct {
		what, etag string
		want       error
	}{
		{"the current one", feed.Etag(name, 3), nil},
		{"none", "", fault.ETagMissing},
		{"an older one", feed.Etag(name, 2), fault.ETagStale},
		{"one of the future", feed.Etag(name, 4), fault.ETagInvalid},
		{"another resource's", feed.Etag(other, 3), fault.ETagInvalid},
		{"a bare number", "3", fault.ETagInvalid},
		{"zero", feed.Etag(name, 0), fault.ETagInvalid},
		{"nonsense", "x-y", fault.ETagInvalid},
	} {
		if err := feed.CheckEtag(c.etag, name, 3); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, err, c.want)
		}
	}
}
