package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

var secret = errors.New("pq: relation cases does not exist at 10.0.0.7, id 11010519491231002X")

func TestReasonsAreComplete(t *testing.T) {
	name := regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,61}[A-Z0-9]$`)
	placeholder := regexp.MustCompile(`\{[a-z_]+\}`)
	all := Reasons()
	if len(all) < 60 {
		t.Fatalf("only %d reasons", len(all))
	}
	for i, r := range all {
		if !name.MatchString(r.Name) {
			t.Errorf("%s is not UPPER_SNAKE_CASE", r.Name)
		}
		if i > 0 && all[i-1].Name >= r.Name {
			t.Errorf("%s is not in order", r.Name)
		}
		if r.ZH == "" || r.EN == "" || r.Code == codes.OK || r.HTTP < 400 {
			t.Errorf("%s is incomplete: %+v", r.Name, r)
		}
		if !regexp.MustCompile(`\p{Han}`).MatchString(r.ZH) || regexp.MustCompile(`\p{Han}`).MatchString(r.EN) {
			t.Errorf("%s has its texts in the wrong language", r.Name)
		}
		if diff := cmp.Diff(placeholder.FindAllString(r.ZH, -1), placeholder.FindAllString(r.EN, -1)); diff != "" {
			t.Errorf("%s: the two texts use different facts: %s", r.Name, diff)
		}
	}
}

func TestReasonsMapToTheRequiredStatuses(t *testing.T) {
	for _, tc := range []struct {
		reason *Reason
		code   codes.Code
		http   int
	}{
		{BodyTooLarge, codes.ResourceExhausted, 413},
		{UnsupportedMediaType, codes.InvalidArgument, 415},
		{NotAcceptable, codes.InvalidArgument, 406},
		{MethodNotAllowed, codes.Unimplemented, 405},
		{TooManyRequests, codes.ResourceExhausted, 429},
		{RequestIDMissing, codes.InvalidArgument, 400},
		{RequestIDReused, codes.AlreadyExists, 409},
		{ETagMissing, codes.FailedPrecondition, 428},
		{ETagStale, codes.Aborted, 409},
		{ETagInvalid, codes.InvalidArgument, 400},
		{CaseWrongState, codes.FailedPrecondition, 409},
		{UnknownOutcome, codes.Unavailable, 503},
		{StorageFull, codes.Unavailable, 503},
		{SamePersonForbidden, codes.PermissionDenied, 403},
		{ReviewExists, codes.FailedPrecondition, 409},
		{NotFound, codes.NotFound, 404},
	} {
		st := Status(tc.reason.New(), Chinese)
		if st.Code() != tc.code || HTTPStatus(st) != tc.http {
			t.Errorf("%s: %v/%d, want %v/%d", tc.reason.Name, st.Code(), HTTPStatus(st), tc.code, tc.http)
		}
	}
	for code, want := range map[codes.Code]int{
		codes.OK: 200, codes.FailedPrecondition: 409, codes.Aborted: 409, codes.Unimplemented: 501,
		codes.ResourceExhausted: 429, codes.Unknown: 500, codes.DataLoss: 500, codes.OutOfRange: 400,
	} {
		if got := HTTPStatus(status.New(code, "")); got != want {
			t.Errorf("HTTPStatus(%v) = %d, want %d", code, got, want)
		}
	}
}

func TestDefineRefusesANameUsedTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	define(codes.Internal, 500, "INTERNAL", "二", "two")
}

func TestIsAndUnwrap(t *testing.T) {
	err := fmt.Errorf("submit: %w", CaseWrongState.New(Meta("state", "draft"), Cause(secret)))
	if !errors.Is(err, CaseWrongState) || errors.Is(err, NotFound) || !errors.Is(err, secret) {
		t.Errorf("the chain of %v is wrong", err)
	}
	if Of(nil) != nil {
		t.Error("Of(nil) is a fault")
	}
	if !errors.Is(Of(fmt.Errorf("x: %w", NotFound)), NotFound) {
		t.Error("a bare reason is not seen")
	}
	if want := `CASE_WRONG_STATE field=name(BAD_NAME) state="draft": boom`; CaseWrongState.New(
		FieldReason("name", BadName), Meta("state", "draft"), Cause(errors.New("boom"))).Error() != want {
		t.Error("the log line has changed")
	}
}

func TestAt(t *testing.T) {
	plain := BadUSCC.New(Cause(secret))
	at := At("applicant", At("uscc", fmt.Errorf("check: %w", plain)))
	if !errors.Is(at, BadUSCC) || !errors.Is(at, secret) || Of(at).Violations()[0].Field != "applicant.uscc" {
		t.Errorf("got %v", at)
	}
	if len(plain.Violations()) != 0 {
		t.Error("At has changed its argument")
	}
	if At("x", nil) != nil || At("x", secret) != secret {
		t.Error("At has touched what is no fault")
	}
}

func TestStatusCarriesEverythingPublic(t *testing.T) {
	f := BadResidentID.New(Field("applicant.id_number"), FieldReason("applicant.name", BadName),
		Meta("attempt", "2"), RetryAfter(3*time.Second), Cause(secret))
	for _, lang := range []string{Chinese, English} {
		st := Status(fmt.Errorf("create: %w", f), lang)
		if st.Message() != BadResidentID.EN {
			t.Errorf("message = %q", st.Message())
		}
		var info *errdetails.ErrorInfo
		var local *errdetails.LocalizedMessage
		var bad *errdetails.BadRequest
		var retry *errdetails.RetryInfo
		for _, d := range st.Details() {
			switch d := d.(type) {
			case *errdetails.ErrorInfo:
				info = d
			case *errdetails.LocalizedMessage:
				local = d
			case *errdetails.BadRequest:
				bad = d
			case *errdetails.RetryInfo:
				retry = d
			}
		}
		if info.GetReason() != "BAD_RESIDENT_ID" || info.GetDomain() != "onehall" || info.GetMetadata()["attempt"] != "2" {
			t.Errorf("info = %v", info)
		}
		if local.GetLocale() != lang || local.GetMessage() != BadResidentID.Text(lang) {
			t.Errorf("localised message = %v", local)
		}
		if retry.GetRetryDelay().AsDuration() != 3*time.Second {
			t.Errorf("retry = %v", retry)
		}
		var got []string
		for _, v := range bad.GetFieldViolations() {
			got = append(got, v.GetField()+" "+v.GetReason()+" "+v.GetLocalizedMessage().GetMessage())
		}
		want := []string{
			"applicant.id_number BAD_RESIDENT_ID " + BadResidentID.Text(lang),
			"applicant.name BAD_NAME " + BadName.Text(lang),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNothingInnerLeaves(t *testing.T) {
	for _, err := range []error{
		secret,
		fmt.Errorf("read: %w", secret),
		NotFound.New(Cause(secret)),
		fmt.Errorf("%w: %w", NotFound, secret),
		status.Error(codes.Internal, secret.Error()),
		status.Error(codes.Unknown, secret.Error()),
		status.Error(codes.Unavailable, secret.Error()),
	} {
		for _, lang := range []string{Chinese, English, "fr"} {
			wire := fmt.Sprint(Status(err, lang).Proto())
			if strings.Contains(wire, "pq:") || strings.Contains(wire, "1101") {
				t.Errorf("%v leaks: %s", err, wire)
			}
		}
	}
	if st := Status(secret, Chinese); st.Code() != codes.Internal {
		t.Errorf("an unknown error is %v", st.Code())
	}
	// grpc-go asks an error for its status when no interceptor did.
	if st, _ := status.FromError(NotFound.New(Cause(secret))); st.Code() != codes.NotFound || st.Message() != NotFound.EN {
		t.Errorf("GRPCStatus = %v", st)
	}
}

func TestContextEnds(t *testing.T) {
	for err, want := range map[error]*Reason{
		context.DeadlineExceeded: DeadlineExceeded,
		context.Canceled:         Canceled,
		status.FromContextError(context.DeadlineExceeded).Err(): DeadlineExceeded,
	} {
		if got := Of(fmt.Errorf("query: %w", err)); !errors.Is(got, want) {
			t.Errorf("Of(%v) = %v", err, got)
		}
	}
	if Status(nil, Chinese).Code() != codes.OK {
		t.Error("no error is not OK")
	}
}

func TestRoundTrip(t *testing.T) {
	sent := CaseWrongState.New(Field("name"), Meta("state", "draft"), RetryAfter(time.Second))
	got := FromStatus(Status(sent, Chinese))
	if got.Reason() != CaseWrongState || got.RetryAfter() != time.Second {
		t.Fatalf("got %v", got)
	}
	if diff := cmp.Diff(sent.Metadata(), got.Metadata()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sent.Violations(), got.Violations()); diff != "" {
		t.Error(diff)
	}
	// Sent on in English and read again, the Chinese text comes from the table.
	again := FromStatus(Status(got, English))
	if diff := cmp.Diff(sent.Violations(), again.Violations()); diff != "" {
		t.Error(diff)
	}
	if !errors.Is(Of(Status(sent, Chinese).Err()), CaseWrongState) {
		t.Error("a received status is not recognised as its reason")
	}
}

func TestFromStatusOfStrangers(t *testing.T) {
	if FromStatus(status.New(codes.OK, "")) != nil {
		t.Error("OK is a fault")
	}
	if got := FromStatus(status.New(codes.Unavailable, "connection refused")); got.Reason() != Unavailable {
		t.Errorf("got %v", got)
	}
	newer, err := status.New(codes.FailedPrecondition, "The hall is closed").WithDetails(
		&errdetails.ErrorInfo{Reason: "HALL_CLOSED", Domain: Domain},
		&errdetails.LocalizedMessage{Locale: Chinese, Message: "大厅已关闭"})
	if err != nil {
		t.Fatal(err)
	}
	got := FromStatus(newer)
	if got.Reason().Name != "HALL_CLOSED" || got.Message(Chinese) != "大厅已关闭" || got.Message(English) != "The hall is closed" {
		t.Errorf("a newer server's reason came out as %v", got)
	}
	if HTTPStatus(newer) != http.StatusConflict {
		t.Errorf("HTTPStatus = %d", HTTPStatus(newer))
	}
	foreign, err := status.New(codes.NotFound, "x").WithDetails(&errdetails.ErrorInfo{Reason: "CASE_WRONG_STATE", Domain: "googleapis.com"})
	if err != nil {
		t.Fatal(err)
	}
	if FromStatus(foreign).Reason() != NotFound || HTTPStatus(foreign) != 404 {
		t.Error("a stranger's reason was taken for ours")
	}
}

func TestPlaceholders(t *testing.T) {
	r := &Reason{Name: "X", ZH: "状态 {state}，{n} 天{", EN: "{state} {n}"}
	for _, tc := range []struct {
		f    *Fault
		lang string
		want string
	}{
		{r.New(Meta("state", "{n}"), Meta("n", "3")), English, "{n} 3"},
		{r.New(Meta("n", "3")), English, "— 3"},
		{r.New(Meta("state", "草稿"), Meta("n", "3")), Chinese, "状态 草稿，3 天{"},
	} {
		if got := tc.f.Message(tc.lang); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

func TestLang(t *testing.T) {
	for header, want := range map[string]string{
		"": Chinese, "en": English, "en-GB,zh;q=0.5": English, "zh-CN,en;q=0.9": Chinese,
		"fr, en;q=0.3": English, "fr": Chinese, "en;q=0": Chinese, "en;q=9": Chinese, "en;q=x": Chinese,
		"zh;q=0.2, EN-us;q=0.8": English, strings.Repeat("fr,", 5000) + "en": Chinese,
	} {
		if got := ParseLang(header); got != want {
			t.Errorf("ParseLang(%.30q) = %s, want %s", header, got, want)
		}
	}
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("accept-language", "en"))
	if Lang(ctx) != English || Lang(t.Context()) != Chinese {
		t.Error("Lang does not read the metadata")
	}
}
