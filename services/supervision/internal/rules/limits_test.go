package rules

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/platform/workday"
)

// Consultations, complaints, messages, tickets and licenses by every preset: all begin on
// Monday 15 October 2018, and nobody does anything for three weeks.
func TestOtherLimits(t *testing.T) {
	until := at("2018-11-05 00:00:00")
	clocked := func(kind string, change func(k *Clocked)) *Facts {
		k := &Clocked{Kind: kind, Limit: 5, Opened: at("2018-10-15 10:00:00")}
		if change != nil {
			change(k)
		}
		return &Facts{Division: "441300", Clocked: k}
	}
	licensed := func(change func(f *Facts)) *Facts {
		f := accepted(func(f *Facts) {
			f.Promised, f.Statutory, f.ELicense, f.Collected = 0, 0, true, at("2018-10-15 11:00:00")
			f.Decision = &Decision{Granted: true, Time: at("2018-10-15 10:30:00")}
			f.Finish = &Finish{Issued: true, Time: at("2018-10-15 10:40:00")}
		})
		if change != nil {
			change(f)
		}
		return f
	}
	for name, tc := range map[string]struct {
		preset string
		facts  *Facts
		want   []string
	}{
		"consult hunan":    {"hunan2018", clocked(ClockConsult, nil), []string{"T9_CONSULT_OVERDUE.warning.1@10-18 00:00", "T9_CONSULT_OVERDUE.yellow.1@10-23 00:00", "T9_CONSULT_OVERDUE.red.1@10-24 00:00"}},
		"complaint hunan":  {"hunan2018", clocked(ClockComplaint, nil), []string{"T10_COMPLAINT_OVERDUE.warning.1@10-18 00:00", "T10_COMPLAINT_OVERDUE.yellow.1@10-23 00:00", "T10_COMPLAINT_OVERDUE.red.1@10-24 00:00"}},
		"message hunan":    {"hunan2018", clocked(ClockMessage, nil), []string{"T12_MESSAGE_OVERDUE.warning.1@10-18 00:00", "T12_MESSAGE_OVERDUE.yellow.1@10-23 00:00", "T12_MESSAGE_OVERDUE.red.1@10-24 00:00"}},
		"ticket hunan":     {"hunan2018", clocked(ClockTicket, nil), []string{"R1_BAD_REVIEW.yellow.1@10-23 00:00", "R1_BAD_REVIEW.red.1@10-30 00:00"}},
		"license hunan":    {"hunan2018", licensed(nil), []string{"T11_LICENSE_OVERDUE.yellow.1@10-19 00:00"}},
		"consult dongguan": {"gd_dongguan2006", clocked(ClockConsult, nil), []string{"T9_CONSULT_OVERDUE.warning.1@10-19 00:00", "T9_CONSULT_OVERDUE.yellow.1@10-23 00:00", "T9_CONSULT_OVERDUE.red.1@10-26 00:00"}},
		"license dongguan": {"gd_dongguan2006", licensed(nil), []string{"T11_LICENSE_OVERDUE.yellow.1@10-19 00:00", "T11_LICENSE_OVERDUE.red.1@10-24 00:00"}},
		"consult chengdu":  {"chengdu2010", clocked(ClockConsult, nil), []string{"T9_CONSULT_OVERDUE.yellow.1@10-19 00:00", "T9_CONSULT_OVERDUE.red.1@10-23 00:00"}},
		"license chengdu":  {"chengdu2010", licensed(nil), []string{"T11_LICENSE_OVERDUE.yellow.1@10-17 00:00", "T11_LICENSE_OVERDUE.red.1@10-19 00:00"}},
		"consult ratio":    {"ratio", clocked(ClockConsult, nil), []string{"T9_CONSULT_OVERDUE.yellow.1@10-18 00:00", "T9_CONSULT_OVERDUE.red.1@10-19 00:00"}},
		"license ratio":    {"ratio", licensed(nil), []string{"T11_LICENSE_OVERDUE.yellow.1@10-17 00:00", "T11_LICENSE_OVERDUE.red.1@10-18 00:00"}},

		"answered in time":           {"hunan2018", clocked(ClockConsult, func(k *Clocked) { k.Closed = at("2018-10-17 10:00:00") }), []string{}},
		"answered on the last day":   {"hunan2018", clocked(ClockConsult, func(k *Clocked) { k.Closed = at("2018-10-22 23:59:00") }), []string{"T9_CONSULT_OVERDUE.warning.1@10-18 00:00"}},
		"called off after the limit": {"hunan2018", clocked(ClockConsult, func(k *Clocked) { k.Voided = at("2018-10-23 12:00:00") }), []string{"T9_CONSULT_OVERDUE.warning.1@10-18 00:00", "T9_CONSULT_OVERDUE.yellow.1@10-23 00:00"}},
		"natural days":               {"hunan2018", clocked(ClockComplaint, func(k *Clocked) { k.Unit = workday.NaturalDays; k.Limit = 7 }), []string{"T10_COMPLAINT_OVERDUE.warning.1@10-20 00:00", "T10_COMPLAINT_OVERDUE.yellow.1@10-23 00:00", "T10_COMPLAINT_OVERDUE.red.1@10-24 00:00"}},
		"without a limit":            {"hunan2018", clocked(ClockConsult, func(k *Clocked) { k.Limit = 0 }), []string{}},
		"of a kind nobody knows":     {"hunan2018", clocked("lottery", nil), []string{}},
		"not begun":                  {"hunan2018", clocked(ClockConsult, func(k *Clocked) { k.Opened = time.Time{} }), []string{}},
		"licensed in time":           {"hunan2018", licensed(func(f *Facts) { f.Licensed = at("2018-10-18 10:00:00") }), []string{}},
		"licensed a day late":        {"hunan2018", licensed(func(f *Facts) { f.Licensed = at("2018-10-19 10:00:00") }), []string{"T11_LICENSE_OVERDUE.yellow.1@10-19 00:00"}},
		"no license promised":        {"hunan2018", licensed(func(f *Facts) { f.ELicense = false }), []string{}},
		"finished without a paper":   {"hunan2018", licensed(func(f *Facts) { f.Finish.Issued = false }), []string{}},
		"voided before":              {"hunan2018", licensed(func(f *Facts) { f.End, f.Ended = EndVoided, at("2018-10-17 10:00:00") }), []string{}},
	} {
		if diff := cmp.Diff(tc.want, raised(policy(t, tc.preset), tc.facts, until)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// Every rule of the catalogue of rules is there in the general scheme.
func TestCatalogIsWhole(t *testing.T) {
	there := map[string]bool{}
	for _, r := range policy(t, DefaultPreset).Catalog() {
		there[r.ID] = true
		if r.Name == "" || r.Description == "" || r.Source == "" || r.Level == None {
			t.Errorf("%+v", r)
		}
	}
	for _, id := range []string{T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, "P1_STEP_SKIPPED", "P2_SAME_PERSON", "P3_ORDER_BROKEN", "P4_LATE_ENTRY",
		"P5_OFF_HOURS", "P6_TOO_FAST", "P7_REPEATED_SUPPLEMENT", P8, "P9_EXTENSION_INVALID", "P10_NO_REASON", P11, "P12_MISSING_MATERIAL", "P13_EXTRA_MATERIAL",
		R1, "H1_DATA_LATE", "H2_DATA_GAP", S1} {
		if !there[id] {
			t.Errorf("%s is not in the catalogue", id)
		}
	}
	for _, name := range Presets() {
		p := preset(t, name)
		for _, kind := range []string{ClockCase, ClockAcceptance, ClockPreAccept, ClockSpecial, ClockDelivery, ClockConsult, ClockComplaint, ClockMessage, ClockTicket,
			ClockLicense, ClockStep, ClockForward, ClockPause, ClockReview} {
			if len(p.Thresholds[kind]) == 0 {
				t.Errorf("%s has no thresholds for %s", name, kind)
			}
		}
	}
}
