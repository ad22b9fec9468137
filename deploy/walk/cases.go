package walk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"

	"github.com/onehall/onehall/deploy/restclient"
	"github.com/onehall/onehall/services/platform/workday"
)

// smooth is a case that goes well, with one supplement.
func (w *Walk) smooth(ctx context.Context) error {
	w.title("第一件：%s 想开一家餐馆", w.opt.Company.Name)
	it, err := w.find(ctx, "開餐館", "食品经营许可")
	if err != nil {
		return err
	}
	var materials []string
	for _, m := range it.GetMaterials() {
		materials = append(materials, m.GetDisplayName())
	}
	w.say("GET /v1/"+it.GetName(), "办事指南：%s，第 %d 版\n%s\n承诺 %d 个工作日（法定 %d），到现场 %d 次，%s\n材料：%s",
		it.GetTitle(), it.GetRevision(), it.GetSummary(), it.GetPromisedLimit(), it.GetStatutoryLimit(), it.GetVisits(), fee(it.GetCharged()), strings.Join(materials, "、"))
	c, err := w.file(ctx, w.opt.Company, it, "惠州样本餐馆食品经营许可")
	if err != nil {
		return err
	}
	w.say("POST /v1/halls/"+w.opt.City+"/cases:file", "已申办，办件编号 %s，查询码 %s\n申请人 %s %s，应在 %s 前受理（行政许可法第三十二条）",
		number(c), c.GetQueryCode(), c.GetApplicant().GetDisplayName(), c.GetApplicant().GetIdNumber(), c.GetAcceptanceDueDate())
	code := c.GetQueryCode()
	if err := w.supplement(ctx, c, it.GetMaterials()[0]); err != nil {
		return err
	}
	if err := w.decide(ctx, c); err != nil {
		return err
	}
	return w.result(ctx, c, code)
}

func fee(charged bool) string {
	if charged {
		return "收费"
	}
	return "不收费"
}

func number(c *caseworkv1.Case) string {
	return c.GetName()[strings.LastIndexByte(c.GetName(), '/')+1:]
}

// supplement asks for a better paper, gets it and accepts.
func (w *Walk) supplement(ctx context.Context, c *caseworkv1.Case, m *cataloguev1.Material) error {
	w.later(0, 15, 10)
	if err := w.act(ctx, "market-window-1", "requestSupplement", c, &caseworkv1.RequestSupplementRequest{
		Reason: "“" + m.GetDisplayName() + "”照片不清晰，请重新上传", MaterialIds: []string{m.GetId()}, LimitDays: 10,
	}); err != nil {
		return err
	}
	w.say("POST …:requestSupplement", "窗口一次性告知补正：%s，请于 %s 前补齐", c.GetSupplements()[0].GetReason(), c.GetSupplements()[0].GetDueDate())
	w.later(1, 9, 20)
	if err := w.act(ctx, w.opt.Company.Login, "receiveSupplement", c, &caseworkv1.ReceiveSupplementRequest{
		Channel:   caseworkv1.Channel_CHANNEL_MOBILE,
		Materials: []*caseworkv1.CaseMaterial{{MaterialId: m.GetId(), FileName: m.GetDisplayName() + "-清晰.pdf", Sha256: hashOf("clear")}},
	}); err != nil {
		return err
	}
	w.say("POST …:receiveSupplement", "申请人用手机补齐材料，状态 %s", stateOf(c))
	w.later(0, 10, 5)
	if err := w.act(ctx, "market-window-1", "accept", c, &caseworkv1.AcceptCaseRequest{}); err != nil {
		return err
	}
	w.say("POST …:accept", "已受理。次一工作日起算：承诺 %s，法定 %s", c.GetPromisedDueDate(), c.GetStatutoryDueDate())
	return nil
}

