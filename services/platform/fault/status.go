package fault

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The languages sentences exist in.
const (
	Chinese = "zh-Hans"
	English = "en"
)

// Lang is the language the caller of ctx wants, from its accept-language metadata;
// Chinese when it says nothing or asks for a language there is no text in.
func Lang(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	for _, key := range []string{"accept-language", "grpcgateway-accept-language"} {
		if v := md.Get(key); len(v) > 0 {
			return ParseLang(v[0])
		}
	}
	return Chinese
}

// ParseLang chooses Chinese or English by an Accept-Language header.
func ParseLang(header string) string {
	best, weight := Chinese, 0.0
	for i, part := range strings.Split(header, ",") {
		if i == 16 { // a header is written by anybody; nobody speaks more
			break
		}
		tag, params, _ := strings.Cut(part, ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			parsed, err := strconv.ParseFloat(value, 64)
			if err != nil || parsed < 0 || parsed > 1 {
				continue
			}
			q = parsed
		}
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		lang := map[string]string{"zh": Chinese, "en": English}[primary]
		if lang != "" && q > weight {
			best, weight = lang, q
		}
	}
	return best
}

// Status is what leaves the process: code, English message, ErrorInfo, field violations,
// a sentence in the caller's language and, where known, when to retry. An error that is
// no fault becomes INTERNAL and keeps its text to itself.
func Status(err error, lang string) *status.Status {
	f := Of(err)
	if f == nil {
		return status.New(codes.OK, "")
	}
	if lang != English {
		lang = Chinese
	}
	details := []protoadapt.MessageV1{
		&errdetails.ErrorInfo{Reason: f.reason.Name, Domain: Domain, Metadata: f.Metadata()},
		&errdetails.LocalizedMessage{Locale: lang, Message: f.Message(lang)},
	}
	if vs := f.Violations(); len(vs) > 0 {
		bad := &errdetails.BadRequest{}
		for _, v := range vs {
			text := v.ZH
			if lang == English {
				text = v.EN
			}
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
				Field: v.Field, Reason: v.Reason, Description: v.EN,
				LocalizedMessage: &errdetails.LocalizedMessage{Locale: lang, Message: text},
			})
		}
		details = append(details, bad)
	}
	if f.retryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(f.retryAfter)})
	}
	plain := status.New(f.reason.Code, f.Message(English))
	if full, err := plain.WithDetails(details...); err == nil {
		return full
	}
	// Only a text that is not UTF-8 gets here; the code still tells the truth.
	return plain
}

// GRPCStatus lets a Fault that leaves a handler without passing an interceptor still
// be the right status.
func (f *Fault) GRPCStatus() *status.Status { return Status(f, Chinese) }

// FromStatus reads back what another server of OneHall sent. A status without our
// ErrorInfo (the transport's own, say) becomes the general reason of its code. It is
// nil for an OK status.
func FromStatus(st *status.Status) *Fault {
	if st.Code() == codes.OK {
		return nil
	}
	f := &Fault{reason: byCode(st.Code())}
	var locale, text string
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() != Domain {
				continue
			}
			f.meta = d.GetMetadata()
			f.reason = &Reason{Name: d.GetReason(), Code: st.Code(), HTTP: httpByCode(st.Code())}
			if known, ok := Lookup(d.GetReason()); ok {
				f.reason = known
			}
		case *errdetails.LocalizedMessage:
			locale, text = d.GetLocale(), d.GetMessage()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				f.violations = append(f.violations, received(v))
			}
		case *errdetails.RetryInfo:
			f.retryAfter = d.GetRetryDelay().AsDuration()
		}
	}
	// A newer server may know a reason this program does not: keep its word and its sentence.
	if f.reason.ZH == "" {
		f.reason.EN, f.reason.ZH = st.Message(), st.Message()
		if locale == Chinese && text != "" {
			f.reason.ZH = text
		}
	}
	return f
}

func received(v *errdetails.BadRequest_FieldViolation) Violation {
	out := Violation{Field: v.GetField(), Reason: v.GetReason(), EN: v.GetDescription()}
	if m := v.GetLocalizedMessage(); m.GetLocale() == Chinese {
		out.ZH = m.GetMessage()
	} else if known, ok := Lookup(v.GetReason()); ok {
		out.ZH = known.ZH
	} else {
		out.ZH = v.GetDescription()
	}
	return out
}

// byCode is the general reason for a status that names none.
func byCode(c codes.Code) *Reason {
	switch c {
	case codes.Canceled:
		return Canceled
	case codes.InvalidArgument, codes.OutOfRange:
		return InvalidArgument
	case codes.DeadlineExceeded:
		return DeadlineExceeded
	case codes.NotFound:
		return NotFound
	case codes.AlreadyExists:
		return AlreadyExists
	case codes.PermissionDenied:
		return PermissionDenied
	case codes.ResourceExhausted:
		return LimitExceeded
	case codes.FailedPrecondition:
		return Precondition
	case codes.Aborted:
		return Conflict
	case codes.Unimplemented:
		return Unimplemented
	case codes.Unavailable:
		return Unavailable
	case codes.Unauthenticated:
		return Unauthenticated
	default: // Unknown, Internal, DataLoss and whatever comes later
		return Internal
	}
}

func httpByCode(c codes.Code) int {
	if c == codes.OK {
		return http.StatusOK
	}
	return byCode(c).HTTP
}

// HTTPStatus is the HTTP status for a gRPC status: that of its reason where it has
// one, that of its code otherwise.
func HTTPStatus(st *status.Status) int {
	for _, detail := range st.Details() {
		if d, ok := detail.(*errdetails.ErrorInfo); ok && d.GetDomain() == Domain {
			if r, ok := Lookup(d.GetReason()); ok {
				return r.HTTP
			}
		}
	}
	return httpByCode(st.Code())
}
