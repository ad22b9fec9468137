package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// WallStreamPath is where the wall's page gets its stream; a hall's division stands behind
// it, or "-" for all.
const WallStreamPath = "/wall/halls/"

// wallView is the frame of the wall; the figures come by the stream.
type wallView struct {
	// Hall is the division shown, empty for all.
	Hall         string
	Halls        []*cataloguev1.Hall
	HallsProblem string
	Token        string
}

var division = regexp.MustCompile(`^([0-9]{6})?$`)

// wall is the page that shows what happens right now, to whoever is signed in. It holds
// nothing itself, and its script no token: the stream comes by the session's cookie.
func (s *Site) wall(w http.ResponseWriter, r *http.Request, c *session) {
	v := wallView{Hall: r.URL.Query().Get("hall"), Token: s.signIn.cookies.formToken(c)}
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

// WallStream is the stream of the API that a stream of the page stands for, asked with the
// token of who is signed in.
func (s *Site) WallStream(w http.ResponseWriter, r *http.Request) (*http.Request, error) {
	hall := strings.TrimPrefix(r.URL.Path, WallStreamPath)
	if hall == "" || hall != "-" && !division.MatchString(hall) {
		return nil, fault.NotFound
	}
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		return nil, fault.MethodNotAllowed
	}
	c := s.current(w, r)
	if c == nil {
		return nil, fault.Unauthenticated
	}
	out := r.Clone(r.Context())
	out.URL = &url.URL{Path: "/v1/halls/" + hall + "/wall:watch", RawQuery: r.URL.RawQuery}
	out.Header.Del("Cookie")
	out.Header.Set("Authorization", "Bearer "+c.Access)
	return out, nil
}