// decide takes the case through its approval steps to the finish.
func (w *Walk) decide(ctx context.Context, c *caseworkv1.Case) error {
	w.later(1, 9, 40)
	if err := w.act(ctx, "market-officer-1", "undertake", c, &caseworkv1.UndertakeCaseRequest{Opinion: "材料齐全，拟同意"}); err != nil {
		return err
	}
	w.later(0, 16, 0)
	if err := w.act(ctx, "market-officer-2", "examine", c, &caseworkv1.ExamineCaseRequest{Opinion: "现场核查合格"}); err != nil {
		return err
	}
	w.later(1, 9, 0)
	if err := w.act(ctx, "market-head-1", "approve", c, &caseworkv1.ApproveCaseRequest{Opinion: "同意"}); err != nil {
		return err
	}
	w.say("POST …:undertake → …:examine → …:approve", "承办、审核、批准由三人分别办理：%s", officers(c))
	if err := w.act(ctx, "market-head-1", "decide", c, &caseworkv1.DecideCaseRequest{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED}); err != nil {
		return err
	}
	w.later(0, 10, 30)
	if err := w.act(ctx, "market-officer-1", "finish", c, &caseworkv1.FinishCaseRequest{
		Result: caseworkv1.FinishResult_FINISH_RESULT_ISSUED, CertificateName: "食品经营许可证", CertificateNo: "JY24413020000001", Online: true,
	}); err != nil {
		return err
	}
	w.say("POST …:decide → …:finish", "准予许可，%s %s，全程网办", c.GetFinish().GetCertificateName(), c.GetFinish().GetCertificateNo())
	return nil
}

func officers(c *caseworkv1.Case) string {
	var names []string
	for _, s := range c.GetSteps() {
		names = append(names, s.GetOfficerName())
	}
	return strings.Join(names, "、")
}

// result collects, looks up the progress, and reviews.
func (w *Walk) result(ctx context.Context, c *caseworkv1.Case, code string) error {
	if err := w.act(ctx, "market-window-1", "collect", c, &caseworkv1.CollectCaseRequest{
		Collector: w.opt.Company.Name, Way: caseworkv1.Channel_CHANNEL_COURIER,
	}); err != nil {
		return err
	}
	progress := &caseworkv1.Progress{}
	if err := w.as("").Post(ctx, "/v1/cases:queryProgress", &caseworkv1.QueryProgressRequest{CaseNo: number(c), QueryCode: code}, progress); err != nil {
		return err
	}
	w.say("POST /v1/cases:queryProgress", "不登录，凭编号和查询码：%s，%s，申请人 %s", progress.GetItemTitle(), progress.GetStateTitle(), progress.GetApplicantName())
	review, err := w.review(ctx, w.opt.Company.Login, &reviewv1.Review{
		Case: c.GetName(), Moment: reviewv1.ReviewMoment_REVIEW_MOMENT_FINISHED, Stars: 5, Tags: []string{"510"}, Text: "没跑一趟就办好了，谢谢！",
	})
	if err != nil {
		return err
	}
	w.say("POST /v1/halls/"+w.opt.City+"/reviews", "申请人评价 %d 星：%s", review.GetStars(), review.GetText())
	return nil
}

// review writes a review once the review service has heard of the case's finish.
func (w *Walk) review(ctx context.Context, login string, r *reviewv1.Review) (*reviewv1.Review, error) {
	path := "/v1/halls/" + w.opt.City + "/reviews?requestId=" + uuid.NewString()
	out := &reviewv1.Review{}
	return out, eventually(ctx, "review", func() (bool, error) {
		err := w.as(login).Post(ctx, path, r, out)
		var refused *restclient.Error
		if errors.As(err, &refused) && (refused.Reason == "NOT_FOUND" || refused.Reason == "REVIEW_NOT_DUE") {
			return false, err
		}
		return true, err
	})
}

