package authn

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/onehall/onehall/services/platform/clock"
)

// grant is what a one-time word (an authorization code or a refresh token)
// stands for.
type grant struct {
	kind      string
	client    string
	login     string
	redirect  string
	challenge string
	nonce     string
	openid    bool
	expires   time.Time
	// family ties together the refresh tokens of one sign-in.
	family string
}

const (
	kindCode    = "code"
	kindRefresh = "refresh"
	maxGrants   = 10_000
)

// grants keeps one-time words by their hash. A refresh token that is used twice
// was stolen or copied: its whole family ends.
type grants struct {
	clock clock.Clock

	mu    sync.Mutex
	live  *lru.Cache[[sha256.Size]byte, grant]
	spent *lru.Cache[[sha256.Size]byte, string]
	ended *lru.Cache[string, struct{}]
}

func newGrants(clk clock.Clock) *grants {
	g := &grants{clock: clk}
	// The only error is a size below one.
	g.live, _ = lru.New[[sha256.Size]byte, grant](maxGrants)
	g.spent, _ = lru.New[[sha256.Size]byte, string](maxGrants)
	g.ended, _ = lru.New[string, struct{}](maxGrants)
	return g
}

// put keeps the grant and returns the word for it.
func (g *grants) put(gr grant, life time.Duration) string {
	word := randomWord()
	if gr.family == "" {
		gr.family = randomWord()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if gr.expires.IsZero() {
		gr.expires = g.clock.Now().Add(life)
	}
	g.live.Add(sha256.Sum256([]byte(word)), gr)
	return word
}

// take uses a word up.
func (g *grants) take(kind, word string) (grant, bool) {
	key := sha256.Sum256([]byte(word))
	g.mu.Lock()
	defer g.mu.Unlock()
	gr, ok := g.live.Get(key)
	if !ok || gr.kind != kind {
		if family, again := g.spent.Get(key); again {
			g.ended.Add(family, struct{}{})
		}
		return grant{}, false
	}
	g.live.Remove(key)
	g.spent.Add(key, gr.family)
	if g.ended.Contains(gr.family) || !g.clock.Now().Before(gr.expires) {
		return grant{}, false
	}
	return gr, true
}

// randomWord is 256 bits that nobody guesses.
func randomWord() string {
	var b [32]byte
	// crypto/rand.Read never returns an error; it stops the program instead.
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

var errTooMany = errors.New("too many attempts")

// tries slows down guessing: five at once, then one every three seconds, for
// each login.
type tries struct {
	mu    sync.Mutex
	limit *lru.Cache[string, *rate.Limiter]
}

func newTries() *tries {
	l, _ := lru.New[string, *rate.Limiter](maxGrants)
	return &tries{limit: l}
}

func (t *tries) allow(login string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.limit.Get(login)
	if !ok {
		l = rate.NewLimiter(rate.Every(3*time.Second), 5)
		t.limit.Add(login, l)
	}
	return l.Allow()
}
