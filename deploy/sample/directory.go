package sample

import (
	"fmt"
	"strings"
	"sync"
)

// BaseItem is an entry of the basic directory (基本目录): the item as law knows it,
// before a department implements it.
type BaseItem struct {
	BaseCode   string
	Name       string
	ItemType   string
	LegalBasis string
	// Levels are the exercise levels that may implement it.
	Levels []string
	// Legacy is LegacyNonLicense for former non-license approvals.
	Legacy string
}

// act is something that can be done about a subject.
type act struct {
	suffix string
	verb   string // what a person would call it
	kind   actKind
}

type actKind int

const (
	actNew actKind = iota
	actChange
	actExtend
	actCancel
	actReissue
	actReview // former non-license approval
	actReport
	actAsk
	actQuery
	actExplain
	actBook
)

// acts by item type. Their order is their sub-item number: add at the end only.
var acts = map[string][]act{
	TypeLicense: {
		{"许可", "办", actNew}, {"许可变更", "变更", actChange}, {"许可延续", "延期", actExtend},
		{"许可注销", "注销", actCancel}, {"许可证补发", "补证", actReissue},
	},
	TypeOtherPower: {
		{"备案", "办", actNew}, {"备案变更", "变更", actChange}, {"审核", "审核", actReview},
		{"年度报告", "年报", actReport}, {"备案注销", "注销", actCancel},
	},
	TypePublicService: {
		{"咨询", "咨询", actAsk}, {"信息查询", "查询", actQuery}, {"政策解答", "了解", actExplain}, {"预约服务", "预约", actBook},
	},
	TypeBenefit: {
		{"申领", "领", actNew}, {"信息变更", "改信息", actChange}, {"停发", "停发", actCancel},
	},
	TypeConfirmation: {
		{"认定", "办", actNew}, {"认定变更", "变更", actChange}, {"认定复核", "复核", actExtend},
	},
}

// typeOrder is the order in which types are numbered and taken.
var typeOrder = []string{TypeLicense, TypeOtherPower, TypePublicService, TypeBenefit, TypeConfirmation}

// entry is a generated directory entry and all that is needed to write its guide.
type entry struct {
	kind    *kind
	typ     string
	subject string
	act     act
	persons bool
	legals  bool
	code    string
}

func (e *entry) name() string {
	// 户籍信息 and 信息查询 make 户籍信息查询: what the end of the one and the start
	// of the other share is said once.
	subject, suffix := []rune(e.subject), []rune(e.act.suffix)
	for n := min(len(subject), len(suffix)); n > 0; n-- {
		if string(subject[len(subject)-n:]) == string(suffix[:n]) {
			return e.subject + string(suffix[n:])
		}
	}
	return e.subject + e.act.suffix
}

// entries returns the generated directory of each kind of body, in the order in
// which a body takes them over.
var entries = sync.OnceValue(func() [][]*entry {
	out := make([][]*entry, len(kinds()))
	serial := make(map[string]int) // by type and department number, which kinds share
	taken := make(map[string]bool)
	for _, s := range core() {
		taken[s.Body+s.Name] = true
	}
	for i, k := range kinds() {
		out[i] = entriesOf(k, serial, taken)
	}
	return out
})

func entriesOf(k *kind, serial map[string]int, taken map[string]bool) []*entry {
	var rows [][]*entry
	for _, typ := range typeOrder {
		for _, marked := range k.Subjects[typ] {
			subject, persons, legals := audience(typ, marked)
			serial[typ+k.Number]++
			main := 100 + serial[typ+k.Number]
			row := make([]*entry, len(acts[typ]))
			for i, a := range acts[typ] {
				row[i] = &entry{
					kind: k, typ: typ, subject: subject, act: a, persons: persons, legals: legals,
					code: fmt.Sprintf("44%s%s%03d%03d", typ, k.Number, main, i+1),
				}
			}
			rows = append(rows, row)
		}
	}
	var out []*entry
	// Each fourth subject starts half an act later than the one before: a body
	// that takes only the first entries has whole families as well as single
	// acts, like a real list.
	for key := range 2*5 + 3 {
		for j, row := range rows {
			i := key - j%4
			if i < 0 || i%2 != 0 || i/2 >= len(row) {
				continue
			}
			e := row[(i/2+firstAct(row[0].typ, j))%len(row)]
			if taken[k.Slug+e.name()] {
				continue
			}
			taken[k.Slug+e.name()] = true
			out = append(out, e)
		}
	}
	return out
}

// firstAct is the act with which the j-th subject of a body starts. Permits and
// benefits start with getting them, the others with whatever is asked for.
func firstAct(typ string, j int) int {
	switch typ {
	case TypePublicService:
		return j % 4
	case TypeOtherPower:
		return j % 2 * 2
	default:
		return 0
	}
}

// audience reads the mark of a subject; without one the type decides.
func audience(typ, marked string) (subject string, persons, legals bool) {
	switch {
	case strings.HasSuffix(marked, "*"):
		return strings.TrimSuffix(marked, "*"), true, false
	case strings.HasSuffix(marked, "+"):
		return strings.TrimSuffix(marked, "+"), true, true
	case strings.HasSuffix(marked, "-"):
		return strings.TrimSuffix(marked, "-"), false, true
	case typ == TypePublicService:
		return marked, true, true
	case typ == TypeBenefit:
		return marked, true, false
	default:
		return marked, false, true
	}
}

// Directory returns the whole basic directory of the sample: the core services,
// the generated entries and the common items of towns and villages.
func Directory() []BaseItem {
	var out []BaseItem
	for _, s := range core() {
		out = append(out, baseItem(s.Guide, []string{"3", "4"}, ""))
	}
	for i, k := range kinds() {
		levels := map[string][]string{"both": {"3", "4"}, LevelCity: {"3"}, LevelCounty: {"4"}}[k.Where]
		for _, e := range entries()[i] {
			out = append(out, baseItem(compose(e, ""), levels, e.legacy()))
		}
	}
	for _, level := range []string{"5", "6"} {
		for _, g := range stationGuides(level) {
			out = append(out, baseItem(g, []string{level}, ""))
		}
	}
	return out
}

func (e *entry) legacy() string {
	if e.act.kind == actReview {
		return LegacyNonLicense
	}
	return ""
}

func baseItem(g Guide, levels []string, legacy string) BaseItem {
	return BaseItem{
		BaseCode: g.BaseCode, Name: g.Name, ItemType: g.ItemType,
		LegalBasis: g.LegalBasisText(), Levels: levels, Legacy: legacy,
	}
}

// LegalBasisText is the legal basis as one line a law, as 《中华人民共和国护照法》第五条.
func (g *Guide) LegalBasisText() string {
	lines := make([]string, len(g.LegalBasis))
	for i, b := range g.LegalBasis {
		lines[i] = "《" + b.Law + "》" + b.Article
		// A name with its notice number keeps the number outside the title marks.
		if at := strings.Index(b.Law, "（"); at > 0 {
			lines[i] = "《" + b.Law[:at] + "》" + b.Law[at:] + b.Article
		}
	}
	return strings.Join(lines, "\n")
}
