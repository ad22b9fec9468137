package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Fault is one refusal: a reason, the fields it is about, and what else may be told.
type Fault struct {
	reason     *Reason
	violations []Violation
	meta       map[string]string
	cause      error
	retryAfter time.Duration
}

// Violation says what is wrong with one field of the request.
type Violation struct {
	// Field is the path in the request, such as applicant.id_number or materials[2].name.
	Field string
	// Reason is the machine-readable word.
	Reason string
	// ZH and EN say what is wrong, never what was sent.
	ZH, EN string
}

// Option fills in a Fault.
type Option func(*Fault)

// Field blames a field of the request, with the fault's own reason.
func Field(path string) Option {
	return func(f *Fault) { f.violations = append(f.violations, Violation{Field: path}) }
}

// FieldReason blames a field of the request with a reason of its own.
func FieldReason(path string, r *Reason) Option {
	return func(f *Fault) {
		f.violations = append(f.violations, Violation{Field: path, Reason: r.Name, ZH: r.ZH, EN: r.EN})
	}
}

// Violations adds violations with texts of their own.
func Violations(vs ...Violation) Option {
	return func(f *Fault) { f.violations = append(f.violations, vs...) }
}

// Meta adds a public fact for programs, which the reason's sentence may also use as
// {key}. Never pass what a caller typed: it would be echoed.
func Meta(key, value string) Option {
	return func(f *Fault) {
		if f.meta == nil {
			f.meta = map[string]string{}
		}
		f.meta[key] = value
	}
}

// Cause keeps the error that led here, for the log. It never leaves the process.
func Cause(err error) Option { return func(f *Fault) { f.cause = err } }

// RetryAfter tells the caller when trying again makes sense.
func RetryAfter(d time.Duration) Option { return func(f *Fault) { f.retryAfter = d } }

// At says which field an error is about: a check of one value knows what is wrong, its
// caller knows where the value stood. A fault without fields is blamed on path; the
// fields of one that has them are put below path. Other errors pass unchanged.
func At(path string, err error) error {
	var f *Fault
	if !errors.As(err, &f) {
		return err
	}
	at := *f
	at.violations = slices.Clone(f.violations)
	if len(at.violations) == 0 {
		at.violations = []Violation{{Field: path}}
		return &at
	}
	for i := range at.violations {
		at.violations[i].Field = path + "." + at.violations[i].Field
	}
	return &at
}

// Error is for logs: the reason, the fields, the public facts and the cause.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.reason.Name)
	for _, v := range f.violations {
		fmt.Fprintf(&b, " field=%s", v.Field)
		if v.Reason != "" {
			fmt.Fprintf(&b, "(%s)", v.Reason)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(f.meta)) {
		fmt.Fprintf(&b, " %s=%q", k, f.meta[k])
	}
	if f.cause != nil {
		fmt.Fprintf(&b, ": %v", f.cause)
	}
	return b.String()
}

// Is makes errors.Is(err, someReason) true for faults of that reason.
func (f *Fault) Is(target error) bool {
	r, ok := target.(*Reason)
	return ok && r.Name == f.reason.Name
}

// Unwrap is the cause.
func (f *Fault) Unwrap() error { return f.cause }

// Reason is why the call was refused.
func (f *Fault) Reason() *Reason { return f.reason }

// Metadata is a copy of the public facts.
func (f *Fault) Metadata() map[string]string { return maps.Clone(f.meta) }

// RetryAfter is how long to wait before trying again; zero when nothing is known.
func (f *Fault) RetryAfter() time.Duration { return f.retryAfter }

// Violations are the fields at fault, those without their own reason carrying the fault's.
func (f *Fault) Violations() []Violation {
	vs := slices.Clone(f.violations)
	for i := range vs {
		if vs[i].Reason == "" {
			vs[i].Reason = f.reason.Name
		}
		if vs[i].ZH == "" {
			vs[i].ZH = f.fill(f.reason.ZH)
		}
		if vs[i].EN == "" {
			vs[i].EN = f.fill(f.reason.EN)
		}
	}
	return vs
}

// Message is the sentence for people in the language.
func (f *Fault) Message(lang string) string { return f.fill(f.reason.Text(lang)) }

// fill replaces {key} by the public fact of that name, and by a dash where there is none.
func (f *Fault) fill(text string) string {
	before, rest, open := strings.Cut(text, "{")
	key, after, closed := strings.Cut(rest, "}")
	if !open || !closed {
		return text
	}
	value, known := f.meta[key]
	if !known {
		value = "—"
	}
	// Only what follows is read on: a value has no placeholders of its own.
	return before + value + f.fill(after)
}

// Of sees an error as a Fault: the fault in its chain, a reason returned bare, a status
// received from another server, the end of a context, or else INTERNAL with the error
// as its cause. It is nil for nil only.
func Of(err error) *Fault {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	var r *Reason
	if errors.As(err, &r) {
		return r.New(Cause(err))
	}
	// The status comes before the context: a peer's answer knows more than our own clock.
	if st, ok := status.FromError(err); ok && st.Code() != codes.OK {
		received := FromStatus(st)
		received.cause = err
		return received
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return DeadlineExceeded.New(Cause(err))
	case errors.Is(err, context.Canceled):
		return Canceled.New(Cause(err))
	}
	return Internal.New(Cause(err))
}
