package main

import (
	"fmt"
	"io"
	"strings"
)

// row is one figure beside its limit.
type row struct {
	// what was measured, and what it is held against.
	what, limitWhat string
	// figure and limit as text; ratio of the two, or – where none is meant.
	figure, limit, ratio string
	// reach is what the ratio or the figure should reach; met tells whether it did.
	reach string
	met   bool
	// notes are rounds, latencies and what else belongs to it.
	notes string
	load  string
}

// report collects rows and prints each as soon as it is known.
type report struct {
	out  io.Writer
	rows []row
}

func (r *report) add(rows ...row) {
	for _, one := range rows {
		one.load = loadAverage()
		r.rows = append(r.rows, one)
		verdict := ""
		if one.reach != "" {
			verdict = "reach " + one.reach + ": "
			if one.met {
				verdict += "met"
			} else {
				verdict += "NOT met"
			}
		}
		fmt.Fprintf(r.out, "  %s: %s | %s: %s | ratio %s | %s | %s\n", one.what, one.figure, one.limitWhat, one.limit, one.ratio, verdict, one.notes)
	}
}

// table prints all rows as Markdown.
func (r *report) table() error {
	var b strings.Builder
	b.WriteString("\n| measured | figure | limit in the same run | ratio | reach | met | rounds and latencies | load |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, one := range r.rows {
		met := "–"
		if one.reach != "" {
			met = "no"
			if one.met {
				met = "yes"
			}
		}
		limit := "–"
		if one.limitWhat != "" {
			limit = one.limitWhat + ": " + one.limit
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", one.what, one.figure, limit, dash(one.ratio), dash(one.reach), met, one.notes, one.load)
	}
	_, err := io.WriteString(r.out, b.String())
	return err
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
