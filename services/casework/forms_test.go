package casework

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

const (
	formItem  = hallName + "/items/11441300006940386X2440106009000"
	otherItem = hallName + "/items/11441300006940386X2440106010000"

	householdForm = `{"type":"object","additionalProperties":false,"required":["address","phone","household"],"properties":{
		"address":{"type":"string","title":"居住地址","maxLength":100,"x-prefill":"profile.address"},
		"phone":{"type":"string","title":"联系电话","format":"phone","x-prefill":"profile.phone"},
		"job":{"type":"string","title":"职业","maxLength":20,"x-prefill":"former"},
		"household":{"type":"object","title":"本户","required":["members"],"properties":{
			"members":{"type":"array","title":"成员","minItems":1,"maxItems":10,"items":{"type":"object","required":["name","birthday"],"properties":{
				"name":{"type":"string","title":"姓名","maxLength":60},"birthday":{"type":"string","title":"出生日期","format":"date"}}}}}}}}`
	shopForm = `{"type":"object","required":["boss"],"properties":{"boss":{"type":"string","title":"经营者","maxLength":60,"x-prefill":"profile.name"},
		"number":{"type":"string","title":"身份号码","format":"resident-id","x-prefill":"profile.idNumber"},
		"where":{"type":"string","title":"住所","maxLength":100,"x-prefill":"profile.address"}}}`
)

// withForms publishes two items with forms.
func (h *hall) withForms() {
	h.t.Helper()
	yesterday := h.clock.Now().Add(-24 * time.Hour)
	h.publish(item(formItem, func(i *cataloguev1.Item) { i.FormSchema = householdForm }), 1, yesterday)
	h.publish(item(otherItem, func(i *cataloguev1.Item) { i.FormSchema = shopForm }), 1, yesterday)
	h.settle()
}

func structOf(t *testing.T, values map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(values)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func goodForm(t *testing.T) *structpb.Struct {
	t.Helper()
	return structOf(t, map[string]any{"address": "测试路 1 号", "phone": "13812341234", "job": "教师", "household": map[string]any{
		"members": []any{map[string]any{"name": "艾达", "birthday": "1990-01-31"}},
	}})
}

// wrongPlaces are the fields an error blames, with their texts.
func wrongPlaces(err error) map[string]string {
	out := map[string]string{}
	for _, v := range fault.Of(err).Violations() {
		out[v.Field] = v.Reason
	}
	return out
}

func TestFormsAreChecked(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.withForms()
		ctx := as(h.t.Context(), "ada")
		req := filing(formItem)
		_, err := h.client.FileCase(ctx, req)
		h.refusedWith(err, fault.FormInvalid)
		want := map[string]string{"case.form.address": "FIELD_REQUIRED", "case.form.phone": "FIELD_REQUIRED", "case.form.household": "FIELD_REQUIRED"}
		if diff := cmp.Diff(want, wrongPlaces(err)); diff != "" {
			t.Errorf("without a form: %s", diff)
		}
		req.Case.Form = structOf(t, map[string]any{"address": 5.0, "phone": "x", "tail": "y", "household": map[string]any{
			"members": []any{map[string]any{"name": "甲", "birthday": "2000-02-30"}, map[string]any{"name": "乙", "birthday": "2000-02-29"}, map[string]any{"birthday": "2000-01-01"}},
		}})
		_, err = h.client.FileCase(ctx, req)
		want = map[string]string{"case.form.address": "FORM_INVALID", "case.form.phone": "FORM_INVALID", "case.form.*": "FORM_INVALID",
			"case.form.household.members[0].birthday": "FORM_INVALID", "case.form.household.members[2].name": "FIELD_REQUIRED"}
		if diff := cmp.Diff(want, wrongPlaces(err)); diff != "" {
			t.Errorf("a wrong form: %s", diff)
		}
		h.inBothLanguages(req)

		// A draft may have gaps, but not what is no answer.
		draft := &caseworkv1.CreateCaseRequest{Parent: hallName, Case: req.GetCase(), RequestId: newID()}
		_, err = h.client.CreateCase(ctx, draft)
		delete(want, "case.form.household.members[2].name")
		if diff := cmp.Diff(want, wrongPlaces(err)); diff != "" {
			t.Errorf("a wrong draft: %s", diff)
		}
		draft.Case.Form = structOf(t, map[string]any{"phone": "13812341234"})
		c, err := h.client.CreateCase(ctx, draft)
		if err != nil {
			t.Fatal(explain(err))
		}
		submit := &caseworkv1.SubmitCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag()}
		_, err = h.client.SubmitCase(ctx, submit)
		h.refusedWith(err, fault.FormInvalid)
		c.Form = goodForm(t)
		if c, err = h.client.UpdateCase(ctx, &caseworkv1.UpdateCaseRequest{Case: c, RequestId: newID()}); err != nil {
			t.Fatal(explain(err))
		}
		submit.Etag = c.GetEtag()
		if c, err = h.client.SubmitCase(ctx, submit); err != nil {
			t.Fatal(explain(err))
		}
		h.supplementedForm(c)
	})
}

