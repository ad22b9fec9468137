package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/onehall/onehall/services/platform/fault"
)

// Etag names one state of one resource: the sequence of the event that made it,
// tied to the resource's name so that the etag of another is told apart. Callers
// treat it as opaque.
func Etag(name string, sequence int64) string {
	return strconv.FormatInt(sequence, 10) + "-" + etagMark(name)
}

func etagMark(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:4])
}

// CheckEtag holds the etag of a request against the current sequence. It returns
// fault.ETagMissing for none, fault.ETagStale for an older state, and
// fault.ETagInvalid for one that this resource never had.
func CheckEtag(etag, name string, current int64) error {
	if etag == "" {
		return fault.ETagMissing.New(fault.Field("etag"))
	}
	number, mark, ok := strings.Cut(etag, "-")
	sequence, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || mark != etagMark(name) || sequence < 1 || sequence > current {
		return fault.ETagInvalid.New(fault.Field("etag"))
	}
	if sequence < current {
		return fault.ETagStale.New(fault.Field("etag"), fault.Meta("etag", Etag(name, current)))
	}
	return nil
}
