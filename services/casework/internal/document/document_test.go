package document

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/workday"
)

var update = flag.Bool("update", false, "write the golden texts anew instead of comparing them")

func at(day, hour int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 3, day, hour, 5, 0, 0, workday.Zone))
}

// full is a case that everything has happened to, which no real one has.
func full(change func(*caseworkv1.Case)) *caseworkv1.Case {
	c := &caseworkv1.Case{
		Name: "halls/441300/cases/441300260302000000017", ItemTitle: "食品经营许可", Subject: "新开小餐馆", Department: "halls/441300/departments/D1",
		State: caseworkv1.CaseState_CASE_STATE_COLLECTED, Applicant: &caseworkv1.Applicant{DisplayName: "惠州测试餐饮有限公司"},
		SubmitTime: at(2, 10), AcceptTime: at(3, 9), AcceptanceDueDate: "2026-03-09", PromisedLimit: 10, StatutoryLimit: 20,
		PromisedDueDate: "2026-03-17",
		Materials: []*caseworkv1.CaseMaterial{
			{MaterialId: "m1", DisplayName: "申请书", Sha256: strings.Repeat("ab", 32)}, {MaterialId: "m2", Paper: true, Copies: 2}, {MaterialId: "m3", Promised: true},
		},
		Supplements: []*caseworkv1.Supplement{
			{Serial: 1, Reason: "平面图没有标明后厨面积", MaterialIds: []string{"m2", "m9"}, FormFields: []string{"面积"}, LimitDays: 5, DueDate: "2026-03-10", NoticeTime: at(3, 10)},
			{Serial: 2, Reason: "健康证已经过期", MaterialIds: []string{"m3"}, LimitDays: 15, DueDate: "2026-03-27", NoticeTime: at(6, 10), AfterAcceptance: true},
		},
		SpecialProcedures: []*caseworkv1.SpecialProcedure{
			{Serial: 1, Kind: caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXCLUDED, DisplayName: "专家评审", Ground: "依规定须经专家评审", Limit: 5, StartTime: at(9, 9), EndTime: at(12, 9), Result: "评审通过"},
			{Serial: 2, Kind: caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXCLUDED, DisplayName: "听证", Ground: "利害关系人申请听证", StartTime: at(13, 9)},
			{Serial: 3, Kind: caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXTENSION, DisplayName: "延长审批", Ground: "案情复杂，二十日内不能作出决定", Limit: 10, StartTime: at(16, 9)},
		},
		Decision: &caseworkv1.Decision{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED, DecideTime: at(20, 15)},
		Finish:   &caseworkv1.Finish{CertificateName: "食品经营许可证", CertificateNo: "JY24413000000017", FinishTime: at(20, 16)},
		Collection: &caseworkv1.Collection{
			Collector: "李测试", Way: caseworkv1.Channel_CHANNEL_WINDOW, CollectTime: at(23, 9),
		},
		Revocation: &caseworkv1.Revocation{Reason: "以欺骗手段取得许可，事实清楚", Remedies: "可在六十日内申请行政复议，或在六个月内提起行政诉讼。", RevokeTime: at(30, 9)},
	}
	if change != nil {
		change(c)
	}
	return c
}

const (
	kindReceipt    = caseworkv1.DocumentKind_DOCUMENT_KIND_RECEIPT
	kindAcceptance = caseworkv1.DocumentKind_DOCUMENT_KIND_ACCEPTANCE
	kindSupplement = caseworkv1.DocumentKind_DOCUMENT_KIND_SUPPLEMENT
	kindRefusal    = caseworkv1.DocumentKind_DOCUMENT_KIND_REFUSAL
	kindDecision   = caseworkv1.DocumentKind_DOCUMENT_KIND_DECISION
	kindDenial     = caseworkv1.DocumentKind_DOCUMENT_KIND_DENIAL
	kindSpecial    = caseworkv1.DocumentKind_DOCUMENT_KIND_SPECIAL
	kindDelivery   = caseworkv1.DocumentKind_DOCUMENT_KIND_DELIVERY
	kindFee        = caseworkv1.DocumentKind_DOCUMENT_KIND_FEE
	kindRevocation = caseworkv1.DocumentKind_DOCUMENT_KIND_REVOCATION
)