// inBothLanguages holds what is told about a form to the language asked for.
func (h *hall) inBothLanguages(req *caseworkv1.FileCaseRequest) {
	h.t.Helper()
	for lang, text := range map[string]string{"zh-Hans": "应当是文字", "en": "must be a string"} {
		ctx := metadata.AppendToOutgoingContext(as(h.t.Context(), "ada"), "accept-language", lang)
		_, err := h.client.FileCase(ctx, req)
		found := ""
		for _, v := range fault.Of(err).Violations() {
			if v.Field == "case.form.address" {
				found = map[string]string{"zh-Hans": v.ZH, "en": v.EN}[lang]
			}
		}
		if found != text {
			h.t.Errorf("in %s: %q", lang, found)
		}
	}
}

// supplementedForm brings a form after a notice: it is checked by the case's revision.
func (h *hall) supplementedForm(c *caseworkv1.Case) {
	h.t.Helper()
	c = h.do(c, "request_supplement")
	receive := &caseworkv1.ReceiveSupplementRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Form: structOf(h.t, map[string]any{"address": "新址"})}
	_, err := h.client.ReceiveSupplement(as(h.t.Context(), "ada"), receive)
	h.refusedWith(err, fault.FormInvalid)
	if _, at := wrongPlaces(err)["form.phone"]; !at {
		h.t.Errorf("supplement: %v", wrongPlaces(err))
	}
	receive.Form = goodForm(h.t)
	if _, err = h.client.ReceiveSupplement(as(h.t.Context(), "ada"), receive); err != nil {
		h.t.Error(explain(err))
	}
}

func TestFormsOfAJointFiling(t *testing.T) {
	h := oneHall(t)
	h.withForms()
	papers := application("").GetMaterials()
	_, err := h.client.FileJointCase(as(t.Context(), "ada"), &caseworkv1.FileJointCaseRequest{
		Parent: hallName, RequestId: newID(), Applicant: application("").GetApplicant(),
		Parts: []*caseworkv1.JointPart{{Item: promisedItem, Materials: papers}, {Item: formItem, Materials: papers, Form: structOf(t, map[string]any{"phone": true})}},
	})
	if got := wrongPlaces(err); got["parts[1].form.phone"] != "FORM_INVALID" || got["parts[1].form.address"] != "FIELD_REQUIRED" {
		t.Errorf("%v: %v", explain(err), got)
	}
}

// TestUnreadableForm lets an item whose form cannot be read be applied for like one
// without: the catalogue does not publish such a form.
func TestUnreadableForm(t *testing.T) {
	h := oneHall(t)
	h.publish(item(formItem, func(i *cataloguev1.Item) { i.FormSchema = `{"type":"object"}` }), 1, h.clock.Now().Add(-time.Hour))
	h.settle()
	h.file(formItem)
	h.file(formItem)
	if n := h.service.forms.known.Len(); n != 1 {
		t.Errorf("%d forms are kept", n)
	}
}

