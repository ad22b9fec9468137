package rules

// Items counts the items on application in force at the end of a span.
type Items struct {
	// All is how many there are; Full of these run wholly online, Possible can be
	// applied for online, Used had at least one case submitted in the span.
	All, Full, Possible, Used int64
}

// Add adds other.
func (i *Items) Add(other Items) {
	i.All += other.All
	i.Full += other.Full
	i.Possible += other.Possible
	i.Used += other.Used
}

// Totals is everything a rate may be made of.
type Totals struct {
	Counts
	Items
}

// Metric is a rate and how it is made.
type Metric struct {
	ID, Name, Formula, Version string
	// LowerIsBetter turns a ranking round.
	LowerIsBetter bool
	parts         func(Totals) (numerator, denominator int64)
}

// of is a rate of two counts.
func of(n, d Count) func(Totals) (int64, int64) {
	return func(t Totals) (int64, int64) { return t.Counts[n], t.Counts[d] }
}

// metrics is every rate, by id. A changed formula takes a new version, so that a figure
// printed before can be told from one printed after.
var metrics = []Metric{
	{ID: "card_rate", Name: "发牌率", Formula: "有效黄牌、红牌数 ÷ 受理办件数", Version: "1.0", LowerIsBetter: true, parts: of(Cards, Accepted)},
	{ID: "finish_rate", Name: "办结率", Formula: "办结办件数 ÷ 受理办件数", Version: "1.0", parts: of(Finished, Accepted)},
	{ID: "online_apply_rate", Name: "网上申办率", Formula: "通过电脑端、移动端申请的办件数 ÷ 全部申请办件数", Version: "1.0", parts: of(SubmittedOnline, Submitted)},
	{ID: "online_finish_rate", Name: "网上办结率", Formula: "网上办结的办件数 ÷ 全部办结办件数", Version: "1.0", parts: of(FinishedOnline, Finished)},
	{ID: "online_full_rate", Name: "网上全流程办理率", Formula: "期末可全流程网上办理的在用依申请事项数 ÷ 期末在用依申请事项数", Version: "1.0",
		parts: func(t Totals) (int64, int64) { return t.Full, t.All }},
	{ID: "online_possible_rate", Name: "网上可办理率", Formula: "期末可网上申请的在用依申请事项数 ÷ 期末在用依申请事项数", Version: "1.0",
		parts: func(t Totals) (int64, int64) { return t.Possible, t.All }},
	{ID: "ontime_rate", Name: "按时办结率", Formula: "在承诺期限内作出决定的办结办件数 ÷ 全部办结办件数", Version: "1.0", parts: of(FinishedOnTime, Finished)},
	{ID: "review_rate", Name: "参评率", Formula: "至少有一条评价的办结办件数 ÷ 全部办结办件数", Version: "1.0", parts: of(FinishedReviewed, Finished)},
	{ID: "satisfaction", Name: "满意度", Formula: "三星及以上的评价数 ÷ 全部评价数", Version: "1.0", parts: of(ReviewsSatisfied, Reviews)},
	{ID: "usage_rate", Name: "事项使用率", Formula: "期末在用依申请事项中期内至少有一件申请的事项数 ÷ 期末在用依申请事项数", Version: "1.0",
		parts: func(t Totals) (int64, int64) { return t.Used, t.All }},
}

// Metrics lists every metric, by id.
func Metrics() []Metric { return metrics }

// MetricOf finds a metric by its id.
func MetricOf(id string) (Metric, bool) {
	for _, m := range metrics {
		if m.ID == id {
			return m, true
		}
	}
	return Metric{}, false
}

// Rate is a metric's value over something.
type Rate struct {
	Metric                 Metric
	Numerator, Denominator int64
	// Hundredths is the value in hundredths of a percent; Known is false where there
	// is nothing to divide by.
	Hundredths int64
	Known      bool
}

// Rate makes the metric of totals.
func (m Metric) Rate(t Totals) Rate {
	n, d := m.parts(t)
	h, ok := Percent(n, d)
	return Rate{m, n, d, h, ok}
}

// Percent is n of d in hundredths of a percent, rounded half up, and false when d is 0:
// neither 0 nor 100 percent would be true of nothing.
func Percent(n, d int64) (hundredths int64, ok bool) {
	if d == 0 {
		return 0, false
	}
	// The whole part first, so that no count of this world overflows.
	whole, rest := n/d, n%d
	return whole*10000 + (rest*20000+d)/(2*d), true
}
