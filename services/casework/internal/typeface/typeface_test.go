package typeface

import "testing"

func TestOf(t *testing.T) {
	for r, want := range map[rune]*Face{
		'惠': Han, '龥': Han, '㐂': Han, '，': Han, '《': Han, '〓': Han,
		'A': Latin, '7': Latin, ' ': Latin, '“': Latin, '—': Latin, '·': Latin,
		'𠮷': nil, '😀': nil,
	} {
		if got := Of(r); got != want {
			t.Errorf("%q is set in %v, want %v", r, got, want)
		}
	}
}
