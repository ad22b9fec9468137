package catalogue

import (
	"context"

	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
)

// listing is one page of one listing of one caller.
type listing struct {
	s              *Service
	caller, filter string
	size           int
	// after is the key of the last row of the page before, empty at the start.
	after string
}

// paged is a list request.
type paged interface {
	GetPageSize() int32
	GetPageToken() string
}

func (s *Service) listing(ctx context.Context, req paged, def, most int, filter string) (listing, error) {
	size, err := page.Size(req.GetPageSize(), def, most)
	if err != nil {
		return listing{}, err
	}
	l := listing{s: s, filter: filter, size: size}
	if p, ok := authn.From(ctx); ok {
		l.caller = p.Subject
	}
	key, err := s.pages.Decode(req.GetPageToken(), l.caller, filter)
	if err != nil {
		return listing{}, err
	}
	switch len(key) {
	case 0:
	case 1:
		l.after = key[0]
	default:
		return listing{}, fault.BadPageToken.New(fault.Field("page_token"))
	}
	return l, nil
}

func (l listing) token(last string) string { return l.s.pages.Encode(l.caller, l.filter, last) }

// cut shortens rows, read one beyond the page, to the page and makes the next token.
func cut[T any](l listing, rows []T, key func(T) string) ([]T, string) {
	if len(rows) <= l.size {
		return rows, ""
	}
	rows = rows[:l.size]
	return rows, l.token(key(rows[l.size-1]))
}
