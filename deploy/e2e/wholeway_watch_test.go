package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/deploy/restclient"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/workday"
)

// review says what the applicant thinks, and the department answers.
func (w *way) review() {
	_, client := w.person(1)
	tags := get(w.scene, w.Nobody(), "/v1/reviewTags?stars=4", &reviewv1.ListReviewTagsResponse{})
	if len(tags.GetReviewTags()) != 8 {
		w.t.Fatalf("%d tags of four stars", len(tags.GetReviewTags()))
	}
	house.Eventually(w.t, "the case can be reviewed", func(ctx context.Context) (bool, string) {
		list := &reviewv1.ListReviewablesResponse{}
		if err := client.Get(ctx, "/v1/reviewables", list); err != nil {
			return false, err.Error()
		}
		for _, r := range list.GetReviewables() {
			if r.GetCase() == w.main.GetName() && r.GetMoment() == reviewv1.ReviewMoment_REVIEW_MOMENT_FINISHED {
				return true, ""
			}
		}
		return false, list.String()
	})
	path := "/v1/" + w.hall + "/reviews" + house.Query("requestId", newID())
	made := &reviewv1.Review{}
	w.must("review", client.Post(w.t.Context(), path, &reviewv1.Review{
		Case: w.main.GetName(), Moment: reviewv1.ReviewMoment_REVIEW_MOMENT_FINISHED, Stars: 4,
		Tags: []string{tags.GetReviewTags()[0].GetCode()}, Text: "办得快，窗口态度好", Channel: reviewv1.ReviewChannel_REVIEW_CHANNEL_MOBILE,
	}, made))
	seen := get(w.scene, w.Nobody(), "/v1/"+made.GetName(), &reviewv1.Review{})
	if seen.GetCase() != "" || seen.GetStars() != 4 || seen.GetItem() != w.main.GetItem() {
		w.t.Errorf("the public sees %v", seen)
	}
	answered := &reviewv1.Review{}
	w.must("answer", w.head.Post(w.t.Context(), "/v1/"+made.GetName()+":reply", &reviewv1.ReplyReviewRequest{Etag: made.GetEtag(), RequestId: newID(), Reply: "谢谢您的肯定"}, answered))
	sum := get(w.scene, w.Nobody(), "/v1/"+w.hall+"/reviewSummary", &reviewv1.ReviewSummary{})
	if answered.GetReply() == "" || sum.GetSampleSize() != 1 || sum.GetAverageStars() != 4 || sum.GetSatisfaction() != 100 {
		w.t.Errorf("answered %v, summary %v", answered, sum)
	}
}

// clock looks at the open case's clock and lets it be explained.
func (w *way) clock() {
	w.open = get(w.scene, w.officer, "/v1/"+w.open.GetName(), &caseworkv1.Case{})
	clock := &supervisionv1.CaseClock{}
	house.Eventually(w.t, "the clock runs", func(ctx context.Context) (bool, string) {
		err := w.officer.Get(ctx, "/v1/"+w.open.GetName()+"/clock", clock)
		return err == nil && clock.GetRunState() == "running", clock.String()
	})
	if clock.GetPromisedDueDate() != w.open.GetPromisedDueDate() || clock.GetStatutoryDueDate() != w.open.GetStatutoryDueDate() {
		w.t.Errorf("supervision reckons %s and %s, casework %s and %s", clock.GetPromisedDueDate(), clock.GetStatutoryDueDate(),
			w.open.GetPromisedDueDate(), w.open.GetStatutoryDueDate())
	}
	_, client := w.person(2)
	why := get(w.scene, client, "/v1/"+w.open.GetName()+"/clock:explain", &supervisionv1.ExplainDueResponse{})
	counted := int32(0)
	for _, d := range why.GetDays() {
		if d.GetCounted() {
			counted++
		}
		if d.GetReason() == "" {
			w.t.Errorf("%s is not explained", d.GetDate())
		}
		if d.GetDate() == w.open.GetPromisedDueDate() && (!d.GetCounted() || d.GetNumber() != w.open.GetPromisedLimit()) {
			w.t.Errorf("the due day is %v", d)
		}
	}
	if counted < w.open.GetPromisedLimit() || why.GetBasis() == "" || why.GetCalendarVersion() == "" {
		w.t.Errorf("explained: %v", why)
	}
}

