package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

var benchLine = regexp.MustCompile(`(?m)^(Benchmark\S+)\s+(\d+)\s+(.+)$`)

// measureSearch runs the benchmark of the catalogue's search, which holds itself
// against a linear scan of the same items.
func measureSearch(ctx context.Context, b *bench) error {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "Province", "-benchtime", "2s", "./services/catalogue/internal/search").CombinedOutput()
	if err != nil {
		return fmt.Errorf("search: %w\n%s", err, out)
	}
	for _, m := range benchLine.FindAllStringSubmatch(string(out), -1) {
		r := row{what: "search, " + strings.TrimSuffix(strings.TrimPrefix(m[1], "Benchmark"), "-2"), notes: strings.Join(strings.Fields(m[3]), " ")}
		for _, pair := range metric.FindAllStringSubmatch(m[3], -1) {
			if pair[2] != "p99-ms" {
				continue
			}
			v, err := strconv.ParseFloat(pair[1], 64)
			if err != nil {
				return err
			}
			r.figure, r.reach, r.met = fmt.Sprintf("p99 %.2f ms", v), "p99 < 5 ms", v < 5
		}
		b.report.add(r)
	}
	return nil
}

var metric = regexp.MustCompile(`([0-9.e+]+) (\S+)`)
