package supervision

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
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

// Scheme is when a hall raises cards; by what limits it counts, it publishes in the
// catalogue. What is empty is taken from the general one.
type Scheme struct {
	// Preset names the thresholds: hunan2018 (default), gd_dongguan2006, chengdu2010
	// or ratio.
	Preset string `koanf:"preset"`
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
	return Config{Scheme: Scheme{Preset: rules.DefaultPreset,
		Notify: Notify{Warning: []string{"officer"}, Yellow: []string{"head"}, Red: []string{"supervisor"}}}}
}

// policies are the schemes in force, without what the catalogue published.
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
func newPolicies(cfg Config) (*policies, error) {
	general, err := cfg.Scheme.policy()
	if err != nil {
		return nil, err
	}
	p := &policies{general: general, halls: map[string]rules.Policy{}}
	parts := []string{}
	for division, scheme := range cfg.Halls {
		scheme.Preset = cmp.Or(scheme.Preset, cfg.Scheme.Preset)
		if len(scheme.OnDuty) == 0 {
			scheme.OnDuty = cfg.Scheme.OnDuty
		}
		if scheme.Notify.empty() {
			scheme.Notify = cfg.Scheme.Notify
		}
		own, err := scheme.policy()
		if err != nil {
			return nil, fmt.Errorf("hall %s: %w", division, err)
		}
		p.halls[division] = own
		parts = append(parts, division+"="+own.Version())
	}
	slices.Sort(parts)
	p.version = strings.Join(append([]string{general.Version()}, parts...), " ")
	return p, nil
}

func (s Scheme) policy() (rules.Policy, error) {
	preset, err := rules.PresetByName(s.Preset)
	if err != nil {
		return rules.Policy{}, err
	}
	return rules.Policy{Preset: preset, OnDuty: s.OnDuty,
		Notify: map[rules.Level][]string{rules.Warning: s.Notify.Warning, rules.Yellow: s.Notify.Yellow, rules.Red: s.Notify.Red}}, nil
}