// late is a case that nobody takes in hand, until the law's limit has passed.
func (w *Walk) late(ctx context.Context) error {
	w.title("第二件：%s 申领失业保险金，部门拖延", w.opt.Citizen.Name)
	it, err := w.find(ctx, "syj", "失业保险金申领")
	if err != nil {
		return err
	}
	c, err := w.file(ctx, w.opt.Citizen, it, "")
	if err != nil {
		return err
	}
	w.later(1, 9, 15)
	if err := w.act(ctx, "social-window-1", "accept", c, &caseworkv1.AcceptCaseRequest{}); err != nil {
		return err
	}
	w.say("POST …:file → …:accept", "办件 %s 已受理，承诺 %s，法定 %s，然后没有人办理……", number(c), c.GetPromisedDueDate(), c.GetStatutoryDueDate())
	for _, level := range []supervisionv1.CardLevel{
		supervisionv1.CardLevel_CARD_LEVEL_WARNING, supervisionv1.CardLevel_CARD_LEVEL_YELLOW, supervisionv1.CardLevel_CARD_LEVEL_RED,
	} {
		if err := w.waitForCard(ctx, c, level); err != nil {
			return err
		}
	}
	if err := w.explain(ctx, c); err != nil {
		return err
	}
	return w.belated(ctx, c)
}

// waitForCard lets working days pass until a card of the level stands.
func (w *Walk) waitForCard(ctx context.Context, c *caseworkv1.Case, level supervisionv1.CardLevel) error {
	for range 40 {
		cards := &supervisionv1.ListCardsResponse{}
		path := "/v1/halls/" + w.opt.City + "/cards?subject=" + escape(c.GetName()) + "&level=" + level.String()
		if err := w.settled(ctx); err != nil {
			return err
		}
		if err := w.as("hall-supervisor-1").Get(ctx, path, cards); err != nil {
			return err
		}
		for _, card := range cards.GetCards() {
			if card.GetLevel() == level {
				w.say("GET /v1/halls/"+w.opt.City+"/cards", "%s：%s\n规则 %s（%s），成立时刻 %s", levelTitle(level), card.GetGround(), card.GetRule(), card.GetRuleVersion(),
					card.GetAsOf().AsTime().In(workday.Zone).Format(time.DateTime))
				return nil
			}
		}
		w.later(1, 9, 0)
	}
	return fmt.Errorf("no %s came for %s", level, c.GetName())
}

// settled waits until supervision has judged up to the hall's present.
func (w *Walk) settled(ctx context.Context) error {
	now := w.opt.Clock.Now()
	return eventually(ctx, "freshness", func() (bool, error) {
		sources := &hubv1.ListSourcesResponse{}
		if err := w.as("").Get(ctx, "/v1/sources", sources); err != nil {
			return false, err
		}
		for _, s := range sources.GetSources() {
			if s.GetFeed() == "supervision" && !s.GetCompleteUntil().AsTime().Before(now.Add(-time.Second)) {
				return true, nil
			}
		}
		return false, errors.New("the hub has not heard of now")
	})
}

func levelTitle(l supervisionv1.CardLevel) string {
	return map[supervisionv1.CardLevel]string{
		supervisionv1.CardLevel_CARD_LEVEL_WARNING: "预警", supervisionv1.CardLevel_CARD_LEVEL_YELLOW: "黄牌", supervisionv1.CardLevel_CARD_LEVEL_RED: "红牌",
	}[l]
}

// explain shows how the due date came about.
func (w *Walk) explain(ctx context.Context, c *caseworkv1.Case) error {
	why := &supervisionv1.ExplainDueResponse{}
	if err := w.as(w.opt.Citizen.Login).Get(ctx, "/v1/"+c.GetName()+"/clock:explain", why); err != nil {
		return err
	}
	var days []string
	for i, d := range why.GetDays() {
		if i < 7 {
			days = append(days, fmt.Sprintf("%s %s", d.GetDate(), d.GetReason()))
		}
	}
	w.say("GET …/clock:explain", "申请人看到期限怎样算出：自 %s（%s）起\n%s\n……依据：%s", why.GetStartDate(), why.GetStartReason(), strings.Join(days, "\n"), why.GetBasis())
	return nil
}

