// Package page holds the two rules every list method shares: how large a page is,
// and what a page token is.
//
// A token names the last row seen (its sort key), sealed with the caller and the filter
// it belongs to. So it cannot be edited into another listing, and nobody can use
// somebody else's: a token is a position in one question of one person.
package page

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/onehall/onehall/services/platform/fault"
)

// maxToken bounds what Decode looks at; our own tokens are a tenth of it.
const maxToken = 4096

// version is that of the token format. A token of another release is refused, and the
// caller starts again from the first page.
const version = 1

// Size is the number of rows to return for a requested page size: def for zero, at
// most max, BAD_PAGE_SIZE for a negative one.
func Size(req int32, def, max int) (int, error) {
	switch {
	case req < 0:
		return 0, fault.BadPageSize.New(fault.Field("page_size"))
	case req == 0:
		return min(def, max), nil
	default:
		return min(int(req), max), nil
	}
}

// Codec makes and reads page tokens.
type Codec struct {
	// Secret keys the seal; every replica of a service needs the same one.
	Secret []byte
}

// Encode makes a token for the row whose sort key is key. principal and filterHash are
// sealed in, not written down.
func (c Codec) Encode(principal, filterHash string, key ...string) string {
	body := []byte{version}
	for _, k := range key {
		body = binary.AppendUvarint(body, uint64(len(k)))
		body = append(body, k...)
	}
	return base64.RawURLEncoding.EncodeToString(append(c.seal(principal, filterHash, body), body...))
}

// Decode returns the sort key of a token made by Encode for the same principal and
// filter, nil for the empty token (the first page), and BAD_PAGE_TOKEN for any other.
func (c Codec) Decode(token, principal, filterHash string) ([]string, error) {
	if token == "" {
		return nil, nil
	}
	// The decoder skips line breaks; a token has none.
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return nil, bad(errors.New("page: token too long or broken up"))
	}
	// Strict: one position has one spelling, so a cache or a log never sees two.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil, bad(err)
	}
	if len(raw) <= sha256.Size {
		return nil, bad(errors.New("page: token too short"))
	}
	seal, body := raw[:sha256.Size], raw[sha256.Size:]
	if !hmac.Equal(seal, c.seal(principal, filterHash, body)) {
		return nil, bad(errors.New("page: wrong seal"))
	}
	if body[0] != version {
		return nil, bad(errors.New("page: token of another release"))
	}
	return keys(body[1:])
}

// keys reads the length-prefixed sort key.
func keys(body []byte) ([]string, error) {
	out := []string{}
	for len(body) > 0 {
		n, used := binary.Uvarint(body)
		if used <= 0 || n > uint64(len(body)-used) {
			return nil, bad(errors.New("page: broken key"))
		}
		out = append(out, string(body[used:used+int(n)]))
		body = body[used+int(n):]
	}
	return out, nil
}

// seal binds the body to its reader and question. Each part carries its length, so
// that no two triples look alike.
func (c Codec) seal(principal, filterHash string, body []byte) []byte {
	mac := hmac.New(sha256.New, c.Secret)
	for _, part := range [][]byte{[]byte("onehall page"), []byte(principal), []byte(filterHash), body} {
		mac.Write(binary.AppendUvarint(nil, uint64(len(part)))) // a hash never fails to write
		mac.Write(part)
	}
	return mac.Sum(nil)
}

func bad(cause error) error {
	return fault.BadPageToken.New(fault.Field("page_token"), fault.Cause(cause))
}

// FilterHash condenses everything that makes a listing the listing it is: parent,
// filter, order, view. Parts are kept apart, so ("a", "bc") differs from ("ab", "c").
func FilterHash(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write(binary.AppendUvarint(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}
