package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"

	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/workday"
)

// How casework comes to have the events of a million cases in two minutes: they are made
// here and copied straight into its table, as the feed would read them. Nothing else of
// casework is there; a supervision that follows it needs no more.

// bulkEvent is one event of a case.
type bulkEvent struct {
	subject string
	seq     int64
	kind    string
	actor   string
	at      time.Time
	body    *caseworkv1.Case
}

// copyEvents appends events to casework's feed and tells how many there were.
func copyEvents(ctx context.Context, pg *postgres, events func(yield func(bulkEvent) bool)) (n int64, err error) {
	conn, err := pgx.Connect(ctx, pg.dsn())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if _, err := conn.Exec(ctx, "SET synchronous_commit = off"); err != nil {
		return 0, err
	}
	var position int64
	if err := conn.QueryRow(ctx, "SELECT COALESCE(max(position), 0) FROM casework.events").Scan(&position); err != nil {
		return 0, err
	}
	columns := []string{"position", "subject", "sequence", "type", "resource_type", "resource", "resource_sha256", "actor", "actor_department",
		"happened_at", "entered_at", "detail", "detail_type"}
	kind := string((&caseworkv1.Case{}).ProtoReflect().Descriptor().FullName())
	rows := make(chan []any, 1024)
	stop := make(chan struct{})
	var broken error
	go func() {
		defer close(rows)
		for e := range events {
			raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(e.body)
			if err != nil {
				broken = err // read after rows is closed
				return
			}
			position++
			sum, at := sha256.Sum256(raw), db.Micros(e.at)
			select {
			case rows <- []any{position, e.subject, e.seq, e.kind, kind, raw, sum[:], e.actor, "", at, at, []byte{}, ""}:
			case <-stop:
				return
			}
		}
	}()
	n, err = conn.CopyFrom(ctx, pgx.Identifier{"casework", "events"}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		row, ok := <-rows
		if !ok {
			return nil, broken
		}
		return row, nil
	}))
	close(stop)
	if err != nil {
		return n, err
	}
	_, err = conn.Exec(ctx, "ANALYZE casework.events")
	return n, err
}

// The stages of the cases that are made.
var bulkKinds = []string{"case.submitted", "case.accepted", "case.undertaken", "case.decided", "case.finished"}

// workHours are how many hours a year's opening times have, about: the made cases are
// spread over them.
const workHours = 1480 * time.Hour

// aYear makes the events of n cases of a year, interleaved as a busy hall has them: each
// stage of a case comes while lag others have theirs. One case in twenty has one day and
// is late.
func aYear(n int, now time.Time) func(yield func(bulkEvent) bool) {
	lag := max(1, n/500)
	moments := spreadOver(n+(len(bulkKinds)-1)*lag, now)
	return func(yield func(bulkEvent) bool) {
		for k := range moments {
			for stage := range bulkKinds {
				if i := k - stage*lag; i >= 0 && i < n && !yield(bulkStage(i, stage, func(stage int) time.Time { return moments[i+stage*lag] })) {
					return
				}
			}
		}
	}
}

// spreadOver are so many moments over the opening times of the year before now, each a
// little later than the one before.
func spreadOver(n int, now time.Time) []time.Time {
	cal, start := workday.China(), workday.StartOfDay(workday.DateOf(now)-366)
	moments := make([]time.Time, n)
	for k := range moments {
		if k%64 > 0 {
			moments[k] = moments[k-1].Add(time.Millisecond)
			continue
		}
		moments[k], _ = cal.AddWorkingTime(city, workday.Hours{}, start, time.Duration(float64(workHours)*float64(k)/float64(n)))
	}
	return moments
}

// bulkName is the i-th case.
func bulkName(i int) string {
	const perDay = 10_000_000
	return "halls/" + city + "/cases/" + codes.CaseNo(city, time.Date(2020, 1, 1+i/perDay, 12, 0, 0, 0, workday.Zone), i%perDay)
}

// bulkStage is a case after a stage; at tells when each stage was.
func bulkStage(i, stage int, at func(stage int) time.Time) bulkEvent {
	when := func(stage int) *timestamppb.Timestamp { return timestamppb.New(at(stage)) }
	c := &caseworkv1.Case{
		Name: bulkName(i), Item: "halls/" + city + "/items/11441300007482575H3440118009000", ItemTitle: "居住证办理",
		Department: fmt.Sprintf("halls/%s/departments/d%d", city, i%40), PromisedLimit: 7, StatutoryLimit: 20, State: caseworkv1.CaseState_CASE_STATE_SUBMITTED,
		ApplicantKey: applicantKey(i), Applicant: &caseworkv1.Applicant{DisplayName: "张*", IdNumber: "1101**********002X", Phone: "138****0000"},
		Materials:  []*caseworkv1.CaseMaterial{{MaterialId: "m1", DisplayName: "居民身份证", FileName: "身份证.pdf"}, {MaterialId: "m2", DisplayName: "租赁合同", FileName: "合同.pdf"}},
		SubmitTime: when(0),
	}
	if i%20 == 0 {
		c.PromisedLimit = 1
	}
	officer := fmt.Sprintf("officer%d", i%1999)
	if stage >= 1 {
		c.State, c.AcceptTime = caseworkv1.CaseState_CASE_STATE_ACCEPTED, when(1)
	}
	if stage >= 2 {
		c.State = caseworkv1.CaseState_CASE_STATE_EXAMINING
		c.Steps = []*caseworkv1.Step{{Kind: caseworkv1.StepKind_STEP_KIND_UNDERTAKE, Officer: "user/" + officer, OfficerName: "王五", Opinion: "同意", StepTime: when(2)}}
	}
	if stage >= 3 {
		c.State = caseworkv1.CaseState_CASE_STATE_DECIDED
		c.Decision = &caseworkv1.Decision{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED, Officer: "user/head-" + officer, DecideTime: when(3)}
	}
	if stage >= 4 {
		c.State = caseworkv1.CaseState_CASE_STATE_FINISHED
		c.Finish = &caseworkv1.Finish{Result: caseworkv1.FinishResult_FINISH_RESULT_ISSUED, Officer: "user/" + officer, FinishTime: when(4)}
	}
	return bulkEvent{subject: c.GetName(), seq: int64(stage + 1), kind: bulkKinds[stage], actor: "user/" + officer, at: at(stage), body: c}
}
