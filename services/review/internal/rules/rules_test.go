package rules

import (
	"errors"
	"strings"
	"testing"

	"github.com/onehall/onehall/services/platform/fault"
)

func TestTagsAreEightForEachNumberOfStars(t *testing.T) {
	if len(tags) != 40 {
		t.Fatalf("%d tags, want 40", len(tags))
	}
	seen := map[string]bool{}
	for stars := 1; stars <= 5; stars++ {
		of := Tags(stars)
		if len(of) != 8 {
			t.Errorf("%d stars have %d tags", stars, len(of))
		}
		for _, tag := range of {
			if seen[tag.Code] || int(tag.Code[0]-'0') != stars || tag.Title == "" {
				t.Errorf("tag %+v is doubled, of other stars or without words", tag)
			}
			seen[tag.Code] = true
		}
	}
}

func TestCheck(t *testing.T) {
	c := Case{Hall: "441300", Department: "d1", ApplicantKey: "me", Handlers: []string{"window1", "head1"}, Submitted: true, Accepted: true}
	me := Author{Subject: "u1", IdentityKey: "me"}
	with := func(change func(*Case, *Author)) (Case, Author) {
		cc, a := c, me
		change(&cc, &a)
		return cc, a
	}
	for _, tc := range []struct {
		what   string
		change func(*Case, *Author)
		moment Moment
		want   error
	}{
		{"submitted", func(*Case, *Author) {}, Submitted, nil},
		{"accepted", func(*Case, *Author) {}, Accepted, nil},
		{"not finished yet", func(*Case, *Author) {}, Finished, fault.ReviewNotDue},
		{"finished", func(c *Case, _ *Author) { c.Finished = true }, Finished, nil},
		{"voided", func(c *Case, _ *Author) { c.Voided = true }, Submitted, fault.ReviewNotDue},
		{"handler", func(_ *Case, a *Author) { a.Subject = "head1" }, Submitted, fault.ReviewNotApplicant},
		{"staff of the body", func(_ *Case, a *Author) { a.Hall, a.Department = "441300", "d1" }, Submitted, fault.ReviewNotApplicant},
		{"staff of another body", func(_ *Case, a *Author) { a.Hall, a.Department = "441300", "d2" }, Submitted, nil},
	} {
		cc, a := with(tc.change)
		if err := Check(cc, a, tc.moment); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.what, err, tc.want)
		}
	}
	if MaySee(c, Author{IdentityKey: "other"}) || MaySee(Case{}, Author{}) || !MaySee(c, me) {
		t.Error("only the applicant may see the case")
	}
}

func TestCheckContent(t *testing.T) {
	for _, c := range []struct {
		what, text string
		stars      int32
		tags       []string
		keep       string
		want       error
	}{
		{"plain", "  很快，谢谢 ", 5, []string{"510"}, "很快，谢谢", nil},
		{"blank text", " \n ", 4, nil, "", nil},
		{"tag of other stars", "", 5, []string{"108"}, "", fault.ReviewTagInvalid},
		{"unknown tag", "", 5, []string{"999"}, "", fault.ReviewTagInvalid},
		{"too long", strings.Repeat("好", 501), 5, nil, "", fault.BadText},
		{"direction override", "好\u202e", 5, nil, "", fault.BadText},
		{"phone", "打我电话138-0013-8000吧", 2, nil, "打我电话*************吧", nil},
		{"identity number", "我是44130019900101001X", 2, nil, "我是******************", nil},
		{"short numbers stay", "等了120分钟，3号窗", 2, nil, "等了120分钟，3号窗", nil},
		{"markup is data", "<script>alert(1)</script>", 1, nil, "<script>alert(1)</script>", nil},
	} {
		keep, err := CheckContent(c.stars, c.tags, c.text)
		if !errors.Is(err, c.want) || keep != c.keep {
			t.Errorf("%s: got %q, %v; want %q, %v", c.what, keep, err, c.keep, c.want)
		}
	}
}

func TestSummary(t *testing.T) {
	for _, c := range []struct {
		by                       [5]int64
		stars, points, satisfied int64
	}{
		{[5]int64{0, 0, 0, 0, 1}, 500, 1000, 10000},
		{[5]int64{1, 0, 0, 0, 0}, 100, 0, 0},
		{[5]int64{1, 0, 0, 0, 2}, 367, 667, 6667},
		{[5]int64{0, 1, 1, 0, 0}, 250, 450, 5000},
		{[5]int64{1, 1, 1, 1, 1}, 300, 540, 6000},
	} {
		s := Summary{ByStars: c.by}
		stars, _ := s.AverageStars()
		points, _ := s.AveragePoints()
		satisfied, ok := s.Satisfaction()
		if !ok || stars != c.stars || points != c.points || satisfied != c.satisfied {
			t.Errorf("%v: got %d %d %d", c.by, stars, points, satisfied)
		}
	}
	if _, ok := (Summary{}).AverageStars(); ok {
		t.Error("nothing has an average")
	}
}
