package hub

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/hub/internal/store"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
)

// BenchmarkApplyCases counts cases of five events each, as a city tells them: 500 cases
// are on their way at any time, of 300 items and three days. One op is one event; a
// batch is what one message of a feed carries.
func BenchmarkApplyCases(b *testing.B) {
	configs := map[string]db.Config{db.SQLite: dbtest.SQLiteConfig(b)}
	if dbtest.Postgres(b) != "" {
		configs[db.Postgres] = dbtest.PostgresConfig(b)
	}
	for _, driver := range []string{db.SQLite, db.Postgres} {
		cfg, ok := configs[driver]
		if !ok {
			continue
		}
		b.Run(driver, func(b *testing.B) {
			d := dbtest.Open(b, cfg, store.Migrations, clk)
			if err := store.AddSource(b.Context(), d, testSrc.name); err != nil {
				b.Fatal(err)
			}
			h := &history{seq: map[string]int64{}}
			for wave := 0; len(h.feeds[0]) < b.N; wave++ {
				for step := range 5 {
					for i := range 500 {
						h.tell(0, caseAt(b.N, wave*500+i), stepOf(caseAt(b.N, wave*500+i), wave*500+i, step))
					}
				}
			}
			b.ResetTimer()
			for batch := range slices.Chunk(h.feeds[0][:b.N], 500) {
				if err := apply(b.Context(), d, 0, batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// caseAt names a case; n keeps apart the runs that a benchmark makes on one database.
func caseAt(n, i int) string { return fmt.Sprintf("halls/441300/cases/%09d%012d", n, i) }

func stepOf(name string, i, step int) *caseworkv1.Case {
	at := func(day int) *timestamppb.Timestamp { return timestamppb.New(start.AddDate(0, 0, (i/3000+day)%28)) }
	c := &caseworkv1.Case{
		Name: name, Item: fmt.Sprintf("halls/441300/items/11441300007482575H3440118%06d", i%300), ItemTitle: "居住证办理",
		Department: fmt.Sprintf("halls/441300/departments/d%d", i%300%38), Channel: caseworkv1.Channel(1 + i%3),
		State: caseworkv1.CaseState_CASE_STATE_SUBMITTED, SubmitTime: at(0), CreateTime: at(0), ApplicantKey: "k", PromisedDueDate: "2026-03-20",
		Applicant: &caseworkv1.Applicant{DisplayName: "张*", IdNumber: "4413***********012"},
	}
	for range 4 {
		c.Materials = append(c.Materials, &caseworkv1.CaseMaterial{MaterialId: "m1", DisplayName: "身份证明"})
	}
	if step >= 1 {
		c.AcceptTime, c.State = at(0), caseworkv1.CaseState_CASE_STATE_ACCEPTED
	}
	if step >= 3 {
		c.Decision = &caseworkv1.Decision{DecideTime: at(1)}
	}
	if step >= 4 {
		c.Finish = &caseworkv1.Finish{FinishTime: at(1), Online: true}
	}
	return c
}
