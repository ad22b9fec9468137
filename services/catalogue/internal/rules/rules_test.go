package rules

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// good is an item without any finding.
func good() *Item {
	return &Item{
		Code: "11440100007482575H3440118009000", BaseCode: "440118009000", Title: "户外广告设置许可", Type: "01", Level: City,
		Statutory: 20, Promised: 5, ServiceObjects: []int32{1, 2}, PersonThemes: []string{"030"}, LegalThemes: []string{"010"},
		Materials: []Material{{"申请表"}}, StepKinds: []string{"accept", "examine", "approve", "finish", "deliver"},
		Charged: true, OnlinePayment: true, Fees: []Fee{{"工本费", "10元/证", "粤价〔2014〕1号"}},
		HandlingForms: []int32{1, 2}, OnlineDepth: []int32{2, 4, 5, 6}, DepthLevel: 4,
		ConsultPhone: "020-12345", ComplaintPhone: "020-12388",
		Results:   []Result{{"户外广告设置许可证", "certificate", "样本"}},
		Faqs:      1,
		Effective: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

var around = Around{USCC: "11440100007482575H", DirectoryType: "01"}

func TestCheck(t *testing.T) {
	type found struct {
		Rule, Field string
		Severity    Severity
	}
	cases := []struct {
		name   string
		change func(*Item, *Around)
		want   []found
	}{
		{"good", func(*Item, *Around) {}, nil},
		{"instant and 0", func(i *Item, _ *Around) { i.Instant, i.Promised = true, 0 }, nil},
		{"Q1 0 but promised", func(i *Item, _ *Around) { i.Promised = 0 }, []found{{"Q1", "case_type", Error}}},
		{"Q1 instant but 5", func(i *Item, _ *Around) { i.Instant = true }, []found{{"Q1", "case_type", Error}}},
		{"Q2 longer than the law", func(i *Item, _ *Around) { i.Promised = 21 }, []found{{"Q2", "promised_limit", Error}}},
		{"Q2 as long as the law", func(i *Item, _ *Around) { i.Promised = 20 }, nil},
		{"Q2 units", func(i *Item, _ *Around) { i.PromisedUnit = NaturalDay }, []found{{"Q2", "promised_unit", Error}}},
		{"Q2 unset unit is working days", func(i *Item, _ *Around) { i.PromisedUnit = WorkingDay }, nil},
		{"Q3 no reason", func(i *Item, _ *Around) { i.Visits, i.DepthLevel = 1, 3 }, []found{{"Q3", "visit_reason", Error}}},
		{"Q3 reason", func(i *Item, _ *Around) { i.Visits, i.DepthLevel, i.VisitReason = 1, 3, "核对原件" }, nil},
		{"Q3 reason without visit", func(i *Item, _ *Around) { i.VisitReason = "核对原件" }, []found{{"Q3", "visit_reason", Error}}},
		{"Q4 window only", func(i *Item, _ *Around) { i.HandlingForms = []int32{1} }, []found{{"Q4", "handling_forms", Error}}},
		{"Q4 courier", func(i *Item, _ *Around) { i.HandlingForms = []int32{1, 4} }, nil},
		{"Q4 mobile", func(i *Item, _ *Around) { i.HandlingForms = []int32{3} }, nil},
		{"Q5", func(i *Item, _ *Around) { i.Visits, i.VisitReason = 1, "核对原件" }, []found{{"Q5", "visits", Error}}},
		{"Q6 free", func(i *Item, _ *Around) { i.Charged, i.OnlinePayment, i.Fees = false, false, nil }, nil},
		{"Q6 free with payment", func(i *Item, _ *Around) { i.Charged, i.Fees = false, nil }, []found{{"Q6", "online_payment", Error}}},
		{"Q6 free with fee", func(i *Item, _ *Around) { i.Charged, i.OnlinePayment = false, false }, []found{{"Q6", "fees", Error}}},
		{"Q6 no fee", func(i *Item, _ *Around) { i.Fees = nil }, []found{{"Q6", "fees", Error}}},
		{"Q6 no basis", func(i *Item, _ *Around) { i.Fees = []Fee{{"费", "1元", ""}} }, []found{{"Q6", "fees[0].basis", Error}}},
		{"Q6 no name", func(i *Item, _ *Around) { i.Fees = []Fee{{"", "1元", "文"}} }, []found{{"Q6", "fees[0].display_name", Error}}},
		{"Q6 no standard", func(i *Item, _ *Around) { i.Fees = []Fee{{"费", "", "文"}} }, []found{{"Q6", "fees[0].standard", Error}}},
		{"Q7 for nobody", func(i *Item, _ *Around) { i.ServiceObjects, i.PersonThemes, i.LegalThemes = nil, nil, nil }, []found{{"Q7", "service_objects", Error}}},
		{"Q7 person without theme", func(i *Item, _ *Around) { i.PersonThemes = nil }, []found{{"Q7", "person_themes", Error}}},
		{"Q7 legal without theme", func(i *Item, _ *Around) { i.LegalThemes = nil }, []found{{"Q7", "legal_themes", Error}}},
		{"Q7 person theme only for legal", func(i *Item, _ *Around) { i.ServiceObjects = []int32{2} }, []found{{"Q7", "person_themes", Error}}},
		{"Q7 legal theme only for person", func(i *Item, _ *Around) { i.ServiceObjects = []int32{1} }, []found{{"Q7", "legal_themes", Error}}},
		{"Q8 no area code", func(i *Item, _ *Around) { i.ConsultPhone = "12345" }, []found{{"Q8", "consult_phone", Warning}}},
		{"Q8 same, written twice", func(i *Item, _ *Around) { i.ComplaintPhone = "(020)12345" }, []found{{"Q8", "complaint_phone", Warning}}},
		{"Q8 none", func(i *Item, _ *Around) { i.ComplaintPhone = "" }, []found{{"Q8", "complaint_phone", Warning}}},
		{"Q9 no question", func(i *Item, _ *Around) { i.Faqs = 0 }, []found{{"Q9", "faqs", Warning}}},
		{"Q9 no delivery", func(i *Item, _ *Around) { i.StepKinds = i.StepKinds[:4] }, []found{{"Q9", "steps", Warning}}},
		{"Q9 other types need neither", func(i *Item, a *Around) {
			i.Type, a.DirectoryType, i.Code, i.BaseCode = "20", "20", "11440100007482575H3442018009000", "442018009000"
			i.Faqs, i.StepKinds = 0, nil
		}, nil},
		{"Q10 no sample", func(i *Item, _ *Around) { i.Results[0].Sample = "" }, []found{{"Q10", "results[0].sample", Warning}}},
		{"Q10 type", func(i *Item, _ *Around) { i.Results[0].Type = "document" }, []found{{"Q10", "results[0].type", Warning}}},
		{"Q10 approval", func(i *Item, _ *Around) { i.Results[0] = Result{"关于设置的批复", "approval", "样本"} }, nil},
		{"Q11 check character", func(i *Item, _ *Around) { i.Code = "11440300MB2D2694XL4442111826000" }, []found{{"Q11", "name", Error}}},
		{"Q11 other body", func(_ *Item, a *Around) { a.USCC = "11440000MB2D0164XH" }, []found{{"Q11", "name", Error}}},
		{"Q11 level", func(i *Item, _ *Around) { i.Level = 5 }, []found{{"Q11", "level", Error}}},
		{"Q11 level beside the division", func(i *Item, _ *Around) { i.Code, i.Level = "11440100007482575H4440118009000", County }, []found{{"Q11", "level", Warning}}},
		{"Q11 base code", func(i *Item, _ *Around) { i.BaseCode = "440118009001" }, []found{{"Q11", "directory_entry", Error}}},
		{"Q11 split", func(i *Item, _ *Around) {
			i.Code, i.BaseCode = "11440100007482575H344011800900Y", "44011800900Y"
		}, []found{{"Q11", "directory_entry", Error}}},
		{"Q11 type of the directory", func(_ *Item, a *Around) { a.DirectoryType = "10" }, []found{{"Q11", "item_type", Error}}},
		{"Q11 type of the code", func(i *Item, a *Around) { i.Type, a.DirectoryType = "10", "" }, []found{{"Q11", "item_type", Error}}},
		{"Q11 unknown type", func(i *Item, a *Around) {
			i.Type, a.DirectoryType, i.Code, i.BaseCode = "31", "", "11440100007482575H3443118009000", "443118009000"
		}, []found{{"Q11", "item_type", Error}}},
		{"non-license after its end", func(i *Item, _ *Around) { i.Type = TypeNonLicense }, []found{{"Q11", "item_type", Error}}},
		{"non-license before its end", func(i *Item, _ *Around) {
			i.Type, i.Effective = TypeNonLicense, NonLicenseEnd.Add(-time.Second)
		}, nil},
		{"Q12 title", func(_ *Item, a *Around) { a.TitleTaken = true }, []found{{"Q12", "title", Warning}}},
		{"Q12 catch-all", func(i *Item, _ *Around) { i.Materials = append(i.Materials, Material{"法律规定的其他材料"}) }, []found{{"Q12", "materials[1].display_name", Warning}}},
		{"Q12 empty", func(i *Item, _ *Around) { i.Materials[0].Name = " " }, []found{{"Q12", "materials[0].display_name", Warning}}},
		{"Q14 a flow", func(i *Item, _ *Around) { i.Flow = flow(nil) }, nil},
		{"Q14 on the spot", func(i *Item, _ *Around) { i.Instant, i.Promised, i.Flow = true, 0, flow(nil) }, []found{{"Q14", "steps[1]", Error}}},
		{"Q14 an id twice", func(i *Item, _ *Around) { i.Flow = flow(func(f []FlowStep) { f[1].ID = "undertake" }) }, []found{{"Q14", "steps[2].id", Error}, {"Q14", "steps[3].four_eyes", Error}}},
		{"Q14 another hall's department", func(i *Item, _ *Around) { i.Flow = flow(func(f []FlowStep) { f[1].ForeignHall = true }) }, []found{{"Q14", "steps[2].department", Error}}},
		{"Q14 four eyes on a later step", func(i *Item, _ *Around) { i.Flow = flow(func(f []FlowStep) { f[1].FourEyes = []string{"approve"} }) }, []found{{"Q14", "steps[2].four_eyes", Error}}},
		{"Q14 four eyes on itself", func(i *Item, _ *Around) { i.Flow = flow(func(f []FlowStep) { f[1].FourEyes = []string{"survey"} }) }, []found{{"Q14", "steps[2].four_eyes", Error}}},
		{"Q14 no approval", func(i *Item, _ *Around) { i.Flow = flow(func(f []FlowStep) { f[2].Kind = "examine" }) }, []found{{"Q14", "steps[3].kind", Error}}},
		{"Q14 approved in the middle", func(i *Item, _ *Around) { i.Flow = flow(func(f []FlowStep) { f[1].Kind = "approve" }) }, []found{{"Q14", "steps[2].kind", Error}}},
		{"Q14 an optional approval", func(i *Item, _ *Around) { i.Flow = flow(func(f []FlowStep) { f[2].Optional = true }) }, []found{{"Q14", "steps[3]", Error}}},
		{"Q14 acceptance is no step of it", func(i *Item, _ *Around) { i.Flow = flow(func(f []FlowStep) { f[0].Kind = "accept" }) }, []found{{"Q14", "steps[1].kind", Error}}},
		{"Q14 a full flow without examination", func(i *Item, _ *Around) { i.FullFlow, i.Flow = true, flow(nil) }, []found{{"Q14", "steps[1]", Error}}},
		{"errors first", func(i *Item, _ *Around) { i.ConsultPhone, i.Code = "", "x" }, []found{{"Q11", "name", Error}, {"Q8", "consult_phone", Warning}}},
	}
	seen := map[string]bool{}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			item, near := good(), around
			c.change(item, &near)
			findings := Check(item, near)
			var got []found
			for _, f := range findings {
				got = append(got, found{f.Rule, f.Field, f.Severity})
				seen[f.Rule] = true
				if f.ZH == "" || f.EN == "" {
					t.Errorf("%s has no text", f.Rule)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			blocked := slices.ContainsFunc(c.want, func(f found) bool { return f.Severity == Error })
			if Publishable(findings) == blocked {
				t.Errorf("publishable %v", !blocked)
			}
		})
	}
	if len(seen) != 13 {
		t.Errorf("only %d of 13 rules are tried", len(seen))
	}
}

// flow is a good flow behind the acceptance, with a change.
func flow(change func([]FlowStep)) []FlowStep {
	f := []FlowStep{{At: 1, ID: "undertake", Kind: "undertake"}, {At: 2, ID: "survey", Kind: "other", Repeatable: true}, {At: 3, ID: "approve", Kind: "approve", FourEyes: []string{"survey"}}}
	if change != nil {
		change(f)
	}
	return f
}

func TestDepth(t *testing.T) {
	for _, c := range []struct {
		depth  []int32
		visits int
		want   int
	}{
		{[]int32{1, 2, 3, 4, 5, 6}, 0, 4}, {[]int32{2, 4, 5, 6}, 1, 3}, {[]int32{2, 4}, 2, 2}, {[]int32{2}, 0, 2}, {[]int32{2}, 3, 1}, {[]int32{1}, 0, 1}, {nil, 0, 1},
	} {
		if got := DepthLevel(c.depth, c.visits); got != c.want {
			t.Errorf("%v with %d visits: %d, want %d", c.depth, c.visits, got, c.want)
		}
		if FullOnline(c.depth, c.visits) != (c.want == 4) {
			t.Errorf("%v with %d visits: full online", c.depth, c.visits)
		}
	}
}
