package search

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkFind measures queries over a province's 130,000 items and reports the
// half-way and the slowest hundredth.
func BenchmarkFind(b *testing.B) {
	start := time.Now()
	docs, x := synthetic(130_000)
	b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/build")
	queries := benchQueries(docs)
	took := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		at := time.Now()
		x.Find(queries[i%len(queries)], Place{}, 20)
		took = append(took, time.Since(at))
	}
	b.StopTimer()
	reportTimes(b, took)
}

// BenchmarkScan is the limit that the index is held against: the same words looked for
// in the same items, one after the other, without ranking, spelling or filters.
func BenchmarkScan(b *testing.B) {
	docs, _ := synthetic(130_000)
	queries := benchQueries(docs)
	took := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		at := time.Now()
		words := strings.Fields(queries[i%len(queries)].Text)
		for k := range docs {
			d := &docs[k]
			for _, w := range words {
				if !strings.Contains(d.Title, w) && !strings.Contains(d.Summary, w) && !slices.ContainsFunc(d.Aliases, func(a string) bool { return strings.Contains(a, w) }) {
					break
				}
			}
		}
		took = append(took, time.Since(at))
	}
	b.StopTimer()
	reportTimes(b, took)
}

func benchQueries(docs []Doc) []Query {
	queries := []Query{
		{Text: "食品"}, {Text: "食品经营许可"}, {Text: "公积金 提取", Hall: city}, {Text: "办"}, {Text: "惠州市"}, {Text: "spjy"}, {Text: "spjyxk"},
		{Text: "shipinjingying"}, {Text: "登记"}, {Text: "開飯館要什麼手續"}, {Text: "身份证丢了"}, {Text: "惠城区会计从业怎么变更", Hall: city}, {},
		{Hall: county, Object: 1}, {Text: "不动产个人查询"}, {Text: "船", Level: 4}, {Text: "j"}, {Text: "dj"}, {Text: "食品药品建筑道路水利医疗教育户口婚姻"},
		{Text: "可以全程网办"},
	}
	for _, d := range docs[:200] {
		queries = append(queries, Query{Text: d.Title}, Query{Text: string([]rune(d.Title)[1:4])}, Query{Text: d.Aliases[1], Hall: city})
	}
	return queries
}

// reportTimes reports the half-way and the slowest hundredth.
func reportTimes(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs/p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs/p99")
}
