package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

var searchLine = regexp.MustCompile(`(?m)^Benchmark(Find|Scan)\S*\s.*?([0-9.]+) µs/p50\s+([0-9.]+) µs/p99`)

// searchTimes are of one way to search, in microseconds.
type searchTimes struct{ p50, p99 []float64 }

// measureSearch runs the benchmark of the catalogue's search over 130,000 items, beside
// a linear scan of the same items for the same words.
func measureSearch(ctx context.Context, b *bench) error {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark(Find|Scan)$", "-benchtime", "1s",
		"-count", strconv.Itoa(b.plan.searches), "./services/catalogue/internal/search").CombinedOutput()
	if err != nil {
		return fmt.Errorf("search: %w\n%s", err, out)
	}
	ways := map[string]*searchTimes{"Find": {}, "Scan": {}}
	for _, m := range searchLine.FindAllStringSubmatch(string(out), -1) {
		for i, to := range []*[]float64{&ways[m[1]].p50, &ways[m[1]].p99} {
			v, err := strconv.ParseFloat(m[i+2], 64)
			if err != nil {
				return err
			}
			*to = append(*to, v)
		}
	}
	find, scan := ways["Find"], ways["Scan"]
	if len(find.p99) == 0 || len(scan.p50) == 0 {
		return fmt.Errorf("search: no figures in\n%s", out)
	}
	micros := func(v float64) string { return fmt.Sprintf("%.2f ms", v/1000) }
	share := median(find.p50) / median(scan.p50)
	b.report.add(
		row{
			what: "search among 130,000 items, p50", figure: micros(median(find.p50)), limitWhat: "linear scan of the same", limit: micros(median(scan.p50)),
			ratio: fmt.Sprintf("1/%.0f", 1/share), notes: fmt.Sprintf("%d rounds, %s against %s", len(find.p50), spread(find.p50, micros), spread(scan.p50, micros)),
		},
		row{what: "the same, p99", figure: micros(median(find.p99)), reach: "< 5 ms", met: median(find.p99) < 5000, notes: spread(find.p99, micros)})
	return nil
}