// belated decides at last; the applicant says what it thinks.
func (w *Walk) belated(ctx context.Context, c *caseworkv1.Case) error {
	w.later(1, 10, 0)
	for _, s := range []struct {
		login, verb string
		req         proto.Message
	}{
		{"social-officer-1", "undertake", &caseworkv1.UndertakeCaseRequest{}},
		{"social-officer-2", "examine", &caseworkv1.ExamineCaseRequest{}},
		{"social-head-1", "approve", &caseworkv1.ApproveCaseRequest{}},
		{"social-head-1", "decide", &caseworkv1.DecideCaseRequest{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED}},
		{"social-officer-1", "finish", &caseworkv1.FinishCaseRequest{Result: caseworkv1.FinishResult_FINISH_RESULT_FINISHED, Online: true}},
	} {
		if err := w.act(ctx, s.login, s.verb, c, s.req); err != nil {
			return err
		}
	}
	review, err := w.review(ctx, w.opt.Citizen.Login, &reviewv1.Review{
		Case: c.GetName(), Moment: reviewv1.ReviewMoment_REVIEW_MOMENT_FINISHED, Stars: 2, Text: "等得太久",
	})
	if err != nil {
		return err
	}
	w.say("POST …:undertake … :finish, …/reviews", "督促后办结（超期），申请人评价 %d 星：%s", review.GetStars(), review.GetText())
	return nil
}

// province shows what the hub makes of it.
func (w *Walk) province(ctx context.Context) error {
	w.title("省主厅：数字")
	end := workday.DateOf(w.opt.Clock.Now())
	span := fmt.Sprintf("startDate=%s&endDate=%s", end-100, end)
	rates := &hubv1.GetRatesResponse{}
	if err := eventually(ctx, "figures", func() (bool, error) {
		if err := w.as("").Get(ctx, "/v1/rates?hall=halls/440000&includeBelow=true&"+span, rates); err != nil {
			return false, err
		}
		for _, r := range rates.GetRates() {
			if r.GetMetric() == "satisfaction" {
				if r.GetDenominator() == 2 {
					return true, nil
				}
				return false, fmt.Errorf("%d reviews counted", r.GetDenominator())
			}
		}
		return false, errors.New("no satisfaction")
	}); err != nil {
		return err
	}
	var lines []string
	for _, r := range rates.GetRates() {
		value := "—"
		if r.Value != nil {
			value = fmt.Sprintf("%.2f %%", r.GetValue())
		}
		lines = append(lines, fmt.Sprintf("%s %s（%d/%d，公式 %s）", r.GetDisplayName(), value, r.GetNumerator(), r.GetDenominator(), r.GetFormulaVersion()))
	}
	w.say("GET /v1/rates?hall=halls/440000", "全省：\n%s", strings.Join(lines, "\n"))
	ranking := &hubv1.RankHallsResponse{}
	if err := w.as("").Get(ctx, "/v1/rankings?metric=finish_rate&level=RANK_LEVEL_CITY&"+span, ranking); err != nil {
		return err
	}
	if halls := ranking.GetRankedHalls(); len(halls) > 0 {
		w.say("GET /v1/rankings?metric=finish_rate", "办结率第 %d 名：%s %.2f %%（共 %d 个市）", halls[0].GetRank(), halls[0].GetDisplayName(), halls[0].GetRate().GetValue(), len(halls))
	}
	return nil
}

// stateOf is a case's state in Chinese.
func stateOf(c *caseworkv1.Case) string {
	return map[caseworkv1.CaseState]string{
		caseworkv1.CaseState_CASE_STATE_SUBMITTED: "已申办", caseworkv1.CaseState_CASE_STATE_SUPPLEMENTING: "补正中",
		caseworkv1.CaseState_CASE_STATE_ACCEPTED: "已受理", caseworkv1.CaseState_CASE_STATE_FINISHED: "已办结", caseworkv1.CaseState_CASE_STATE_COLLECTED: "已领取",
	}[c.GetState()]
}
