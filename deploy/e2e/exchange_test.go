package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/workday"
)

// TestExchange lets the police's own system tell of a case that went wrong there, and looks
// at what supervision, the hub and the applicant make of it, by nothing but the common way.
func TestExchange(t *testing.T) {
	s := newScene(t, house.Options{Shape: house.One, Driver: db.SQLite})
	post := house.Post(house.City, house.Police, "exchange", 7)
	front := s.As(post)
	s.must("register a source", s.As(house.Post(house.City, "", "admin", 3)).Post(t.Context(), "/v1/"+s.hall+"/exchangeSources"+house.Query("sourceId", "police", "requestId", newID()),
		&caseworkv1.ExchangeSource{DisplayName: "公安业务系统", Client: "user/" + post.Login}, &caseworkv1.ExchangeSource{}))

	who, applicant := s.person(1)
	item := s.data.Items[house.Residence].GetName()
	began := workday.StartOfDay(workday.DateOf(time.Now()) - 30).Add(9 * time.Hour)
	row := func(table string, days int, timeColumn string, columns ...string) *caseworkv1.ExchangeRow {
		r := &caseworkv1.ExchangeRow{Table: table, Columns: map[string]string{
			"SBLSH": "GA0001", "SXBM": item[strings.LastIndexByte(item, '/')+1:], "XZQHDM": house.City,
			timeColumn: began.AddDate(0, 0, days).Format(time.DateTime),
		}}
		for i := 0; i < len(columns); i += 2 {
			r.Columns[columns[i]] = columns[i+1]
		}
		return r
	}
	finish := row("EX_GDBS_BJ", 20, "BJSJ", "BJJGDM", "0", "ZJGZMC", "居住证")
	rows := []*caseworkv1.ExchangeRow{
		finish,
		row("EX_GDBS_SPCL", 19, "SPSJ", "SPHJDM", "3", "SPHJZTDM", "1", "SPRXM", "李四"),
		row("EX_GDBS_TBCXSQ", 5, "TBCXKSRQ", "XH", "1", "TBCXZL", "A", "TBCXZLMC", "延长审批", "TBCXQDLY", "案件较多，未经批准即延长", "TBCXSX", "25", "TBCXSXDW", "G"),
		row("EX_GDBS_SPCL", 2, "SPSJ", "SPHJDM", "1", "SPHJZTDM", "1", "SPRXM", "张三"),
		row("EX_GDBS_SL", 1, "SLSJ", "SLZTDM", "1", "BLRXM", "王五"),
		row("EX_GDBS_SB", 0, "SBSJ", "SQRLX", "1", "SQRMC", who.Name, "SQRZJLX", "10", "SQRZJHM", who.IDNumber, "TJFS", "0"),
	}
	ingest := func(rows ...*caseworkv1.ExchangeRow) *caseworkv1.IngestRowsResponse {
		t.Helper()
		res := &caseworkv1.IngestRowsResponse{}
		s.must("ingest", front.Post(t.Context(), "/v1/"+s.hall+"/exchangeSources/police:ingest", &caseworkv1.IngestRowsRequest{RequestId: newID(), Rows: rows}, res))
		return res
	}
	res := ingest(rows...)
	name := res.GetResults()[0].GetCase()
	if res.GetAccepted() != 6 || name == "" {
		t.Fatalf("ingested: %v", res)
	}
	s.toldCards(name, "P4_LATE_ENTRY", "H1_DATA_LATE", "P9_EXTENSION_INVALID")

	mine := &caseworkv1.Case{}
	s.must("read as the applicant", applicant.Get(t.Context(), "/v1/"+name, mine))
	if mine.GetState() != caseworkv1.CaseState_CASE_STATE_FINISHED || mine.GetSourceCaseNo() != "GA0001" {
		t.Errorf("the applicant sees %v", mine)
	}
	day := finish.Columns["BJSJ"][:10]
	s.finishedOn(day, 1)

	// The source voids the case: it leaves the figures, and its history stays.
	void := &caseworkv1.ExchangeRow{Table: finish.GetTable(), Columns: map[string]string{
		"SBLSH": "GA0001", "SXBM": finish.Columns["SXBM"], "XZQHDM": house.City, "BJJGDM": "2", "BJSJ": finish.Columns["BJSJ"], "ZFHTHYY": "重复报送的记录", "VERSION": "2",
	}}
	ingest(void)
	s.finishedOn(day, 0)
	out := &caseworkv1.ExportCaseResponse{}
	s.must("export", front.Get(t.Context(), "/v1/"+name+"/exchangeRows", out))
	at := slices.IndexFunc(out.GetRows(), func(r *caseworkv1.ExchangeRow) bool { return r.GetTable() == "EX_GDBS_BJ" })
	if len(out.GetRows()) != 6 || out.GetRows()[at].GetColumns()["VERSION"] != "2" || out.GetRows()[0].GetColumns()["SQRZJHM"] == who.IDNumber {
		t.Errorf("exported: %v", out.GetRows())
	}
	s.noFaults()
}

// toldCards waits for a case's cards by some rules.
func (s *scene) toldCards(name string, rules ...string) {
	s.t.Helper()
	house.Eventually(s.t, "the cards", func(ctx context.Context) (bool, string) {
		cards := &supervisionv1.ListCardsResponse{}
		if err := s.supervisor.Get(ctx, "/v1/"+s.hall+"/cards?pageSize=200", cards); err != nil {
			return false, err.Error()
		}
		seen := map[string]bool{}
		for _, c := range cards.GetCards() {
			seen[c.GetRule()] = seen[c.GetRule()] || c.GetSubject() == name
		}
		for _, r := range rules {
			if !seen[r] {
				return false, r + " is missing among " + cards.String()
			}
		}
		return true, ""
	})
}

// finishedOn waits until the hub counts so many finished cases of the city on a day.
func (s *scene) finishedOn(day string, want int64) {
	s.t.Helper()
	house.Eventually(s.t, "the figures of "+day, func(ctx context.Context) (bool, string) {
		facts := &hubv1.ListFactsResponse{}
		if err := s.analyst.Get(ctx, "/v1/facts"+house.Query("hall", s.hall, "startDate", day, "endDate", day), facts); err != nil {
			return false, err.Error()
		}
		n := int64(0)
		for _, f := range facts.GetFacts() {
			n += f.GetFinished()
		}
		return n == want, facts.String()
	})
}
