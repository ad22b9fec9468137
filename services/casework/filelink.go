package casework

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
)

// filesPath is where links begin.
const filesPath = "/files/"

// links makes and reads links to files. A link says what for, which file, whose and until
// when, and is signed as a whole: none of it can be changed, and none serves for more.
type links struct {
	key  []byte
	base string
}

// link is what one is good for.
type link struct {
	// name is the resource: uploads/… to send bytes, materials/… to read them.
	name string
	// holder stands for whom it was given to.
	holder string
	until  time.Time
}

// holder stands for a caller in a link: a token that comes along must be of the same.
func (l links) holder(subject string) string {
	return base64.RawURLEncoding.EncodeToString(l.mac("holder", subject)[:12])
}

func (l links) mac(parts ...string) []byte {
	h := hmac.New(sha256.New, l.key)
	for _, p := range parts {
		// The length keeps "ab","c" apart from "a","bc". A hash never fails to write.
		_, _ = h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return h.Sum(nil)
}

// make signs a link for a caller.
func (l links) make(name, subject string, until time.Time) string {
	x := link{name, l.holder(subject), until}
	q := url.Values{"e": {strconv.FormatInt(until.Unix(), 10)}, "h": {x.holder}, "s": {l.sign(x)}}
	return strings.TrimSuffix(l.base, "/") + filesPath + name + "?" + q.Encode()
}

func (l links) sign(x link) string {
	return base64.RawURLEncoding.EncodeToString(l.mac("link", x.name, x.holder, strconv.FormatInt(x.until.Unix(), 10)))
}

// read checks a link. Why it is refused is not told: whoever holds a good one knows.
func (l links) read(path string, query url.Values, now time.Time) (link, error) {
	name, ok := strings.CutPrefix(path, filesPath)
	seconds, err := strconv.ParseInt(query.Get("e"), 10, 64)
	if !ok || err != nil || len(query["e"]) != 1 || len(query["h"]) != 1 || len(query["s"]) != 1 {
		return link{}, fault.LinkRefused.New()
	}
	x := link{name, query.Get("h"), time.Unix(seconds, 0)}
	if !hmac.Equal([]byte(l.sign(x)), []byte(query.Get("s"))) || !now.Before(x.until) {
		return link{}, fault.LinkRefused.New()
	}
	return x, nil
}

// copiesAccepted reports a hall that accepts on copies.
func (s *Service) copiesAccepted(hall string) bool {
	return slices.Contains(s.files.cfg.CopiesAccepted, hall)
}
