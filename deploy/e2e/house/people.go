package house

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/onehall/onehall/deploy/restclient"
	"github.com/onehall/onehall/services/platform/authn"
)

// tokens are the tokens of the people a test speaks as. They are kept for a while, as a
// person's browser would.
type tokens struct {
	issuer *authn.Issuer
	mu     sync.Mutex
	known  map[string]keptToken
}

type keptToken struct {
	raw   string
	until time.Time
}

func newTokens(i *authn.Issuer) *tokens { return &tokens{issuer: i, known: map[string]keptToken{}} }

func (k *tokens) of(u authn.User) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t, ok := k.known[u.Login]; ok && time.Now().Before(t.until) {
		return t.raw, nil
	}
	raw, err := k.issuer.Mint(u)
	if err != nil {
		return "", err
	}
	k.known[u.Login] = keptToken{raw: raw, until: time.Now().Add(5 * time.Minute)}
	return raw, nil
}

// Token is an access token of a person.
func (h *House) Token(u authn.User) string {
	h.t.Helper()
	raw, err := h.tokens.of(u)
	if err != nil {
		h.t.Fatalf("house: %v", err)
	}
	return raw
}

// pool carries the calls of all clients.
var pool = restclient.Pool(64)

// As is a REST client that speaks as a person.
func (h *House) As(u authn.User) *restclient.Client {
	return &restclient.Client{
		Base: h.Gateway, HTTP: pool,
		Token: func(context.Context) (string, error) { return h.tokens.of(u) },
	}
}

// Nobody is a REST client that has not signed in.
func (h *House) Nobody() *restclient.Client { return &restclient.Client{Base: h.Gateway, HTTP: pool} }

// HTTP is what the clients' calls go through, for calls that no client would make.
func (h *House) HTTP() *http.Client { return pool }

// Conn is a gRPC channel straight to a role, past the gateway.
func (h *House) Conn(role string) *grpc.ClientConn {
	h.t.Helper()
	if c, ok := h.conns[role]; ok {
		return c
	}
	addr, ok := h.grpc[role]
	if !ok {
		h.t.Fatalf("house: %s has no gRPC address", role)
	}
	c, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64<<20)))
	if err != nil {
		h.t.Fatalf("house: %v", err)
	}
	h.conns[role] = c
	return c
}

// Context carries a person's token to gRPC calls.
func (h *House) Context(ctx context.Context, u authn.User) context.Context {
	h.t.Helper()
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+h.Token(u))
}

// Service is the account that services follow feeds with.
func Service() authn.User {
	return authn.User{Login: "e2e-service", Name: "e2e", Roles: []string{"service"}}
}

// Post is a member of a hall's staff with one role; n tells several apart.
func Post(hall, department, role string, n int) authn.User {
	return authn.User{
		Login: fmt.Sprintf("%s-%s-%s-%d", hall, department, role, n), Name: fmt.Sprintf("职员%d", n),
		Roles: []string{role}, Hall: hall, Department: department,
	}
}