// late enters a case that came to the counter long ago, and sees its cards.
func (w *way) late() {
	who, _ := w.person(5)
	req := w.filing(who, house.Residence)
	now := time.Now()
	req.Parent, req.Consent, req.HappenedAt = "", true, timestamppb.New(now.AddDate(0, -3, 0))
	c := &caseworkv1.Case{}
	w.must("enter late", w.window.Post(w.t.Context(), "/v1/"+w.hall+"/cases:file", req, c))
	w.behind = w.act(w.window, c, "accept", &caseworkv1.AcceptCaseRequest{HappenedAt: timestamppb.New(now.AddDate(0, -3, 1))})
	w.submitted, w.accepted = w.submitted+1, w.accepted+1
	want := map[string]supervisionv1.CardLevel{
		"T1_PROMISE": supervisionv1.CardLevel_CARD_LEVEL_YELLOW, "T2_STATUTORY": supervisionv1.CardLevel_CARD_LEVEL_RED, "P4_LATE_ENTRY": supervisionv1.CardLevel_CARD_LEVEL_YELLOW,
	}
	house.Eventually(w.t, "the late case has its cards", func(ctx context.Context) (bool, string) {
		list := &supervisionv1.ListCardsResponse{}
		if err := w.supervisor.Get(ctx, "/v1/"+w.hall+"/cards"+house.Query("subject", w.behind.GetName()), list); err != nil {
			return false, err.Error()
		}
		found := map[string]bool{}
		for _, card := range list.GetCards() {
			if want[card.GetRule()] == card.GetLevel() && card.GetGround() != "" && card.GetRuleVersion() != "" && card.GetLegalSource() != "" {
				found[card.GetRule()] = true
			}
		}
		return len(found) == len(want), list.String()
	})
	list := get(w.scene, w.head, "/v1/"+w.hall+"/cards"+house.Query("level", "CARD_LEVEL_RED"), &supervisionv1.ListCardsResponse{})
	if len(list.GetCards()) == 0 {
		w.t.Fatal("the department's head sees no red card")
	}
	card := list.GetCards()[0]
	answered := &supervisionv1.Card{}
	w.must("answer the card", w.head.Post(w.t.Context(), "/v1/"+card.GetName()+":reply",
		&supervisionv1.ReplyCardRequest{RequestId: newID(), Etag: card.GetEtag(), Reply: "已约谈经办人，立即办结"}, answered))
	if answered.GetReply() == "" || answered.GetState() != supervisionv1.CardState_CARD_STATE_ISSUED {
		w.t.Errorf("answered: %v", answered)
	}
}

// streams watches cards as lines and as server-sent events.
func (w *way) streams() {
	for accept, contentType := range map[string]string{"application/x-ndjson": "application/x-ndjson", "text/event-stream": "text/event-stream"} {
		w.watch(accept, contentType)
	}
}

func (w *way) watch(accept, contentType string) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.Gateway+"/v1/"+w.hall+"/cards:watch", nil)
	w.must("watch", err)
	req.Header.Set("Accept", accept)
	req.Header.Set("Authorization", "Bearer "+w.Token(supervisorUser))
	resp, err := http.DefaultClient.Do(req)
	w.must("watch", err)
	defer func() { _ = resp.Body.Close() }() // we leave in the middle
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != contentType {
		w.t.Fatalf("watch as %s: %s, %s", accept, resp.Status, resp.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		line := lines.Text()
		if contentType == "text/event-stream" {
			data, ok := strings.CutPrefix(line, "data: ")
			if !ok {
				continue
			}
			line = data
		}
		if line == "" {
			continue
		}
		var envelope struct{ Result json.RawMessage }
		w.must("stream line "+line, json.Unmarshal([]byte(line), &envelope))
		m := &supervisionv1.WatchCardsResponse{}
		w.must("stream message "+line, protojson.Unmarshal(envelope.Result, m))
		if m.GetCard().GetSubject() == w.behind.GetName() {
			return
		}
	}
	w.t.Errorf("watch as %s: the card never came: %v", accept, lines.Err())
}

