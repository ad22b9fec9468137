package almanac

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/workday"
)

// The types of the catalogue's events that an almanac is made of.
const (
	CalendarPublished = "calendar.published"
	PolicyPublished   = "policy.published"
)

// row is one entry as stored.
type row struct {
	position int64
	kind     string
	data     []byte
}

// entry is one calendar notice or policy.
type entry struct {
	position int64
	// division is whose days or limits it is about; empty for all.
	division string
	// since is the first day that can change by it.
	since workday.Date
	// ground says what it is, in Chinese.
	ground    string
	published time.Time
	notice    *workday.Notice
	policy    *workday.Policy
}

func (r row) entry() (entry, error) {
	var e entry
	var err error
	if r.kind == CalendarPublished {
		c := &cataloguev1.Calendar{}
		if err = proto.Unmarshal(r.data, c); err == nil {
			e, err = calendarEntry(c)
		}
	} else {
		p := &cataloguev1.HallPolicy{}
		if err = proto.Unmarshal(r.data, p); err == nil {
			e, err = policyEntry(p)
		}
	}
	if err != nil {
		return e, fmt.Errorf("almanac: entry %d: %w", r.position, err)
	}
	e.position = r.position
	return e, nil
}

func calendarEntry(c *cataloguev1.Calendar) (entry, error) {
	n, err := NoticeOf(c)
	if err != nil {
		return entry{}, err
	}
	e := entry{division: n.Division, notice: &n, since: n.Days[0].Date, published: c.GetPublishTime().AsTime(), ground: fmt.Sprintf("工作日历第%d版：%s", c.GetVersion(), c.GetTitle())}
	for _, d := range n.Days {
		e.since = min(e.since, d.Date)
	}
	return e, nil
}

func policyEntry(m *cataloguev1.HallPolicy) (entry, error) {
	p, err := PolicyOf(m)
	if err != nil {
		return entry{}, err
	}
	return entry{
		division: divisionOf(m.GetName()), policy: &p, since: p.From, published: m.GetPublishTime().AsTime(),
		ground: fmt.Sprintf("时限规则第%d版（%s起施行）：%s", p.Version, p.From, m.GetReason()),
	}, nil
}

var kinds = map[cataloguev1.DayKind]workday.Kind{
	cataloguev1.DayKind_DAY_KIND_HOLIDAY: workday.Off,
	cataloguev1.DayKind_DAY_KIND_WORKDAY: workday.Makeup,
	cataloguev1.DayKind_DAY_KIND_CLOSED:  workday.Closed,
}

// NoticeOf is what a published version adds to the calendar.
func NoticeOf(c *cataloguev1.Calendar) (workday.Notice, error) {
	n := workday.Notice{Title: c.GetTitle(), Division: c.GetDivision(), Year: int(c.GetYear())}
	for _, d := range c.GetDays() {
		date, err := workday.ParseDate(d.GetDate())
		if err != nil {
			return n, err
		}
		name := d.GetDisplayName()
		if name == "" {
			name = c.GetTitle()
		}
		n.Days = append(n.Days, workday.Change{Date: date, Kind: kinds[d.GetKind()], Name: name})
	}
	if len(n.Days) == 0 {
		return n, fmt.Errorf("almanac: %s changes no day", c.GetName())
	}
	return n, nil
}

// PolicyOf reads a policy, with the general one's numbers where it has none.
func PolicyOf(m *cataloguev1.HallPolicy) (workday.Policy, error) {
	from, err := workday.ParseDate(m.GetEffectiveDate())
	if err != nil {
		return workday.Policy{}, err
	}
	hours, err := workday.ParseHours(m.GetHours())
	if err != nil {
		return workday.Policy{}, err
	}
	p := workday.Policy{
		Version: int(m.GetVersion()), From: from, AcceptanceDays: int(m.GetAcceptanceDays()), PreAcceptanceDays: int(m.GetPreAcceptanceDays()),
		SupplementDays: int(m.GetSupplementDays()), DeliveryDays: int(m.GetDeliveryDays()), ForwardDays: int(m.GetForwardDays()),
		ExtensionDays: int(m.GetExtensionDays()), JointExtensionDays: int(m.GetJointExtensionDays()), AlertDays: int(m.GetAlertDays()),
		ReceiptAtOnce: m.GetReceiptAtOnce(), Hours: hours,
	}
	if m.GetCountBy() == cataloguev1.CountBy_COUNT_BY_SECOND {
		p.Mode = workday.SecondMode
	}
	return p.Filled(), nil
}
