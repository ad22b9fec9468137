package supervision

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
)

// Config is what the service must be told.
type Config struct {
	// DB is where it keeps its data.
	DB db.Config `koanf:"-"`
	// PageSecret seals page tokens; all replicas share it. It and DB are no keys of the
	// configuration: who makes the service fills them in.
	PageSecret boot.Secret `koanf:"-"`
	// Scheme holds for every hall that has none of its own.
	Scheme Scheme `koanf:"scheme"`
	// Halls are the schemes of halls that differ, by division.
	Halls map[string]Scheme `koanf:"halls"`
	// Feeds are further services, by the names they register under, whose feeds tell of
	// things that have a limit; see docs/clock.md.
	Feeds []string `koanf:"feeds"`
}

// Scheme is how a hall counts days and when it raises cards. What is empty is taken
// from the general one.
type Scheme struct {
	// Preset names the thresholds: hunan2018 (default), gd_dongguan2006, chengdu2010
	// or ratio.
	Preset string `koanf:"preset"`
	// CountBy is "day" (whole days, the default) or "second" (opening time).
	CountBy string `koanf:"count_by"`
	// Hours are the opening hours, as "09:00-12:00"; they matter to "second".
	Hours []string `koanf:"hours"`
	// OnDuty are the accounts that may decide outside the opening hours.
	OnDuty []string `koanf:"on_duty"`
	// Notify is whom cards are told to.
	Notify Notify `koanf:"notify"`
}

// Notify is whom cards are told to: officer, head and supervisor are those of the card's
// department and hall, anything else is an account.
type Notify struct {
	// Warning are told of warnings, and of yellow and red cards too.
	Warning []string `koanf:"warning"`
	// Yellow are told of yellow cards, and of red ones too.
	Yellow []string `koanf:"yellow"`
	// Red are told of red cards.
	Red []string `koanf:"red"`
}

func (n Notify) empty() bool { return len(n.Warning)+len(n.Yellow)+len(n.Red) == 0 }

// DefaultConfig lacks the database and the secret.
func DefaultConfig() Config {
	return Config{Scheme: Scheme{Preset: rules.DefaultPreset, CountBy: "day",
		Notify: Notify{Warning: []string{"officer"}, Yellow: []string{"head"}, Red: []string{"supervisor"}}}}
}

// policies are the schemes in force.
type policies struct {
	general rules.Policy
	halls   map[string]rules.Policy
	version string
}

// of is the policy of a hall by its division.
func (p *policies) of(division string) rules.Policy {
	if own, ok := p.halls[division]; ok {
		return own
	}
	return p.general
}

// newPolicies checks the configured schemes. Their version tells whether clocks
// reckoned before must be reckoned again.
func newPolicies(cfg Config, cal *workday.Calendar) (*policies, error) {
	general, err := cfg.Scheme.policy(cal)
	if err != nil {
		return nil, err
	}
	p := &policies{general: general, halls: map[string]rules.Policy{}}
	parts := []string{}
	for division, scheme := range cfg.Halls {
		scheme.Preset = cmp.Or(scheme.Preset, cfg.Scheme.Preset)
		scheme.CountBy = cmp.Or(scheme.CountBy, cfg.Scheme.CountBy)
		if len(scheme.Hours) == 0 {
			scheme.Hours = cfg.Scheme.Hours
		}
		if len(scheme.OnDuty) == 0 {
			scheme.OnDuty = cfg.Scheme.OnDuty
		}
		if scheme.Notify.empty() {
			scheme.Notify = cfg.Scheme.Notify
		}
		own, err := scheme.policy(cal)
		if err != nil {
			return nil, fmt.Errorf("hall %s: %w", division, err)
		}
		p.halls[division] = own
		parts = append(parts, division+"="+versionOf(own))
	}
	slices.Sort(parts)
	p.version = strings.Join(append([]string{cal.Version(), versionOf(general)}, parts...), " ")
	return p, nil
}

func versionOf(p rules.Policy) string {
	return fmt.Sprintf("%s/%d/%v", p.Version(), p.Mode, p.Hours.Spans())
}

func (s Scheme) policy(cal *workday.Calendar) (rules.Policy, error) {
	preset, err := rules.PresetByName(s.Preset)
	if err != nil {
		return rules.Policy{}, err
	}
	p := rules.Policy{Preset: preset, Calendar: cal, OnDuty: s.OnDuty,
		Notify: map[rules.Level][]string{rules.Warning: s.Notify.Warning, rules.Yellow: s.Notify.Yellow, rules.Red: s.Notify.Red}}
	switch s.CountBy {
	case "", "day":
	case "second":
		p.Mode = workday.SecondMode
	default:
		return p, fmt.Errorf("supervision: count_by %q is neither day nor second", s.CountBy)
	}
	if len(s.Hours) == 0 {
		return p, nil
	}
	var spans []workday.Span
	for _, text := range s.Hours {
		span, err := parseSpan(text)
		if err != nil {
			return p, err
		}
		spans = append(spans, span)
	}
	p.Hours, err = workday.NewHours(spans...)
	return p, err
}

// parseSpan reads 09:00-12:00.
func parseSpan(text string) (workday.Span, error) {
	from, to, ok := strings.Cut(text, "-")
	start, err := time.Parse("15:04", strings.TrimSpace(from))
	if err != nil || !ok {
		return workday.Span{}, fmt.Errorf("supervision: hours %q are not as 09:00-12:00", text)
	}
	end, err := time.Parse("15:04", strings.TrimSpace(to))
	if err != nil {
		return workday.Span{}, fmt.Errorf("supervision: hours %q are not as 09:00-12:00", text)
	}
	midnight := start.Truncate(24 * time.Hour)
	return workday.Span{From: start.Sub(midnight), To: end.Sub(midnight)}, nil
}
