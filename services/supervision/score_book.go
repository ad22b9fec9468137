package supervision

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

var kindWords = map[supervisionv1.ScoreKind]string{
	supervisionv1.ScoreKind_SCORE_KIND_DEPARTMENT: "department",
	supervisionv1.ScoreKind_SCORE_KIND_OFFICER:    "officer",
	supervisionv1.ScoreKind_SCORE_KIND_ITEM:       "item",
}

// scored is what a score is about.
type scored struct {
	kind supervisionv1.ScoreKind
	// department is a resource name; object the handler's account or the item's name,
	// empty for the department itself.
	department, object string
}

var plainID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,40}$`)

// objectID is an account or item as it stands in the name of a score.
func objectID(object string) string {
	if id := strings.TrimPrefix(object, hallOf(object)+"/items/"); plainID.MatchString(id) {
		return id
	}
	sum := sha256.Sum256([]byte(object))
	return hex.EncodeToString(sum[:12])
}

// name is the resource name of the score of a period.
func (k scored) name(period string) string {
	parts := []string{kindWords[k.kind], lastPart(k.department)}
	if k.kind != supervisionv1.ScoreKind_SCORE_KIND_DEPARTMENT {
		parts = append(parts, objectID(k.object))
	}
	return hallOf(k.department) + "/scores/" + strings.Join(append(parts, period), ".")
}

// scoreRef is a score's name taken apart.
type scoreRef struct {
	hall, department, period string
	kind                     supervisionv1.ScoreKind
	name                     string
	months                   []int64
}

// readRef takes a name apart that the contract's pattern let pass.
func readRef(name string) (scoreRef, error) {
	parts := strings.Split(lastPart(name), ".")
	r := scoreRef{hall: hallOf(name), name: name, period: parts[len(parts)-1]}
	for kind, word := range kindWords {
		if word == parts[0] {
			r.kind = kind
		}
	}
	if r.kind == 0 || len(parts) < 3 {
		return r, fault.InvalidArgument.New(fault.Field("name"))
	}
	r.department = r.hall + "/departments/" + parts[1]
	months, err := monthsOf(r.period)
	r.months = months
	return r, err
}

// in is the name of the same score in a month.
func (r scoreRef) in(month int64) string {
	return strings.TrimSuffix(r.name, r.period) + periodOf(month)
}

// periodOf writes a month as 2018-11.
func periodOf(month int64) string { return fmt.Sprintf("%04d-%02d", month/100, month%100) }

// monthsOf are the months of 2018-11, 2018-Q4 or 2018.
func monthsOf(period string) ([]int64, error) {
	year, rest, _ := strings.Cut(period, "-")
	y, err := strconv.ParseInt(year, 10, 64)
	if err != nil || y < 1 {
		return nil, fault.InvalidArgument.New(fault.Field("period"))
	}
	from, to := int64(1), int64(12)
	if quarter, ok := strings.CutPrefix(rest, "Q"); ok {
		q, err := strconv.ParseInt(quarter, 10, 64)
		if err != nil || q < 1 || q > 4 {
			return nil, fault.InvalidArgument.New(fault.Field("period"))
		}
		from, to = 3*q-2, 3*q
	} else if rest != "" {
		m, err := strconv.ParseInt(rest, 10, 64)
		if err != nil || m < 1 || m > 12 {
			return nil, fault.InvalidArgument.New(fault.Field("period"))
		}
		from, to = m, m
	}
	var all []int64
	for m := from; m <= to; m++ {
		all = append(all, y*100+m)
	}
	return all, nil
}

// book is all that the scores of a hall's month are made of, by what they are about.
type book map[scored]*rules.ScoreInput

// openBook reads the book of a month: sums of cells, the cards that stand, the marks. It
// reads no cases. A department narrows it.
func openBook(ctx context.Context, q db.Querier, hall string, month int64, department string) (book, error) {
	b := book{}
	err := store.Cells(ctx, q, store.CellFilter{Hall: hall, Department: department, From: month, To: month}, func(c store.Cell, t rules.Tallied) error {
		for _, in := range b.about(month, c.Department, c.Officer, c.Item) {
			in.Add(t, 1)
			if t.N > 0 && c.Cut >= 0 && (in.LeastCut < 0 || c.Cut < in.LeastCut) {
				in.LeastCut = c.Cut
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	cards, err := store.MonthCards(ctx, q, hall, month, department)
	if err != nil {
		return nil, err
	}
	for _, c := range cards {
		for _, in := range b.about(month, c.Department, c.Officer, c.Item) {
			in.Cards = append(in.Cards, c)
		}
	}
	marks, err := store.ScoreMarks(ctx, q, hall, month)
	if err != nil || len(marks) == 0 {
		return b, err
	}
	return b, b.mark(month, department, marks)
}

// about are the inputs that a cell or card counts in.
func (b book) about(month int64, department, officer, item string) []*rules.ScoreInput {
	if department == "" {
		return nil // a card about a hall or an officer nobody can place
	}
	keys := []scored{{supervisionv1.ScoreKind_SCORE_KIND_DEPARTMENT, department, ""}}
	if officer != "" {
		keys = append(keys, scored{supervisionv1.ScoreKind_SCORE_KIND_OFFICER, department, officer})
	}
	if item != "" {
		keys = append(keys, scored{supervisionv1.ScoreKind_SCORE_KIND_ITEM, department, item})
	}
	all := make([]*rules.ScoreInput, len(keys))
	for i, k := range keys {
		all[i] = b.input(k, month)
	}
	return all
}

func (b book) input(k scored, month int64) *rules.ScoreInput {
	if b[k] == nil {
		b[k] = &rules.ScoreInput{Kind: kindWords[k.kind], Month: month, LeastCut: -1}
	}
	return b[k]
}

// mark puts the marks where they belong. One of a department that nothing else is known
// of makes its score; one of an unknown handler or item has nothing to stand on.
func (b book) mark(month int64, department string, marks []store.ScoreMark) error {
	names := map[string]scored{}
	for k := range b {
		names[k.name(periodOf(month))] = k
	}
	for _, row := range marks {
		if department != "" && row.Department != department {
			continue
		}
		m := &supervisionv1.ScoreMark{}
		if err := proto.Unmarshal(row.Data, m); err != nil {
			return fmt.Errorf("stored mark %s: %w", row.Name, err)
		}
		k, ok := names[row.Score]
		if !ok {
			k = scored{supervisionv1.ScoreKind_SCORE_KIND_DEPARTMENT, row.Department, ""}
			if k.name(periodOf(month)) != row.Score {
				continue
			}
		}
		in := b.input(k, month)
		in.Marks = append(in.Marks, rules.ScoreMark{Name: row.Name, Part: m.GetPart(), Ground: m.GetGround(), Points: m.GetPoints()})
	}
	return nil
}

// find is the thing whose score has a name; false when nothing is known of it. Of a
// department nothing need be known.
func (b book) find(r scoreRef, month int64) (scored, bool) {
	if r.kind == supervisionv1.ScoreKind_SCORE_KIND_DEPARTMENT {
		k := scored{r.kind, r.department, ""}
		b.input(k, month)
		return k, true
	}
	for k := range b {
		if k.kind == r.kind && k.department == r.department && k.name(periodOf(month)) == r.in(month) {
			return k, true
		}
	}
	return scored{}, false
}

// of are the things of a kind, by the names of their scores.
func (b book) of(kind supervisionv1.ScoreKind) []scored {
	var all []scored
	for k := range b {
		if k.kind == kind || kind == 0 {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(x, y scored) int { return cmp.Compare(x.name(""), y.name("")) })
	return all
}
