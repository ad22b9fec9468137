package exchange

import (
	"cmp"
	"slices"
	"strconv"
)

// Traits are what the item demands of a case's way.
type Traits struct{ Instant, FullFlow bool }

// Gap is a row that waits for others.
type Gap struct {
	// Row waits, Missing are those it waits for.
	Row     Key
	Missing []Key
}

// Name writes a row's table, and its serial where a case has several of them.
func (k Key) Name() string {
	if t := definitions.byName[k.Table]; t != nil && t.Serial != "" {
		return k.Table + "/" + strconv.Itoa(k.Serial)
	}
	return k.Table
}

// Tell puts the rows of one case, each in its highest version, into the order in which they
// tell its story, and names those that still wait for one before them. The answer depends
// on the rows alone, not on how they came. What has waited too long is told with force:
// then only the application is waited for.
func Tell(rows []*Row, traits Traits, force bool) (told []*Row, gaps []Gap) {
	s := story{rows: map[Key]*Row{}, traits: traits, force: force, done: map[Key]bool{}}
	for _, r := range rows {
		s.rows[Key{Table: r.Table, Serial: r.Serial}] = r
	}
	waiting := slices.SortedFunc(slices.Values(rows), before)
	for {
		at := slices.IndexFunc(waiting, func(r *Row) bool { return len(s.missing(r)) == 0 })
		if at < 0 {
			break
		}
		r := waiting[at]
		told = append(told, r)
		s.done[Key{Table: r.Table, Serial: r.Serial}] = true
		waiting = slices.Delete(waiting, at, at+1)
	}
	for _, r := range waiting {
		gaps = append(gaps, Gap{Row: r.Key, Missing: s.missing(r)})
	}
	return told, gaps
}

// before is the order in which rows happened; of the same second, that of their tables.
func before(a, b *Row) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Serial, b.Serial))
}

// Compare sorts rows by their tables and serials.
func Compare(a, b *Row) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Serial, b.Serial))
}

func rank(r *Row) int { return definitions.byName[r.Table].Rank }

// story is the rows of a case while they are put into order.
type story struct {
	rows   map[Key]*Row
	traits Traits
	force  bool
	done   map[Key]bool
}

// missing are the rows that one needs and that are not told yet.
func (s *story) missing(r *Row) []Key {
	var out []Key
	for _, k := range s.needs(r) {
		if !s.has(k) {
			out = append(out, k)
		}
	}
	return out
}

// has reports a row that is told, or that with force is no longer waited for. A status
// short of acceptance is not the acceptance that others wait for.
func (s *story) has(k Key) bool {
	row := s.rows[k]
	switch {
	case k.Table == Application:
		return s.done[k]
	case s.force && (row == nil || s.done[k]):
		return true
	case k.Table == Acceptance:
		return s.done[k] && row.Get("SLZTDM") == Accepted
	}
	return s.done[k]
}

func one(table string) Key             { return Key{Table: table, Serial: 1} }
func nth(table string, serial int) Key { return Key{Table: table, Serial: serial} }

// needs are the rows that have to be told before one.
func (s *story) needs(r *Row) []Key {
	if r.Table == Application {
		return nil
	}
	needs := []Key{one(Application)}
	switch r.Table {
	case Acceptance:
		if r.Get("SLZTDM") == Accepted {
			needs = append(needs, s.closed(r, false)...)
		}
	case Receipt:
		needs = append(needs, nth(Notice, r.Serial))
	case Notice, SpecialStart:
		if r.Serial > 1 {
			needs = append(needs, nth(r.Table, r.Serial-1))
		}
		if r.Table == SpecialStart {
			needs = append(needs, one(Acceptance))
		}
	case SpecialEnd:
		needs = append(needs, nth(SpecialStart, r.Serial))
	case Approval:
		needs = append(needs, one(Acceptance))
		needs = append(needs, s.stepsBefore(r)...)
	case Finish:
		needs = append(needs, s.finishNeeds(r)...)
	case Collection:
		needs = append(needs, one(Finish))
	}
	return needs
}

// stepsBefore are the approval steps before one: in an own flow the former one, before the
// decision on it those that happened earlier.
func (s *story) stepsBefore(r *Row) []Key {
	switch {
	case r.Serial == FlowSerial(1):
		return nil
	case r.IsFlow():
		return []Key{nth(Approval, r.Serial-1)}
	}
	out := s.steps(r.Serial - 1)
	for k, o := range s.rows {
		if k.IsFlow() && !o.At.After(r.At) {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b Key) int { return cmp.Compare(a.Serial, b.Serial) })
	return out
}

// ownWay reports a case that does not go by the usual steps: it has those of a flow of its
// own, or is a joint case, which is decided in its parts.
func (s *story) ownWay() bool {
	if app := s.rows[one(Application)]; app != nil && app.Marked(JointMark) {
		return true
	}
	for k := range s.rows {
		if k.IsFlow() {
			return true
		}
	}
	return false
}

// steps are the approval steps that the item demands before one of a higher number.
func (s *story) steps(last int) []Key {
	if s.ownWay() {
		return nil
	}
	var out []Key
	for k := 1; k <= last; k++ {
		if s.traits.FullFlow || k == 1 && !s.traits.Instant {
			out = append(out, nth(Approval, k))
		}
	}
	return out
}

// finishNeeds are the rows that a finish needs: all of the way when the case was decided,
// little when it was ended before.
func (s *story) finishNeeds(r *Row) []Key {
	switch r.Get("BJJGDM") {
	case ResultIssued, ResultFinished:
		needs := append([]Key{one(Acceptance)}, s.steps(3)...)
		return append(needs, s.closed(r, true)...)
	case ResultLapsed:
		return []Key{one(Notice)}
	}
	return nil
}

// closed are the ends of what had begun before a row: receipts of notices and, where asked
// for, ends of procedures.
func (s *story) closed(r *Row, specials bool) []Key {
	var out []Key
	for k, o := range s.rows {
		switch {
		case !o.At.Before(r.At):
		case k.Table == Notice:
			out = append(out, nth(Receipt, k.Serial))
		case k.Table == SpecialStart && specials && o.Get("TBCXZL") != Extension:
			out = append(out, nth(SpecialEnd, k.Serial))
		}
	}
	slices.SortFunc(out, func(a, b Key) int { return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Serial, b.Serial)) })
	return out
}

// The codes that the order depends on.
const (
	Accepted       = "1"
	Extension      = "A"
	ResultIssued   = "0"
	ResultReturned = "1"
	ResultVoided   = "2"
	ResultDeleted  = "3"
	ResultForward  = "4"
	ResultLapsed   = "5"
	ResultFinished = "6"
)
