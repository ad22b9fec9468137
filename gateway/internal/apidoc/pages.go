package apidoc

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/onehall/onehall/gateway/internal/route"
	"github.com/onehall/onehall/gateway/internal/site"
	"github.com/onehall/onehall/proto/openapi"
	"github.com/onehall/onehall/services/platform/fault"
)

//go:embed templates static
var content embed.FS

// Config is what the documentation must be told.
type Config struct {
	// Version is the program's.
	Version string
	// SignIn is where people get a token; may be empty.
	SignIn string
}

// handler serves the document and its pages.
type handler struct {
	json     []byte
	etag     string
	files    *site.Files
	pages    *template.Template
	index    indexView
	services map[string]serviceView
}

// New makes the documentation of the routes.
func New(t *route.Table, cfg Config) (http.Handler, error) {
	d, err := parse(openapi.Document)
	if err != nil {
		return nil, err
	}
	routes := t.All()
	if err := d.complete(routes, cfg.Version); err != nil {
		return nil, err
	}
	h := &handler{services: map[string]serviceView{}, index: indexView{Version: d.Info.Version, SignIn: cfg.SignIn, Errors: fault.Reasons()}}
	if h.json, err = json.Marshal(d); err != nil {
		return nil, fmt.Errorf("apidoc: %w", err)
	}
	h.etag = site.ETag(h.json)
	static, err := fs.Sub(content, "static")
	if err != nil {
		return nil, fmt.Errorf("apidoc: %w", err)
	}
	if h.files, err = site.NewFiles(static, "/docs/static/"); err != nil {
		return nil, err
	}
	h.pages, err = template.New("").Funcs(template.FuncMap{"file": h.files.Link}).ParseFS(content, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("apidoc: %w", err)
	}
	return h, h.fill(d, routes)
}

// fill makes the views of all pages.
func (h *handler) fill(d *document, routes []*route.Route) error {
	for _, tg := range d.Tags {
		sv := serviceView{Name: tg.Name, Description: tg.Description, SignIn: h.index.SignIn}
		for _, r := range routes {
			if string(r.RPC.Parent().Name()) != tg.Name {
				continue
			}
			op, err := d.operation(r)
			if err != nil {
				return err
			}
			sv.Operations = append(sv.Operations, op)
		}
		sv.Types = d.types(sv.Name)
		h.services[tg.Name] = sv
		h.index.Services = append(h.index.Services, sv)
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == "/openapi.json" {
		site.Bytes(w, r, "application/json", h.etag, "public, max-age=300", h.json)
		return
	}
	if h.files.Serve(w, r) {
		return
	}
	var err error
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/docs"), "/")
	sv, known := h.services[name]
	switch {
	case name == "":
		err = site.Render(w, h.pages, "index.html", http.StatusOK, h.index)
	case known:
		err = site.Render(w, h.pages, "service.html", http.StatusOK, sv)
	default:
		err = site.Render(w, h.pages, "missing.html", http.StatusNotFound, nil)
	}
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}

type indexView struct {
	Version  string
	SignIn   string
	Services []serviceView
	Errors   []fault.Reason
}

type serviceView struct {
	Name, Description, SignIn string
	Operations                []operationView
	Types                     []typeView
}

type operationView struct {
	ID, Method, Path    string
	Summary, Permission string
	PathNames           []string
	Query               []fieldView
	Body                fieldView
	Sample              string
	Answer              fieldView
	Streams             bool
}

// fieldView is one row of a table: a field or parameter and where its type is explained.
type fieldView struct {
	Name, Type, Anchor, Description string
	ReadOnly                        bool
}

type typeView struct {
	Name, Anchor, Description string
	Fields                    []fieldView
	Values                    []string
}

func (d *document) operation(r *route.Route) (operationView, error) {
	path := readable(r)
	op := d.Paths[path][strings.ToLower(r.Method)]
	v := operationView{
		ID: op.OperationID, Method: r.Method, Path: path, Permission: op.Permission,
		Summary: strings.TrimSpace(op.Summary + "\n" + op.Description), PathNames: pathNames(r), Streams: r.Streams(),
	}
	for _, p := range op.Parameters {
		switch p.In {
		case "query":
			f := view(p.Name, &schema{Type: p.Type, Format: p.Format, Enum: p.Enum, Items: p.Items})
			f.Description = p.Description
			v.Query = append(v.Query, f)
		case "body":
			v.Body = view(p.Name, p.Schema)
			sample, err := d.sample(p.Schema)
			if err != nil {
				return v, err
			}
			v.Sample = sample
		}
	}
	answer := op.Responses["200"].Schema
	if v.Streams {
		answer = answer.Properties[0].schema
	}
	v.Answer = view("", answer)
	return v, nil
}

// view names a schema's type and where it is explained.
func view(name string, s *schema) fieldView {
	f := fieldView{Name: name, Description: s.Description, ReadOnly: s.ReadOnly}
	suffix := ""
	for {
		switch {
		case len(s.AllOf) == 1:
			s = s.AllOf[0]
			continue
		case s.Items != nil:
			s, suffix = s.Items, "[]"+suffix
			continue
		}
		break
	}
	switch {
	case s.Ref != "":
		full := strings.TrimPrefix(s.Ref, refPrefix)
		f.Anchor = full
		f.Type = full[strings.LastIndexByte(full, '.')+1:] + suffix
	case len(s.Enum) > 0:
		f.Type = strings.Join(s.Enum, " | ") + suffix
	case s.Format != "":
		f.Type = s.Type + " (" + s.Format + ")" + suffix
	default:
		f.Type = s.Type + suffix
	}
	return f
}

// types explains every type that a service's operations lead to, by name.
func (d *document) types(service string) []typeView {
	used := map[string]bool{}
	var follow func(s *schema)
	follow = func(s *schema) {
		name := strings.TrimPrefix(s.Ref, refPrefix)
		if !used[name] && name != errorName {
			used[name] = true
			d.Definitions[name].refs(follow)
		}
	}
	for _, methods := range d.Paths {
		for _, op := range methods {
			if op.Tags[0] != service {
				continue
			}
			for _, p := range op.Parameters {
				p.Schema.refs(follow)
			}
			op.Responses["200"].Schema.refs(follow)
		}
	}
	var views []typeView
	for name := range used {
		def := d.Definitions[name]
		tv := typeView{Name: name[strings.LastIndexByte(name, '.')+1:], Anchor: name, Description: def.Description, Values: def.Enum}
		if tv.Description == "" {
			tv.Description = def.Title
		}
		for _, p := range def.Properties {
			tv.Fields = append(tv.Fields, view(p.name, p.schema))
		}
		views = append(views, tv)
	}
	slices.SortFunc(views, func(a, b typeView) int { return strings.Compare(a.Anchor, b.Anchor) })
	return views
}
