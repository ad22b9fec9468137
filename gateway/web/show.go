package web

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

func statusOf(err error) int { return fault.Of(err).Reason().HTTP }

type itemView struct {
	Item    *cataloguev1.Item
	Summary *reviewv1.ReviewSummary
	Reviews []*reviewv1.Review
}

// item shows a guide. Reviews are an addition: without them the guide still stands.
func (s *Site) item(w http.ResponseWriter, r *http.Request) {
	hall := "halls/" + r.PathValue("hall")
	item, err := s.cfg.Clients.Catalogue.GetItem(r.Context(), &cataloguev1.GetItemRequest{Name: hall + "/items/" + r.PathValue("code")})
	if err != nil {
		s.problem(w, r, err)
		return
	}
	v := itemView{Item: item}
	v.Summary, err = s.cfg.Clients.Review.GetReviewSummary(r.Context(), &reviewv1.GetReviewSummaryRequest{Parent: hall, Item: item.GetName()})
	if err != nil {
		s.report(r.Context(), err)
	} else if v.Summary.GetSampleSize() > 0 {
		list, err := s.cfg.Clients.Review.ListReviews(r.Context(), &reviewv1.ListReviewsRequest{Parent: hall, Item: item.GetName(), PageSize: 5})
		if err != nil {
			s.report(r.Context(), err)
		}
		v.Reviews = list.GetReviews()
	}
	s.show(w, r, "item", http.StatusOK, page{Title: item.GetTitle(), Data: v})
}

type progressView struct {
	CaseNo   string
	Progress *caseworkv1.Progress
	Problem  string
}

// maxForm is plenty for two short fields.
const maxForm = 4 << 10

// progress shows how far a case is. Number and code come in the body of a form: in an
// address they would stay in histories and logs.
func (s *Site) progress(w http.ResponseWriter, r *http.Request) {
	p := page{Title: "办件进度查询", Data: progressView{}}
	if r.Method != http.MethodPost {
		s.show(w, r, "progress", http.StatusOK, p)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.problem(w, r, fault.InvalidArgument.New(fault.Cause(err)))
		return
	}
	v := progressView{CaseNo: squeeze(r.PostForm.Get("case_no"))}
	code := http.StatusOK
	progress, err := s.cfg.Clients.Casework.QueryProgress(r.Context(), &caseworkv1.QueryProgressRequest{
		CaseNo: v.CaseNo, QueryCode: squeeze(r.PostForm.Get("query_code")),
	})
	if err != nil {
		code = statusOf(err)
		v.Problem = s.sentence(r.Context(), err)
		if code == http.StatusNotFound || code == http.StatusBadRequest {
			v.Problem = "没有查到。请核对受理回执上的办件编号和查询码。"
		}
	}
	v.Progress = progress
	p.Data = v
	s.show(w, r, "progress", code, p)
}

// squeeze takes the blanks out of what people copy from paper.
func squeeze(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return -1
		}
		return c
	}, text)
}

type ratesView struct {
	Start, End string
	Metric     string
	Level      string
	Metrics    []*hubv1.Metric
	Rates      []*hubv1.Rate
	Ranked     []*hubv1.RankedHall
	Until      *timestamppb.Timestamp
	Stale      bool
	Problem    string
}

// rates shows the province's figures and how its halls compare.
func (s *Site) rates(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	today := s.today()
	v := ratesView{
		Start: or(q.Get("start"), today.AddDate(-1, 0, 1).Format("2006-01-02")), End: or(q.Get("end"), today.Format("2006-01-02")),
		Metric: or(q.Get("metric"), "online_apply_rate"), Level: or(q.Get("level"), "city"),
	}
	level := hubv1.RankLevel_RANK_LEVEL_CITY
	if v.Level == "county" {
		level = hubv1.RankLevel_RANK_LEVEL_COUNTY
	}
	code, err := s.figures(r, &v, level)
	if err != nil {
		code = statusOf(err)
		v.Problem = s.sentence(r.Context(), err)
	}
	s.show(w, r, "rates", code, page{Title: "数据公开", Data: v})
}

func (s *Site) figures(r *http.Request, v *ratesView, level hubv1.RankLevel) (int, error) {
	hub := s.cfg.Clients.Hub
	metrics, err := hub.ListMetrics(r.Context(), &hubv1.ListMetricsRequest{})
	if err != nil {
		return 0, err
	}
	v.Metrics = metrics.GetMetrics()
	rates, err := hub.GetRates(r.Context(), &hubv1.GetRatesRequest{Hall: "halls/" + s.cfg.Province, IncludeBelow: true, StartDate: v.Start, EndDate: v.End})
	if err != nil {
		return 0, err
	}
	v.Rates, v.Until, v.Stale = rates.GetRates(), rates.GetCompleteUntil(), rates.GetStale()
	ranked, err := hub.RankHalls(r.Context(), &hubv1.RankHallsRequest{Metric: v.Metric, Level: level, StartDate: v.Start, EndDate: v.End})
	if err != nil {
		return 0, err
	}
	v.Ranked = ranked.GetRankedHalls()
	return http.StatusOK, nil
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// itemPath is the address of an item's page.
func itemPath(name string) string {
	hall, code, ok := strings.Cut(strings.TrimPrefix(name, "halls/"), "/items/")
	if !ok {
		return "/search"
	}
	return "/items/" + url.PathEscape(hall) + "/" + url.PathEscape(code)
}
