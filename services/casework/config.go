package casework

import (
	"errors"
	"fmt"
	"time"

	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/workday"
)

// Config is the service's section of the configuration.
type Config struct {
	// DB is where it keeps its data.
	DB db.Config `koanf:"-"`
	// QueryCodeSecret makes the query codes of receipts. Changing it makes every code
	// that was given out useless.
	QueryCodeSecret boot.Secret `koanf:"-"`
	// PageSecret seals page tokens; all replicas share it. It and DB are no keys of the
	// configuration: who makes the service fills them in.
	PageSecret boot.Secret `koanf:"-"`
	// Policy is how limits are counted.
	Policy PolicyConfig `koanf:"policy"`
	// Query bounds how often progress may be asked for.
	Query QueryConfig `koanf:"query"`
	// Exchange is how rows of other systems are taken in.
	Exchange ExchangeConfig `koanf:"exchange"`
	// Files is about the files that people hand in.
	Files FilesConfig `koanf:"files"`
}

// ExchangeConfig is how rows of other systems are taken in.
type ExchangeConfig struct {
	// GapLimit is how long a row waits for one before it; then the case is told without.
	GapLimit time.Duration `koanf:"gap_limit"`
}

// PolicyConfig is how limits are counted.
type PolicyConfig struct {
	// AcceptanceDays are the working days to accept, supplement or refuse (Art. 32).
	AcceptanceDays int `koanf:"acceptance_days"`
	// SupplementDays are an applicant's working days where a notice names none.
	SupplementDays int `koanf:"supplement_days"`
	// HandoverDays are the working days to hand over what was granted (Art. 44).
	HandoverDays int `koanf:"handover_days"`
	// NextDayReceipt lets what comes in at night or on a day off count from the next
	// working day.
	NextDayReceipt bool `koanf:"next_day_receipt"`
	// CountBy is "day" (whole days) or "second" (opening time).
	CountBy string `koanf:"count_by"`
}

// QueryConfig bounds how often progress may be asked for. Codes cannot be guessed;
// this keeps the attempt from costing anything.
type QueryConfig struct {
	// PerCase and PerCaller are queries a minute.
	PerCase   int `koanf:"per_case"`
	PerCaller int `koanf:"per_caller"`
}

// DefaultConfig lacks the database and the secrets.
func DefaultConfig() Config {
	p := rules.DefaultPolicy()
	return Config{
		Policy: PolicyConfig{
			AcceptanceDays: p.AcceptanceDays, SupplementDays: p.SupplementDays, HandoverDays: p.HandoverDays,
			NextDayReceipt: p.NextDayReceipt, CountBy: "day",
		},
		Query:    QueryConfig{PerCase: 30, PerCaller: 60},
		Exchange: ExchangeConfig{GapLimit: 72 * time.Hour},
		Files:    defaultFiles(),
	}
}

func (c Config) check() error {
	if err := errors.Join(c.QueryCodeSecret.Check("query_code_secret"), c.PageSecret.Check("page_secret")); err != nil {
		return fmt.Errorf("casework: %w", err)
	}
	if c.Query.PerCase < 1 || c.Query.PerCaller < 1 {
		return errors.New("casework: query.per_case and query.per_caller must be at least 1")
	}
	if c.Exchange.GapLimit < time.Hour {
		return errors.New("casework: exchange.gap_limit must be at least 1h")
	}
	return nil
}

func (c PolicyConfig) policy() (rules.Policy, error) {
	p := rules.Policy{
		AcceptanceDays: c.AcceptanceDays, SupplementDays: c.SupplementDays, HandoverDays: c.HandoverDays, NextDayReceipt: c.NextDayReceipt,
	}
	switch c.CountBy {
	case "day":
		p.Mode = workday.DayMode
	case "second":
		p.Mode = workday.SecondMode
	default:
		return p, fmt.Errorf("casework: policy.count_by is %q, neither day nor second", c.CountBy)
	}
	if p.AcceptanceDays < 1 || p.SupplementDays < 1 || p.HandoverDays < 1 {
		return p, errors.New("casework: the days of the policy must be at least 1")
	}
	return p, nil
}
