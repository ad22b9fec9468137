// Package authn says who is calling. A bearer token signed by the issuer is the
// only thing believed: no metadata name, no header of a proxy. Every service
// verifies the token itself, so that nothing in between can add a role.
package authn

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/codes"
)

// Principal is the verified caller.
type Principal struct {
	// Subject is the token's subject; it never changes for a person.
	Subject string
	// Name is for display only.
	Name string
	// Roles are the roles of the token that OneHall knows.
	Roles []optionsv1.Role
	// Hall is the six-digit division the caller works for; empty for applicants.
	Hall string
	// Department is the id of the caller's department, if an official.
	Department string
	// Posts are the posts the caller holds, as free words of the department.
	Posts []string
	// IdentityKey stands for the caller's identity number wherever ownership is
	// compared. The number itself is dropped as soon as the key is made.
	IdentityKey string
	// Expires is when the token ends.
	Expires time.Time
}

// Has reports whether the principal carries the role.
func (p *Principal) Has(role optionsv1.Role) bool {
	return p != nil && slices.Contains(p.Roles, role)
}

// Access is a caller within one call: who, and how far the method's grants
// reach for it. The principal is nil when a public method is called by
// somebody who did not sign in.
type Access struct {
	*Principal
	// Scope is the widest scope that the method grants to the caller's roles:
	// what a listing is made by.
	Scope optionsv1.Scope
	// narrower are the scopes granted beside it, by other roles of the caller.
	narrower []optionsv1.Scope
}

// NewAccess is the access of a caller whose roles are granted these scopes.
func NewAccess(p *Principal, granted ...optionsv1.Scope) Access {
	a := Access{Principal: p}
	for _, scope := range granted {
		switch {
		case scope == a.Scope || slices.Contains(a.narrower, scope):
		case scope > a.Scope: // they are declared from narrow to wide
			if a.Scope != optionsv1.Scope_SCOPE_UNSPECIFIED {
				a.narrower = append(a.narrower, a.Scope)
			}
			a.Scope = scope
		default:
			a.narrower = append(a.narrower, scope)
		}
	}
	return a
}

// Within is what is left of the access in a call about a hall. Grants that end
// at the caller's own hall say nothing of another; who also has one of its own,
// as a clerk who applies for something in the next town, goes on with that
// alone. false tells that nothing is left.
func (a Access) Within(hall string) (Access, bool) {
	if a.Principal != nil && same(a.Hall, hall) {
		return a, true
	}
	var left []optionsv1.Scope
	for _, scope := range append([]optionsv1.Scope{a.Scope}, a.narrower...) {
		if scope != optionsv1.Scope_SCOPE_HALL && scope != optionsv1.Scope_SCOPE_DEPARTMENT {
			left = append(left, scope)
		}
	}
	return NewAccess(a.Principal, left...), len(left) > 0
}

// Covers reports whether a thing that belongs to the hall, the department and
// the owner (an IdentityKey) is within reach of any grant. Services answer
// NOT_FOUND when it is not, so that probing tells nothing. An empty word never
// matches: a thing without a department belongs to no department's scope.
func (a Access) Covers(hall, department, ownerKey string) bool {
	return a.covers(a.Scope, hall, department, ownerKey) || slices.ContainsFunc(a.narrower, func(scope optionsv1.Scope) bool {
		return a.covers(scope, hall, department, ownerKey)
	})
}

func (a Access) covers(scope optionsv1.Scope, hall, department, ownerKey string) bool {
	if scope == optionsv1.Scope_SCOPE_ALL {
		return true
	}
	if a.Principal == nil {
		return false
	}
	switch scope {
	case optionsv1.Scope_SCOPE_HALL:
		return same(a.Hall, hall)
	case optionsv1.Scope_SCOPE_DEPARTMENT:
		return same(a.Hall, hall) && same(a.Department, department)
	case optionsv1.Scope_SCOPE_OWN:
		return same(a.IdentityKey, ownerKey)
	default:
		return false
	}
}

func same(a, b string) bool { return a != "" && a == b }

type (
	principalKey struct{}
	accessKey    struct{}
)

// NewContext returns ctx with the caller in it.
func NewContext(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From returns the caller, if somebody signed in is calling.
func From(ctx context.Context) (*Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(*Principal)
	return p, ok && p != nil
}

// WithAccess returns ctx with the caller and its reach in it.
func WithAccess(ctx context.Context, a Access) context.Context {
	return context.WithValue(NewContext(ctx, a.Principal), accessKey{}, a)
}

// AccessFrom returns the caller's reach; false outside of a served call.
func AccessFrom(ctx context.Context) (Access, bool) {
	a, ok := ctx.Value(accessKey{}).(Access)
	return a, ok
}

// The kinds of identity number.
const (
	IDTypeResident = "resident_id"
	IDTypeUSCC     = "uscc"
)

// IdentityKey turns an identity number into the word that stands for it. Only
// holders of the secret can make or test one, so a stolen table does not give
// the numbers away, although there are few enough of them to try all.
func IdentityKey(secret []byte, idType, number string) string {
	number = canonical(idType, number)
	if number == "" {
		return ""
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(idType + "|" + number))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// canonical makes the ways of typing one number equal. A number that does not
// pass its own check digit still gets a key: whether it may be used at all is
// decided where it is taken in, and the issuer may know kinds that we do not.
func canonical(idType, number string) string {
	var one string
	var err error
	switch idType {
	case IDTypeResident:
		one, err = codes.ResidentID(number)
	case IDTypeUSCC:
		one, err = codes.USCC(number)
	}
	if err == nil && one != "" {
		return one
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, norm.NFKC.String(number))
}

// roleNames are the words used in tokens: the enum's names without prefix, in
// small letters.
var roleNames = func() map[string]optionsv1.Role {
	m := map[string]optionsv1.Role{}
	for n, name := range optionsv1.Role_name {
		if role := optionsv1.Role(n); role != optionsv1.Role_ROLE_UNSPECIFIED {
			m[strings.ToLower(strings.TrimPrefix(name, "ROLE_"))] = role
		}
	}
	return m
}()

// ParseRole reads a role as written in a token or a configuration.
func ParseRole(word string) (optionsv1.Role, bool) {
	r, ok := roleNames[word]
	return r, ok
}