func ended(state caseworkv1.CaseState, reason string) func(*caseworkv1.Case) {
	return func(c *caseworkv1.Case) { c.State, c.EndTime, c.EndReason = state, at(4, 9), reason }
}

func charged(c *caseworkv1.Case) {
	c.Charges = []*caseworkv1.Charge{
		{Serial: 1, DisplayName: "证照工本费", AmountFen: 1005, Basis: "粤价〔2014〕1号", State: caseworkv1.ChargeState_CHARGE_STATE_DUE, ChargeTime: at(4, 9)},
		{Serial: 2, DisplayName: "检验费", AmountFen: 120000, Basis: "粤价〔2014〕2号", State: caseworkv1.ChargeState_CHARGE_STATE_PAID, ChargeTime: at(4, 9), PaymentTime: at(5, 9), ReceiptNo: "GD0017"},
		{Serial: 3, DisplayName: "工本费", AmountFen: 100, State: caseworkv1.ChargeState_CHARGE_STATE_WAIVED, ChargeTime: at(4, 9)},
	}
}

func TestGoldenTexts(t *testing.T) {
	for name, tc := range map[string]struct {
		kind   caseworkv1.DocumentKind
		serial int
		change func(*caseworkv1.Case)
	}{
		"receipt":           {kindReceipt, 0, nil},
		"acceptance":        {kindAcceptance, 0, nil},
		"acceptance_deemed": {kindAcceptance, 0, func(c *caseworkv1.Case) { c.AcceptTime, c.DeemedAcceptTime = at(2, 10), at(10, 0) }},
		"supplement_first":  {kindSupplement, 1, nil},
		"supplement_last":   {kindSupplement, 0, nil},
		"refusal":           {kindRefusal, 0, ended(caseworkv1.CaseState_CASE_STATE_REFUSED, "本机关没有这项职权\n有权受理机关：惠州市公安局")},
		"not_accepted":      {kindRefusal, 0, ended(caseworkv1.CaseState_CASE_STATE_NOT_ACCEPTED, "该活动依法不需要取得许可")},
		"decision":          {kindDecision, 0, nil},
		"denial": {kindDenial, 0, func(c *caseworkv1.Case) {
			c.Decision.Result, c.Decision.Reason = caseworkv1.DecisionResult_DECISION_RESULT_DENIED, "经营场所不符合食品安全要求"
			c.Decision.Remedies = "可在六十日内向惠州市人民政府申请行政复议，或在六个月内提起行政诉讼。"
		}},
		"acceptance_gaps": {kindAcceptance, 0, func(c *caseworkv1.Case) {
			c.Gaps = []*caseworkv1.MaterialGap{{MaterialId: "m3", DueDate: "2026-03-20"}}
			c.Materials[1].Promise = &caseworkv1.MaterialPromise{Statement: "本人承诺经营场所符合规定，如有不实愿承担责任", Paper: true}
		}},
		"decision_gaps": {kindDecision, 0, func(c *caseworkv1.Case) { c.GrantedWithGaps = true }},
		"fee":           {kindFee, 1, charged},
		"fee_paid":      {kindFee, 2, charged},
		"special":       {kindSpecial, 1, nil},
		"special_open":  {kindSpecial, 2, nil},
		"extension":     {kindSpecial, 0, nil},
		"delivery":      {kindDelivery, 0, nil},
		"revocation":    {kindRevocation, 0, nil},
		"natural_days":  {kindAcceptance, 0, func(c *caseworkv1.Case) { c.LimitUnit = caseworkv1.TimeUnit_TIME_UNIT_NATURAL_DAY }},
		"without_words": {kindDecision, 0, func(c *caseworkv1.Case) { c.Subject, c.Finish = "", nil }},
	} {
		t.Run(name, func(t *testing.T) {
			c := full(tc.change)
			before := proto.CloneOf(c)
			got, err := Write(c, Request{Kind: tc.kind, Serial: tc.serial, Titles: map[string]string{"m2": "平面图", "m3": "健康证"}})
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(before, c) {
				t.Error("the case given was changed")
			}
			if got.GetTitle() == "" || got.GetIssueTime() == nil || len(got.GetLegalBasis()) == 0 || len(got.GetFields()) < 3 || got.GetDepartment() == "" {
				t.Errorf("incomplete: %v", got)
			}
			for _, want := range append([]string{got.GetTitle(), got.GetDocumentNo(), got.GetAddressee(), got.GetRemedies()}, got.GetLegalBasis()...) {
				if !strings.Contains(got.GetText(), want) {
					t.Errorf("the text lacks %q", want)
				}
			}
			path := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got.GetText()), 0o644); err != nil { //nolint:gosec // a text for everybody
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.GetText()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRemediesAreTold holds what takes something from a person to telling how to contest it.
func TestRemediesAreTold(t *testing.T) {
	for _, tc := range []struct {
		kind   caseworkv1.DocumentKind
		change func(*caseworkv1.Case)
		want   bool
	}{
		{kindReceipt, nil, false}, {kindDecision, nil, false}, {kindRevocation, nil, true},
		{kindRefusal, ended(caseworkv1.CaseState_CASE_STATE_REFUSED, "没有职权"), true},
		{kindRefusal, ended(caseworkv1.CaseState_CASE_STATE_NOT_ACCEPTED, "不需许可"), true},
	} {
		got, err := Write(full(tc.change), Request{Kind: tc.kind})
		if err != nil || (got.GetRemedies() != "") != tc.want {
			t.Errorf("%s: remedies %q, %v", tc.kind, got.GetRemedies(), err)
		}
	}
}

func TestNotDue(t *testing.T) {
	bare := &caseworkv1.Case{Name: "halls/441300/cases/441300260302000000017", State: caseworkv1.CaseState_CASE_STATE_SUBMITTED, SubmitTime: at(2, 10)}
	for kind := range forms {
		if kind == kindReceipt {
			continue
		}
		if _, err := Write(bare, Request{Kind: kind}); !errors.Is(err, ErrNotDue) {
			t.Errorf("%s of a case just filed: %v", kind, err)
		}
	}
	for name, tc := range map[string]struct {
		r      Request
		change func(*caseworkv1.Case)
	}{
		"third supplement of two":    {Request{Kind: kindSupplement, Serial: 3}, nil},
		"denial of what was granted": {Request{Kind: kindDenial}, nil},
		"a fee that was waived":      {Request{Kind: kindFee, Serial: 3}, charged},
		"no kind":                    {Request{}, nil},
		"receipt of a draft":         {Request{Kind: kindReceipt}, func(c *caseworkv1.Case) { c.SubmitTime = nil }},
		"receipt of what was voided": {Request{Kind: kindReceipt}, func(c *caseworkv1.Case) { c.State = caseworkv1.CaseState_CASE_STATE_VOIDED }},
	} {
		if _, err := Write(full(tc.change), tc.r); !errors.Is(err, ErrNotDue) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWorkedExample writes the document that docs/documents.md shows.
func TestWorkedExample(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/documents.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```text\n")
	want, _, ok := strings.Cut(rest, "```")
	got, err := Write(full(nil), Request{Kind: kindAcceptance})
	if err != nil || !ok {
		t.Fatal(err, ok)
	}
	if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(got.GetText())); diff != "" {
		t.Errorf("the page shows another document (-page +written):\n%s", diff)
	}
}
