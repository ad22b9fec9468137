package rules

import (
	"errors"
	"testing"

	"github.com/onehall/onehall/services/platform/fault"
)

func TestTrustAt(t *testing.T) {
	for _, tc := range []struct {
		kept   Trust
		source Source
		want   Trust
	}{
		{Issued, SourceUnknown, Issued}, {Issued, SourceApplicant, Issued}, {Issued, SourceGovernment, Issued}, {Issued, SourceOther, Issued},
		{Checked, SourceUnknown, Checked}, {Checked, SourceApplicant, Checked}, {Checked, SourceGovernment, Checked}, {Checked, SourceOther, Checked},
		{Uploaded, SourceUnknown, Uploaded}, {Uploaded, SourceApplicant, SelfMade}, {Uploaded, SourceGovernment, Uploaded}, {Uploaded, SourceOther, SelfMade},
		// What was self-made for one item is no licence for another.
		{SelfMade, SourceUnknown, Uploaded}, {SelfMade, SourceApplicant, SelfMade}, {SelfMade, SourceGovernment, Uploaded}, {SelfMade, SourceOther, SelfMade},
	} {
		if got := TrustAt(tc.kept, tc.source); got != tc.want {
			t.Errorf("kept %d from %d: %d, want %d", tc.kept, tc.source, got, tc.want)
		}
	}
	for trust, usable := range map[Trust]bool{0: false, Issued: true, Checked: true, Uploaded: false, SelfMade: true} {
		if trust.Usable() != usable {
			t.Errorf("level %d usable: %t", trust, trust.Usable())
		}
	}
}

func TestCheckTrust(t *testing.T) {
	item := &Item{Materials: []ItemMaterial{
		{ID: "licence", Title: "营业执照", Necessary: true}, {ID: "copy", Title: "复印件", Necessary: true, CopyEnough: true}, {ID: "more", Title: "其他"},
	}}
	for name, tc := range map[string]struct {
		given   []Material
		copies  bool
		refused bool
	}{
		"nothing":              {nil, false, false},
		"a paper":              {[]Material{{ID: "licence", Paper: true}}, false, false},
		"kept elsewhere":       {[]Material{{ID: "licence", SHA256: "x"}}, false, false},
		"an upload":            {[]Material{{ID: "licence", Trust: Uploaded}}, false, true},
		"the hall takes it":    {[]Material{{ID: "licence", Trust: Uploaded}}, true, false},
		"checked":              {[]Material{{ID: "licence", Trust: Checked}}, false, false},
		"issued":               {[]Material{{ID: "licence", Trust: Issued}}, false, false},
		"self-made":            {[]Material{{ID: "licence", Trust: SelfMade}}, false, false},
		"a copy is enough":     {[]Material{{ID: "copy", Trust: Uploaded}}, false, false},
		"not necessary":        {[]Material{{ID: "more", Trust: Uploaded}}, false, false},
		"one good and one not": {[]Material{{ID: "copy", Trust: Uploaded}, {ID: "licence", Trust: Uploaded}}, false, true},
	} {
		if err := CheckTrust(item, tc.given, tc.copies); errors.Is(err, fault.MaterialUnverified) != tc.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
