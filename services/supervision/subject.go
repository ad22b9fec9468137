package supervision

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
)

// The services whose feeds are watched.
const (
	sourceCatalogue = "catalogue"
	sourceCasework  = "casework"
	sourceReview    = "review"
)

// subject is what a card can be about.
type subject struct {
	// name is its resource name, which begins with its hall's.
	name, item, itemTitle, department string
}

// maxID is the longest id of a subject that fits into a card's name.
const maxID = 40

// id is the subject's part of the names of its cards.
func (s subject) id() string {
	id := lastPart(s.name)
	for _, r := range id {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' && r != '-' || len(id) > maxID {
			sum := sha256.Sum256([]byte(s.name))
			return hex.EncodeToString(sum[:12])
		}
	}
	return id
}

func subjectOfCase(c *caseworkv1.Case) subject {
	return subject{name: c.GetName(), item: c.GetItem(), itemTitle: c.GetItemTitle(), department: c.GetDepartment()}
}

func subjectOfReview(r *reviewv1.Review) subject {
	return subject{name: r.GetName(), item: r.GetItem(), itemTitle: r.GetItemTitle(), department: r.GetDepartment()}
}

// isClocked tells from its name whether a subject told of itself in the common shape: it
// is neither a case nor a review.
func isClocked(name string) bool {
	return !strings.Contains(name, "/cases/") && !strings.Contains(name, "/reviews/")
}

// load reads the facts of the row, once.
func (w *watched) load() error {
	if w.facts != nil {
		return nil
	}
	if isClocked(w.row.Case) {
		k := &feedv1.Clocked{}
		if err := proto.Unmarshal(w.row.Facts, k); err != nil {
			return fmt.Errorf("facts of %s: %w", w.row.Case, err)
		}
		w.subject, w.facts = subjectOfClocked(k), factsOfClocked(k)
		w.settle()
		return nil
	}
	if w.row.Source == sourceReview {
		r := &reviewv1.Review{}
		if err := proto.Unmarshal(w.row.Facts, r); err != nil {
			return fmt.Errorf("facts of %s: %w", w.row.Case, err)
		}
		w.subject, w.facts = subjectOfReview(r), factsOfReview(r)
		w.settle()
		return nil
	}
	w.kept = &caseworkv1.Case{}
	if err := proto.Unmarshal(w.row.Facts, w.kept); err != nil {
		return fmt.Errorf("facts of %s: %w", w.row.Case, err)
	}
	w.subject, w.facts = subjectOfCase(w.kept), factsOf(w.kept)
	w.settle()
	terms, err := decodeTerms(w.row.Terms)
	w.facts.Terms = terms
	return err
}
