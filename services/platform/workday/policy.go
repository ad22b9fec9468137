package workday

import (
	"fmt"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
)

// Policy is by what limits a hall counts what is applied for from a day on.
type Policy struct {
	// Version is the hall's own number of it; 0 is the general policy.
	Version int
	// From is the first day of submission it holds for.
	From Date
	// AcceptanceDays are the working days to accept, supplement or refuse (Art. 32),
	// PreAcceptanceDays those to look at an online application for the first time.
	AcceptanceDays, PreAcceptanceDays int
	// SupplementDays are an applicant's working days where a notice names none.
	SupplementDays int
	// DeliveryDays are the working days to deliver what was granted (Art. 44),
	// ForwardDays those of a lower body's first check (Art. 43).
	DeliveryDays, ForwardDays int
	// ExtensionDays are the most that an extension adds (Art. 42), JointExtensionDays the
	// same for what several bodies handle together.
	ExtensionDays, JointExtensionDays int
	// AlertDays are how many days before the promise ends the warning comes; 0 leaves it
	// to the thresholds that supervision chose.
	AlertDays int
	// ReceiptAtOnce lets what comes in at night or on a day off count as received at once,
	// and not when the hall opens next.
	ReceiptAtOnce bool
	// Mode and Hours are how working days are counted.
	Mode  Mode
	Hours Hours
}

// DefaultPolicy is that of the law and of Guangdong, for halls that have none of their own.
func DefaultPolicy() Policy {
	return Policy{AcceptanceDays: 5, PreAcceptanceDays: 2, SupplementDays: 15, DeliveryDays: 10, ForwardDays: 20,
		ExtensionDays: 10, JointExtensionDays: 15, Mode: DayMode}
}

// Filled is the policy with the general one's numbers where it has none.
func (p Policy) Filled() Policy {
	general := DefaultPolicy()
	fill := func(n *int, of int) {
		if *n == 0 {
			*n = of
		}
	}
	fill(&p.AcceptanceDays, general.AcceptanceDays)
	fill(&p.PreAcceptanceDays, general.PreAcceptanceDays)
	fill(&p.SupplementDays, general.SupplementDays)
	fill(&p.DeliveryDays, general.DeliveryDays)
	fill(&p.ForwardDays, general.ForwardDays)
	fill(&p.ExtensionDays, general.ExtensionDays)
	fill(&p.JointExtensionDays, general.JointExtensionDays)
	return p
}

// Received is when what came in at a moment counts as received.
func (p Policy) Received(cal *Calendar, division string, at time.Time) time.Time {
	if p.ReceiptAtOnce {
		return at
	}
	return Received(cal, division, p.Hours, at)
}

// Describe says what the policy counts by, in Chinese and English.
func (p Policy) Describe() (zh, en string) {
	zh, en = "按整日计算，受理当日不计入", "whole days, the day of acceptance does not count"
	if p.Mode == SecondMode {
		var all []string
		for _, s := range p.Hours.Spans() {
			all = append(all, s.String())
		}
		hours := strings.Join(all, ", ")
		zh = "按办公时间逐秒累计（" + hours + "），不足一日按一日计"
		en = "opening time by the second (" + hours + "), rounded up to days"
	}
	if p.Version == 0 {
		return "通用时限规则：" + zh, "general policy: " + en
	}
	return fmt.Sprintf("本厅时限规则第%d版（%s起施行）：%s", p.Version, p.From, zh),
		fmt.Sprintf("this hall's policy, version %d, in force from %s: %s", p.Version, p.From, en)
}

// String writes 09:00-12:00.
func (s Span) String() string {
	write := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60) }
	return write(s.From) + "-" + write(s.To)
}

// ParseHours reads opening hours as 09:00-12:00, in order; none are the default ones.
func ParseHours(texts []string) (Hours, error) {
	if len(texts) == 0 {
		return Hours{}, nil
	}
	spans := make([]Span, 0, len(texts))
	for _, text := range texts {
		from, to, ok := strings.Cut(text, "-")
		start, err1 := parseClock(from)
		end, err2 := parseClock(to)
		if !ok || err1 != nil || err2 != nil {
			return Hours{}, fault.BadCalendar.New(fault.Field("hours"))
		}
		spans = append(spans, Span{start, end})
	}
	return NewHours(spans...)
}

// parseClock reads a time of day; 24:00 ends it.
func parseClock(text string) (time.Duration, error) {
	if text == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("workday: %w", err)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}
