// Package fault is the one kind of error OneHall shows to the outside.
//
// Every refusal has a Reason: a stable word for programs, a gRPC code, an HTTP
// status and a sentence in Chinese and English for people. All reasons stand in one
// table (reasons.go), so the list in the documentation cannot miss any. What went
// wrong inside (a database's text, a file name, a value somebody typed) stays inside:
// it is kept as the cause, for the log, and never leaves.
package fault

import (
	"fmt"
	"sort"

	"google.golang.org/grpc/codes"
)

// Domain is the ErrorInfo domain of all reasons.
const Domain = "onehall"

// Reason is one way a call can be refused. It is itself an error, so that
// errors.Is(err, fault.CaseWrongState) works.
type Reason struct {
	// Name is the machine-readable word, UPPER_SNAKE_CASE.
	Name string
	// Code is the gRPC status code.
	Code codes.Code
	// HTTP is the status the gateway answers with.
	HTTP int
	// ZH and EN are the sentences for people; {word} is replaced by the metadata of that name.
	ZH, EN string
}

// Error names the reason.
func (r *Reason) Error() string { return r.Name }

// New makes a Fault of this reason.
func (r *Reason) New(opts ...Option) *Fault {
	f := &Fault{reason: r}
	for _, opt := range opts {
		opt(f)
	}
	return f
}

// Text is the reason's sentence in the language, with its placeholders still in it.
func (r *Reason) Text(lang string) string {
	if lang == English {
		return r.EN
	}
	return r.ZH
}

// table holds every reason made by define, by name.
var table = map[string]*Reason{}

// define adds a reason to the table. It panics on a name used twice, which a
// program meets at start and a test therefore cannot miss.
func define(code codes.Code, http int, name, zh, en string) *Reason {
	if table[name] != nil {
		panic(fmt.Sprintf("fault: reason %s is defined twice", name))
	}
	r := &Reason{Name: name, Code: code, HTTP: http, ZH: zh, EN: en}
	table[name] = r
	return r
}

// Reasons lists all reasons by name, for the documentation and for tests.
func Reasons() []Reason {
	all := make([]Reason, 0, len(table))
	for _, r := range table {
		all = append(all, *r)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Lookup finds a reason by its name.
func Lookup(name string) (*Reason, bool) {
	r, ok := table[name]
	return r, ok
}
