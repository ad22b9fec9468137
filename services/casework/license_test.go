package casework

import (
	"testing"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// An electronic license is issued once, for what was finished with a certificate; the
// case shows it, whether or not the result was collected.
func TestIssueLicense(t *testing.T) {
	eachHall(t, func(h *hall) {
		issue := func(login string, c *caseworkv1.Case, id, no string) (*caseworkv1.Case, error) {
			return h.licenses.IssueLicense(as(h.t.Context(), login), &caseworkv1.IssueLicenseRequest{Name: c.GetName(), RequestId: id, Etag: c.GetEtag(),
				LicenseNo: no, LicenseName: "居住证"})
		}
		c := h.do(h.file(promisedItem), "accept", "undertake", "decide")
		_, err := issue("window", c, newID(), "证字1号")
		h.refusedWith(err, fault.CaseWrongState)
		c = h.do(c, "finish", "collect")
		_, err = issue("ada", c, newID(), "证字1号")
		h.refusedWith(err, fault.PermissionDenied)
		id := newID()
		licensed, err := issue("window", c, id, "证字1号")
		if err != nil || licensed.GetLicense().GetLicenseNo() != "证字1号" || licensed.GetState() != caseworkv1.CaseState_CASE_STATE_COLLECTED {
			h.t.Fatalf("%v, %v", licensed, explain(err))
		}
		if again, err := issue("window", c, id, "证字1号"); err != nil || again.GetEtag() != licensed.GetEtag() {
			h.t.Errorf("the same request again: %v, %v", again, err)
		}
		_, err = issue("window", licensed, newID(), "证字2号")
		h.refusedWith(err, fault.CaseWrongState)
		_, err = issue("window", h.do(h.file(promisedItem), "accept", "undertake", "deny", "return"), newID(), "证字3号")
		h.refusedWith(err, fault.CaseWrongState)
	})
}

// A case keeps whether its item's revision promises an electronic license.
func TestCaseKeepsThePromiseOfALicense(t *testing.T) {
	h := oneHall(t)
	if c := h.file(promisedItem); c.GetELicense() {
		t.Errorf("no license is promised: %v", c)
	}
	i := item(promisedItem, nil)
	i.ELicense = true
	h.publish(i, 2, monday)
	h.settle()
	if c := h.file(promisedItem); !c.GetELicense() || c.GetItemRevision() != 2 {
		t.Errorf("a license is promised: %v", c)
	}
}