func TestPrefillForm(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.withForms()
		ctx := as(h.t.Context(), "ada")
		prefilled := func(ctx context.Context, item string) (map[string]any, map[string]string) {
			res, err := h.own.PrefillForm(ctx, &caseworkv1.PrefillFormRequest{Item: item})
			if err != nil {
				t.Fatal(explain(err))
			}
			if res.GetItemRevision() != 1 || res.GetFormSchema() == "" {
				t.Errorf("form of revision %d", res.GetItemRevision())
			}
			sources := map[string]string{}
			for _, f := range res.GetFields() {
				sources[f.GetPath()] = f.GetSource()
			}
			return res.GetForm().AsMap(), sources
		}
		got, from := prefilled(ctx, otherItem)
		if diff := cmp.Diff(map[string]any{"boss": "ada"}, got); diff != "" || from["boss"] != "identity" {
			t.Errorf("nothing known: %s %v", diff, from)
		}
		req := filing(formItem)
		req.Case.Form = goodForm(t)
		if _, err := h.client.FileCase(ctx, req); err != nil {
			t.Fatal(explain(err))
		}
		got, from = prefilled(ctx, otherItem)
		if diff := cmp.Diff(map[string]any{"boss": "艾达", "number": adaID, "where": "测试路 1 号"}, got); diff != "" || from["where"] != "case" {
			t.Errorf("from a case of another item: %s %v", diff, from)
		}
		if got, from = prefilled(ctx, formItem); got["job"] != "教师" || from["job"] != "case" {
			t.Errorf("from a case of the same item: %v %v", got, from)
		}
		h.save("ada", &caseworkv1.Profile{Phone: "13900000000", Address: "新路 2 号"})
		if got, from = prefilled(ctx, formItem); got["phone"] != "13900000000" || got["address"] != "新路 2 号" || from["phone"] != "profile" {
			t.Errorf("from the profile: %v %v", got, from)
		}
		if got, _ = prefilled(as(h.t.Context(), "bob"), formItem); len(got) != 0 {
			t.Errorf("bob is told %v", got)
		}
	})
}

// TestPrefillByMandate fills in a principal's form for its agent: what the mandate reaches,
// and nothing of the agent's own.
func TestPrefillByMandate(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.withForms()
		bob := as(h.t.Context(), "bob")
		h.save("bob", &caseworkv1.Profile{Phone: "13700000000", Address: "鲍勃路 9 号"})
		narrow := h.give("ada", "bob", func(m *caseworkv1.Mandate) { m.Items = []string{otherItem} })
		wide := h.give("ada", "bob", func(m *caseworkv1.Mandate) { m.AllCases = true })
		prefilled := func(item string, m *caseworkv1.Mandate) (map[string]any, *caseworkv1.PrefillFormResponse) {
			res, err := h.own.PrefillForm(bob, &caseworkv1.PrefillFormRequest{Item: item, Mandate: m.GetName()})
			if err != nil {
				t.Fatal(explain(err))
			}
			return res.GetForm().AsMap(), res
		}
		got, res := prefilled(otherItem, narrow)
		if diff := cmp.Diff(map[string]any{"boss": "艾达", "number": adaID}, got); diff != "" || res.GetFields()[0].GetSource() != "mandate" {
			t.Errorf("what the mandate says: %s %v", diff, res.GetFields())
		}
		req := filing(formItem)
		req.Case.Form = goodForm(t)
		if _, err := h.client.FileCase(as(h.t.Context(), "ada"), req); err != nil {
			t.Fatal(explain(err))
		}
		// Her own filing is not the agent's to see, unless the mandate reaches all her cases.
		if got, _ = prefilled(otherItem, narrow); got["where"] != nil {
			t.Errorf("the agent is told %v", got)
		}
		if got, res = prefilled(otherItem, wide); got["where"] != "测试路 1 号" || res.GetApplicant().GetPhone() == "13700000000" {
			t.Errorf("by a mandate for all cases: %v %v", got, res.GetApplicant())
		}
		h.save("ada", &caseworkv1.Profile{Phone: "13900000000", Address: "新路 2 号"})
		if got, res = prefilled(otherItem, narrow); got["where"] != "新路 2 号" || res.GetApplicant().GetPhone() != "13900000000" || res.GetApplicant().GetIdNumber() != adaID {
			t.Errorf("from the principal's profile: %v %v", got, res.GetApplicant())
		}
		refused := func(login, item string, m *caseworkv1.Mandate, want *fault.Reason) {
			_, err := h.own.PrefillForm(as(h.t.Context(), login), &caseworkv1.PrefillFormRequest{Item: item, Mandate: m.GetName()})
			h.refusedWith(err, want)
		}
		refused("bob", formItem, narrow, fault.MandateItem)
		refused("company", otherItem, narrow, fault.NotFound)
		refused("ada", otherItem, narrow, fault.MandateUnknown)
		h.clock.Set(narrow.GetEndTime().AsTime())
		refused("bob", otherItem, narrow, fault.MandateExpired)
	})
}
