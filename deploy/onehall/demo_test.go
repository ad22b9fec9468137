package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// The first thing a newcomer sees: every step of the walk, in order, through the whole
// hall, with the cards of the case that ran late and the province's figures.
func TestDemo(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out, []string{"demo", "--exit", "--any-port"}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	told := out.String()
	at := 0
	for _, want := range []string{
		"就绪", "食品经营许可", "已申办，办件编号", "补正", "已受理", "承办、审核、批准", "准予许可", "已领取", "5 星",
		"预警", "黄牌", "红牌", "第1个工作日", "2 星", "全省", "满意度 50.00 %", "hall-supervisor-1",
	} {
		i := strings.Index(told[at:], want)
		if i < 0 {
			t.Fatalf("%q does not come where it should:\n%s", want, told)
		}
		at += i
	}
	if n := len(regexp.MustCompile(`(?m)^ ?\d+\. \[`).FindAllString(told, -1)); n != 19 {
		t.Errorf("%d steps, want 19:\n%s", n, told)
	}
}

// Days of a city, and every figure of the hub equal to its recount at the end.
func TestSimulate(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out, []string{"simulate", "--days", "4", "--cases", "25", "--seed", "7"}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if told := out.String(); !strings.Contains(told, "equal to the unit") || !strings.Contains(told, "100 cases") {
		t.Errorf("%s", told)
	}
}
