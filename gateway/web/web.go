// Package web is the part of the hall that citizens see: pages made on the server, which
// need no script, fit a phone and can be read aloud. They ask the same services by the
// same calls as REST does, without a token: all they show is public.
package web

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/onehall/onehall/gateway/internal/site"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
)

//go:embed templates static
var content embed.FS

// Clients are the services the pages ask.
type Clients struct {
	Catalogue cataloguev1.CatalogueServiceClient
	Applicant caseworkv1.ApplicantServiceClient
	Casework  caseworkv1.CaseworkServiceClient
	Material  caseworkv1.MaterialServiceClient
	Counter   caseworkv1.CounterServiceClient
	Review    reviewv1.ReviewServiceClient
	Hub       hubv1.HubServiceClient
}

// Dialed are the clients of channels by role.
func Dialed(conns map[string]*grpc.ClientConn) Clients {
	return Clients{
		Catalogue: cataloguev1.NewCatalogueServiceClient(conns["catalogue"]),
		Applicant: caseworkv1.NewApplicantServiceClient(conns["casework"]),
		Casework:  caseworkv1.NewCaseworkServiceClient(conns["casework"]),
		Material:  caseworkv1.NewMaterialServiceClient(conns["casework"]),
		Counter:   caseworkv1.NewCounterServiceClient(conns["casework"]),
		Review:    reviewv1.NewReviewServiceClient(conns["review"]),
		Hub:       hubv1.NewHubServiceClient(conns["hub"]),
	}
}

// Config is what the pages must be told.
type Config struct {
	// Province is the division at the top, six digits.
	Province string
	Clock    clock.Clock
	Clients  Clients
	// SignIn is how people sign in to what is their own.
	SignIn SignIn
	// Send moves a file of so many bytes over an upload's link.
	Send func(ctx context.Context, link string, file io.Reader, size int64) error
	// Problem hears why a page could not show what was asked; may be nil.
	Problem func(ctx context.Context, err error)
}

// Site serves the pages.
type Site struct {
	cfg     Config
	files   *site.Files
	pages   map[string]*template.Template
	mux     *http.ServeMux
	signIn  *signIn
	schemas schemas
}

// New reads the templates, so that a broken one is found at start.
func New(cfg Config) (*Site, error) {
	static, err := fs.Sub(content, "static")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	s := &Site{cfg: cfg, pages: map[string]*template.Template{}, mux: http.NewServeMux(), schemas: newSchemas()}
	if s.signIn, err = newSignIn(cfg.SignIn); err != nil {
		return nil, fmt.Errorf("web: sign-in: %w", err)
	}
	if s.files, err = site.NewFiles(static, "/static/"); err != nil {
		return nil, err
	}
	for _, name := range []string{"home", "search", "item", "progress", "rates", "wall", "problem", "my", "profile", "mandate", "case", "apply", "materials", "centres", "counter"} {
		t, err := template.New("").Funcs(s.words()).ParseFS(content, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		s.pages[name] = t
	}
	s.mux.HandleFunc("GET /{$}", s.home)
	s.mux.HandleFunc("GET /search", s.search)
	s.mux.HandleFunc("GET /items/{hall}/{code}", s.item)
	s.mux.HandleFunc("GET /progress", s.progress)
	s.mux.HandleFunc("POST /progress", s.progress)
	s.mux.HandleFunc("GET /rates", s.rates)
	s.ownPages()
	return s, nil
}

// ownPages are those of who is signed in.
func (s *Site) ownPages() {
	s.mux.HandleFunc("GET /login", s.login)
	s.mux.HandleFunc("GET /login/done", s.loginDone)
	s.mux.HandleFunc("POST /logout", s.own(s.logout))
	for path, page := range map[string]func(http.ResponseWriter, *http.Request, *session){
		"/my/profile": s.profile, "/my/mandates": s.giveMandate, "/my/cases/{hall}/{no}": s.myCase, "/my/cases/{hall}/{no}/supplement": s.supplement,
		"/apply/{hall}/{code}": s.apply, "/counter/{hall}/{centre}": s.counter,
	} {
		s.mux.HandleFunc("GET "+path, s.own(page))
		s.mux.HandleFunc("POST "+path, s.own(page))
	}
	s.mux.HandleFunc("GET /my", s.own(s.my))
	s.mux.HandleFunc("GET /wall", s.own(s.wall))
	s.mux.HandleFunc("GET /counter", s.own(s.centres))
	s.mux.HandleFunc("GET "+MaterialsPath, s.own(s.materials))
	s.mux.HandleFunc("POST "+MaterialsPath, s.upload)
	s.mux.HandleFunc("POST "+MaterialsPath+"/{id}/download", s.own(s.download))
	s.mux.HandleFunc("POST /my/uploads", s.own(s.beginUpload))
	s.mux.HandleFunc("POST /my/uploads/{id}/link", s.own(s.goOnUpload))
	s.mux.HandleFunc("POST /my/uploads/{id}/complete", s.own(s.endUpload))
	s.mux.HandleFunc("POST /my/mandates/revoke", s.own(s.endMandate))
}

// ServeHTTP implements http.Handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	if read && s.files.Serve(w, r) {
		return
	}
	_, pattern := s.mux.Handler(r)
	if pattern != "" {
		s.mux.ServeHTTP(w, r.WithContext(outgoing(r)))
		return
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if _, other := s.mux.Handler(&http.Request{Method: method, URL: &url.URL{Path: r.URL.Path}, Host: r.Host}); other != "" {
			w.Header().Set("Allow", "GET, HEAD")
			if method == http.MethodPost {
				w.Header().Set("Allow", "POST")
			}
			s.problem(w, r, fault.MethodNotAllowed)
			return
		}
	}
	s.problem(w, r, fault.NotFound)
}

// outgoing gives calls the language of the pages and the id of the request.
func outgoing(r *http.Request) context.Context {
	return metadata.AppendToOutgoingContext(r.Context(), "accept-language", fault.Chinese, "x-request-id", r.Header.Get("X-Request-Id"))
}

// page is what every template gets.
type page struct {
	Title string
	// Query fills the search box at the top.
	Query string
	Data  any
}

func (s *Site) show(w http.ResponseWriter, r *http.Request, name string, code int, p page) {
	if err := site.Render(w, s.pages[name], "layout", code, p); err != nil {
		s.report(r.Context(), fault.Internal.New(fault.Cause(err)))
		http.Error(w, fault.Internal.ZH, http.StatusInternalServerError)
	}
}

// problem shows why a page cannot be shown, in the words of the fault.
func (s *Site) problem(w http.ResponseWriter, r *http.Request, err error) {
	s.report(r.Context(), err)
	f := fault.Of(err)
	s.show(w, r, "problem", f.Reason().HTTP, page{Title: "无法显示", Data: f.Message(fault.Chinese)})
}

func (s *Site) report(ctx context.Context, err error) {
	if s.cfg.Problem != nil {
		s.cfg.Problem(ctx, err)
	}
}

// sentence is what to tell about an error beside the rest of a page.
func (s *Site) sentence(ctx context.Context, err error) string {
	s.report(ctx, err)
	return fault.Of(err).Message(fault.Chinese)
}

// china is the time that days are counted in.
var china = time.FixedZone("CST", 8*3600)

func (s *Site) today() time.Time { return s.cfg.Clock.Now().In(china) }
