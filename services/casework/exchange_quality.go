package casework

import (
	"context"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
)

// newExchanged counts rows; docs/operations.md tells when to be alarmed.
func newExchanged() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "onehall_exchange_rows_total", Help: "Rows of other systems by what became of them.",
	}, []string{"status", "reason"})
}

// countExchanged counts the rows of a batch that was written.
func (s *Service) countExchanged(res *caseworkv1.IngestRowsResponse) {
	s.exchanged.WithLabelValues("accepted", "").Add(float64(res.GetAccepted()))
	s.exchanged.WithLabelValues("duplicate", "").Add(float64(res.GetDuplicates()))
	for _, r := range res.GetResults() {
		if r.GetStatus() == caseworkv1.RowStatus_ROW_STATUS_REJECTED {
			s.exchanged.WithLabelValues("rejected", r.GetReason()).Inc()
		}
	}
}

// ListRejects lists the refused rows of a source.
func (x exchangeServer) ListRejects(ctx context.Context, req *caseworkv1.ListRejectsRequest) (*caseworkv1.ListRejectsResponse, error) {
	p, err := x.sourcePage(ctx, "rejects", req)
	if err != nil {
		return nil, err
	}
	rows, err := store.Rejects(ctx, x.s.db.Read(), req.GetParent(), p.after, p.size+1)
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListRejectsResponse{}
	if len(rows) > p.size {
		rows = rows[:p.size]
		res.NextPageToken = p.next(rows[p.size-1].Key)
	}
	lang := fault.Lang(ctx)
	for _, r := range rows {
		m := &caseworkv1.RejectedRow{
			Table: r.Table, SourceCaseNo: r.SourceCaseNo, Serial: int32(r.Serial), Version: int32(r.Version), Reason: r.Reason, Field: r.Field,
			RejectTime: stamp(r.At), Attempts: int32(r.Attempts),
		}
		if reason, ok := fault.Lookup(r.Reason); ok {
			m.Message = reason.New().Message(lang)
		}
		res.Rejects = append(res.Rejects, m)
	}
	return res, nil
}

// ListGaps lists the cases of a source of which rows wait.
func (x exchangeServer) ListGaps(ctx context.Context, req *caseworkv1.ListGapsRequest) (*caseworkv1.ListGapsResponse, error) {
	p, err := x.sourcePage(ctx, "gaps", req)
	if err != nil {
		return nil, err
	}
	rows, err := store.Gaps(ctx, x.s.db.Read(), req.GetParent(), p.after, p.size+1)
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListGapsResponse{}
	if len(rows) > p.size {
		rows = rows[:p.size]
		res.NextPageToken = p.next(rows[p.size-1].SourceCaseNo)
	}
	for _, r := range rows {
		g := &caseworkv1.ExchangeGap{
			SourceCaseNo: r.SourceCaseNo, Waiting: strings.Fields(r.Waiting), Missing: strings.Fields(r.Missing), Since: stamp(r.Since),
		}
		if r.CaseNo != "" {
			g.Case = caseName(hallOf(req.GetParent()), r.CaseNo)
		}
		res.Gaps = append(res.Gaps, g)
	}
	return res, nil
}

// sourcePage is a page of a listing of a source.
type sourcePage struct {
	size  int
	after string
	next  func(key string) string
}

func (x exchangeServer) sourcePage(ctx context.Context, what string, req interface {
	GetParent() string
	GetPageSize() int32
	GetPageToken() string
}) (sourcePage, error) {
	a, _, err := x.reachSource(ctx, req.GetParent())
	if err != nil {
		return sourcePage{}, err
	}
	p := sourcePage{}
	if p.size, err = page.Size(req.GetPageSize(), 100, 500); err != nil {
		return p, err
	}
	hash := page.FilterHash(what, req.GetParent())
	key, err := x.s.pages.Decode(req.GetPageToken(), a.Subject, hash)
	if err != nil {
		return p, err
	}
	if len(key) == 1 {
		p.after = key[0]
	}
	p.next = func(key string) string { return x.s.pages.Encode(a.Subject, hash, key) }
	return p, nil
}

// GetSourceQuality tells how good the data of a source are.
func (x exchangeServer) GetSourceQuality(ctx context.Context, req *caseworkv1.GetSourceQualityRequest) (*caseworkv1.SourceQuality, error) {
	_, src, err := x.reachSource(ctx, req.GetName())
	if err != nil {
		return nil, err
	}
	last := req.GetEndMonth()
	if last == "" {
		last = workday.DateOf(x.s.clock.Now()).String()[:7]
	}
	rows, err := store.ReadQuality(ctx, x.s.db.Read(), req.GetName(), req.GetStartMonth(), last)
	if err != nil {
		return nil, err
	}
	q := &caseworkv1.SourceQuality{Name: req.GetName(), OpenGaps: src.OpenGaps, OpenRejects: src.OpenRejects}
	var sum exchange.Counts
	for _, r := range rows {
		q.Counts = append(q.Counts, &caseworkv1.QualityCount{
			Month: r.Month, Table: r.Table, Total: r.Accepted + r.Rejected, Right: r.Accepted, Wrong: r.Rejected,
			Rate: exchange.Percent(r.Accepted, r.Accepted+r.Rejected), Duplicates: r.Duplicates, Corrections: r.Corrections,
			Disordered: r.Disordered, Late: r.Late, LagHours: r.LagSeconds / 3600, ExpectedFields: r.Expected, FilledFields: r.Filled,
		})
		sum.Right, sum.Wrong, sum.Duplicates = sum.Right+r.Accepted, sum.Wrong+r.Rejected, sum.Duplicates+r.Duplicates
		sum.Disordered, sum.Late = sum.Disordered+r.Disordered, sum.Late+r.Late
		sum.Expected, sum.Filled = sum.Expected+r.Expected, sum.Filled+r.Filled
	}
	for _, p := range exchange.Parts {
		q.Parts = append(q.Parts, &caseworkv1.QualityPart{Name: p.Name, Weight: int32(p.Weight), Formula: p.Formula, Rate: p.Rate(sum)})
	}
	q.Score = exchange.Score(sum)
	return q, nil
}
