package rules

import (
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// BenchmarkTrial judges one past case of seven deeds by all rules, as a dry run does.
func BenchmarkTrial(b *testing.B) {
	p := Policy{Preset: presets[DefaultPreset], Calendar: workday.China(), Hall: workday.DefaultPolicy()}
	f := accepted(func(f *Facts) {
		f.FullFlow = true
		f.Steps = []Step{{Kind: StepUndertake, Officer: "a", Time: at("2018-10-16 10:00:00")}, {Kind: StepExamine, Officer: "b", Time: at("2018-10-17 10:00:00")}, {Kind: StepApprove, Officer: "c", Time: at("2018-10-18 10:00:00")}}
		f.Decision = &Decision{Granted: true, Officer: "d", Time: at("2018-10-18 11:00:00")}
		f.Finish = &Finish{Issued: true, Officer: "d", Time: at("2018-10-18 15:00:00")}
	})
	var deeds []Deed
	for i, when := range []string{"2018-10-15 10:00:00", "2018-10-15 10:00:00", "2018-10-16 10:00:00", "2018-10-17 10:00:00", "2018-10-18 10:00:00", "2018-10-18 11:00:00", "2018-10-18 15:00:00"} {
		deeds = append(deeds, Deed{Sequence: int64(i + 1), Actor: "a", Happened: at(when), Entered: at(when)})
	}
	until := at("2018-12-31 00:00:00")
	b.ReportAllocs()
	start := time.Now()
	for b.Loop() {
		if _, err := p.Trial(f, deeds, until); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "cases/s")
}
