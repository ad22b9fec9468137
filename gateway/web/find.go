package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
)

// theme is one way into the catalogue.
type theme struct{ Code, Name string }

// The themes people look under, by the national lists (国办函〔2016〕108号).
var (
	personThemes = themes("005 生育收养 010 户籍办理 020 教育科研 030 就业创业 055 行政缴费 060 婚姻登记 065 优待抚恤 075 住房保障 " +
		"085 社会保障 090 证件办理 095 交通出行 105 出境入境 110 消费维权 120 司法公证 145 医疗卫生 150 离职退休 155 死亡殡葬 " +
		"015 民族宗教 025 入伍服役 050 职业资格 070 规划建设 100 旅游观光 115 公共安全 130 环保绿化 135 文化体育 140 公用事业 999 其他")
	legalThemes = themes("005 设立变更 010 准营准办 015 资质认证 020 年检年审 025 税收财务 030 人力资源 035 社会保障 040 投资审批 " +
		"045 融资信贷 050 抵押质押 055 商务贸易 065 海关口岸 075 农林牧渔 085 国土和规划建设 090 交通运输 095 环保绿化 110 医疗卫生 " +
		"115 科技创新 120 文体教育 125 知识产权 135 质量技术 140 检验检疫 145 安全生产 150 公安消防 160 公用事业 165 法人注销 170 档案文物 999 其他")
)

func themes(list string) []theme {
	words := strings.Fields(list)
	out := make([]theme, 0, len(words)/2)
	for i := 0; i+1 < len(words); i += 2 {
		out = append(out, theme{words[i], words[i+1]})
	}
	return out
}

// The kinds of service object the first split is by.
const (
	forPerson = 1
	forLegal  = 2
)

type homeView struct {
	Person, Legal []theme
	Halls         []*cataloguev1.Hall
	HallsProblem  string
}

func (s *Site) home(w http.ResponseWriter, r *http.Request) {
	v := homeView{Person: personThemes, Legal: legalThemes}
	halls, err := s.cfg.Clients.Catalogue.ListHalls(r.Context(), &cataloguev1.ListHallsRequest{ParentHall: "halls/" + s.cfg.Province, PageSize: 200})
	if err != nil {
		// The rest of the page is of use without the list.
		v.HallsProblem = s.sentence(r.Context(), err)
	}
	v.Halls = halls.GetHalls()
	s.show(w, r, "home", http.StatusOK, page{Title: "政务服务", Data: v})
}

// searchView is a page of hits with the filters that led there.
type searchView struct {
	Request *cataloguev1.SearchItemsRequest
	Hits    []*cataloguev1.ItemHit
	Total   int32
	Filters []string
	Next    string
	Problem string
}

func (s *Site) search(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	req := &cataloguev1.SearchItemsRequest{
		Query: strings.TrimSpace(q.Get("q")), Theme: q.Get("theme"), Department: q.Get("department"),
		FullOnline: q.Get("online") == "1", PageToken: q.Get("page"),
	}
	if hall := q.Get("hall"); hall != "" {
		req.Hall = "halls/" + strings.TrimPrefix(hall, "halls/")
	}
	if n, err := strconv.ParseInt(q.Get("for"), 10, 8); err == nil {
		req.ServiceObject = int32(n)
	}
	v := searchView{Request: req, Filters: filters(req)}
	code := http.StatusOK
	found, err := s.cfg.Clients.Catalogue.SearchItems(r.Context(), req)
	if err != nil {
		code = statusOf(err)
		v.Problem = s.sentence(r.Context(), err)
	}
	v.Hits, v.Total = found.GetHits(), found.GetTotalSize()
	if token := found.GetNextPageToken(); token != "" {
		next := url.Values{}
		for _, key := range []string{"q", "theme", "department", "online", "hall", "for"} {
			if q.Get(key) != "" {
				next.Set(key, q.Get(key))
			}
		}
		next.Set("page", token)
		v.Next = "/search?" + next.Encode()
	}
	title := "全部事项"
	if req.GetQuery() != "" {
		title = "搜索：" + req.GetQuery()
	}
	s.show(w, r, "search", code, page{Title: title, Query: req.GetQuery(), Data: v})
}

// filters says in words what else narrowed the search.
func filters(req *cataloguev1.SearchItemsRequest) []string {
	var words []string
	list := personThemes
	switch req.GetServiceObject() {
	case forPerson:
		words = append(words, "个人办事")
	case forLegal:
		words = append(words, "法人办事")
		list = legalThemes
	}
	for _, t := range list {
		if t.Code == req.GetTheme() {
			words = append(words, t.Name)
		}
	}
	if req.GetFullOnline() {
		words = append(words, "全程网办")
	}
	return words
}
