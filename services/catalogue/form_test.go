package catalogue_test

import (
	"testing"

	"google.golang.org/grpc/status"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// TestFormOfAnItem follows a form from the draft to the revision: a schema that cannot be
// shown is saved, found and not published.
func TestFormOfAnItem(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(1)
		const good = `{"type":"object","required":["address"],"properties":{"address":{"type":"string","title":"居住地址","maxLength":100,"x-prefill":"profile.address"}}}`
		draft, err := h.create("editor", with(item(1), func(i *cataloguev1.Item) {
			i.FormSchema = `{"type":"object","properties":{"a":{"$ref":"https://example.com/a.json"},"b":{"type":"string","title":"乙","maxLength":9,"pattern":"(a{99}){99}"}}}`
		}))
		h.must(err)
		check, err := h.client.CheckItem(h.As("publisher"), &cataloguev1.CheckItemRequest{Name: name(1)})
		h.must(err)
		var fields []string
		for _, f := range check.GetFindings() {
			if f.GetRule() != "Q13" || f.GetSeverity() != cataloguev1.Severity_SEVERITY_ERROR || f.GetMessage() == "" {
				t.Errorf("finding %v", f)
			}
			fields = append(fields, f.GetField())
		}
		if len(fields) != 2 || fields[0] != "form_schema.properties.a.$ref" || fields[1] != "form_schema.properties.b.pattern" || check.GetPublishable() {
			t.Errorf("fields %q, publishable %v", fields, check.GetPublishable())
		}
		_, err = h.publish("publisher", draft)
		h.refused("a form that cannot be shown", err, fault.PublishChecksFailed)
		if vs := fault.FromStatus(status.Convert(err)).Violations(); len(vs) != 2 || vs[0].Reason != "Q13" {
			t.Errorf("violations %+v", vs)
		}
		draft, err = h.update("editor", with(draft, func(i *cataloguev1.Item) { i.FormSchema = good }))
		h.must(err)
		_, err = h.publish("publisher", draft)
		h.must(err)
		shown, err := h.client.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(1)})
		h.must(err)
		if shown.GetFormSchema() != good {
			t.Errorf("form %s", shown.GetFormSchema())
		}
		listed, err := h.client.ListItems(t.Context(), &cataloguev1.ListItemsRequest{Parent: city})
		h.must(err)
		if len(listed.GetItems()) != 1 || listed.GetItems()[0].GetFormSchema() != "" {
			t.Errorf("a listing carries forms: %v", listed)
		}
		long := with(item(1), func(i *cataloguev1.Item) { i.FormSchema = string(make([]byte, 8001)) })
		_, err = h.update("editor", long)
		h.refused("too long", err, fault.InvalidArgument)
	})
}
