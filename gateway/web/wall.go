package web

import (
	"net/http"
	"regexp"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
)

// wallView is the frame of the wall; the figures come by the stream.
type wallView struct {
	// Hall is the division shown, empty for all.
	Hall         string
	Halls        []*cataloguev1.Hall
	HallsProblem string
}

var division = regexp.MustCompile(`^([0-9]{6})?$`)

// wall is the page that shows what happens right now. It holds nothing itself: whoever may
// see it gives a token, which stays in the page's memory and goes nowhere but into the
// stream's header.
func (s *Site) wall(w http.ResponseWriter, r *http.Request) {
	v := wallView{Hall: r.URL.Query().Get("hall")}
	if !division.MatchString(v.Hall) {
		v.Hall = ""
	}
	halls, err := s.cfg.Clients.Catalogue.ListHalls(r.Context(), &cataloguev1.ListHallsRequest{ParentHall: "halls/" + s.cfg.Province, PageSize: 200})
	if err != nil {
		v.HallsProblem = s.sentence(r.Context(), err)
	}
	v.Halls = halls.GetHalls()
	s.show(w, r, "wall", http.StatusOK, page{Title: "实时监察大屏", Data: v})
}