// span is a day before and after today in China: the test may run at midnight. The case
// entered late counts on a day months ago.
func span() (start, end string) {
	now := time.Now().In(workday.Zone)
	return now.AddDate(0, -4, 0).Format(time.DateOnly), now.AddDate(0, 0, 1).Format(time.DateOnly)
}

// figures compares what the hub counted with what was done, and has it recounted.
func (w *way) figures() {
	start, end := span()
	want := map[string]int64{"submitted": w.submitted, "accepted": w.accepted, "finished": w.done, "reviews": 1}
	house.Eventually(w.t, "the hub has counted everything", func(ctx context.Context) (bool, string) {
		got, err := facts(ctx, w.analyst)
		if err != nil {
			return false, err.Error()
		}
		for k, n := range want {
			if got[k] != n {
				return false, k + ": " + jsonOf(got) + " want " + jsonOf(want)
			}
		}
		return true, ""
	})
	for _, hall := range []string{w.hall, "halls/" + house.Province} {
		rates := get(w.scene, w.Nobody(), "/v1/rates"+house.Query("hall", hall, "includeBelow", "true", "startDate", start, "endDate", end), &hubv1.GetRatesResponse{})
		for _, r := range rates.GetRates() {
			if r.GetMetric() == "online_apply_rate" && (r.GetDenominator() != w.submitted || r.GetNumerator() != w.submitted-2) {
				w.t.Errorf("%s: %v, want %d of %d online", hall, r, w.submitted-2, w.submitted)
			}
			if r.GetFormulaVersion() == "" || r.GetDisplayName() == "" {
				w.t.Errorf("%s: %v", hall, r)
			}
		}
		if len(rates.GetRates()) < 6 || rates.GetStale() {
			w.t.Errorf("%s: %v", hall, rates)
		}
	}
	out, err := w.Run(w.t.Context(), "verify", "recount")
	if err != nil {
		w.t.Errorf("verify recount: %v\n%s", err, out)
	}
}

// facts adds up all facts there are.
func facts(ctx context.Context, analyst *restclient.Client) (map[string]int64, error) {
	sum := map[string]int64{}
	for token := ""; ; {
		page := &hubv1.ListFactsResponse{}
		if err := analyst.Get(ctx, "/v1/facts"+house.Query("pageToken", token), page); err != nil {
			return nil, err
		}
		for _, f := range page.GetFacts() {
			sum["submitted"] += f.GetSubmitted()
			sum["accepted"] += f.GetAccepted()
			sum["finished"] += f.GetFinished()
			sum["reviews"] += f.GetReviews()
			sum["cards"] += f.GetCards()
		}
		if token = page.GetNextPageToken(); token == "" {
			return sum, nil
		}
	}
}

// refusals are in the caller's language, Chinese when it names none we have.
func (w *way) refusals() {
	for lang, want := range map[string]string{"": "没有找到", "zh-CN,zh;q=0.9": "没有找到", "en-GB": "Not found", "fr": "没有找到"} {
		c := w.As(supervisorUser)
		c.Language = lang
		r := w.refusal("a case that is not", c.Get(w.t.Context(), "/v1/"+w.hall+"/cases/"+otherNumber(caseNo(w.main)), nil))
		if r.Status != http.StatusNotFound || r.Message != want || r.RequestID == "" {
			w.t.Errorf("language %q: %v (request %q)", lang, r, r.RequestID)
		}
	}
}

// signIn gets a token from the issuer that runs with the hall, as a browser would.
func (w *way) signIn() {
	c := w.Nobody()
	c.Token = restclient.Login(w.Issuer, "citizen", "demo", time.Now)
	got := get(w.scene, c, "/v1/reviewables", &reviewv1.ListReviewablesResponse{})
	if len(got.GetReviewables()) != 0 {
		w.t.Errorf("the demo citizen has cases: %v", got)
	}
	c.Token = restclient.Login(w.Issuer, "citizen", "wrong", time.Now)
	if err := c.Get(w.t.Context(), "/v1/reviewables", nil); err == nil {
		w.t.Error("signed in with a wrong password")
	}
	resp, err := w.HTTP().Get(w.Gateway + "/openapi.json")
	w.must("openapi", err)
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !json.Valid(body) {
		w.t.Errorf("openapi.json: %s, %d bytes, %v", resp.Status, len(body), err)
	}
}
