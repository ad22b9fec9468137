package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// median of what was measured, the mean of the two in the middle for an even count.
func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(all))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// ratios of two series taken in turn, each of a round by that of the same round: what
// disturbs the machine for a while disturbs both.
func ratios(figure, limit []float64) []float64 {
	out := make([]float64, min(len(figure), len(limit)))
	for i := range out {
		if limit[i] > 0 {
			out[i] = figure[i] / limit[i]
		}
	}
	return out
}

// quantile of sorted durations.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// loadAverage is the machine's over the last minute, as text for the report.
func loadAverage() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(raw), " ")
	return first
}

// rate prints a number of things a second.
func rate(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f/s", v)
	}
	return fmt.Sprintf("%.1f/s", v)
}

// times prints a ratio.
func times(v float64) string { return fmt.Sprintf("%.2f", v) }

// millis prints a duration in milliseconds.
func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// spread prints a series from its least to its greatest.
func spread(all []float64, show func(float64) string) string {
	if len(all) == 0 {
		return "–"
	}
	return show(slices.Min(all)) + "–" + show(slices.Max(all))
}
