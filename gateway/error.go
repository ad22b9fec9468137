package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	rpccode "google.golang.org/genproto/googleapis/rpc/code"

	"github.com/onehall/onehall/services/platform/fault"
)

// ErrorBody is the body of every refusal.
type ErrorBody struct {
	Error ErrorInfo `json:"error"`
}

// ErrorInfo says why a request was refused.
type ErrorInfo struct {
	// Code is the HTTP status, Status gRPC's word for it, Reason ours.
	Code   int    `json:"code"`
	Status string `json:"status"`
	Reason string `json:"reason"`
	// Message is for people, in the language they asked for.
	Message         string            `json:"message"`
	FieldViolations []FieldViolation  `json:"fieldViolations,omitempty"`
	Metadata        map[string]string `json:"metadata,omitempty"`
	RequestID       string            `json:"requestId,omitempty"`
	RetryAfterMS    int64             `json:"retryAfterMs,omitempty"`
}

// FieldViolation says what is wrong with one field.
type FieldViolation struct {
	Field   string `json:"field"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// errorInfo puts a fault into words. Nothing of its cause is in them.
func errorInfo(f *fault.Fault, lang, requestID string) ErrorInfo {
	reason := f.Reason()
	info := ErrorInfo{
		Code: reason.HTTP, Status: rpccode.Code(reason.Code).String(), Reason: reason.Name,
		Message: f.Message(lang), Metadata: f.Metadata(), RequestID: requestID,
		RetryAfterMS: f.RetryAfter().Milliseconds(),
	}
	for _, v := range f.Violations() {
		message := v.ZH
		if lang == fault.English {
			message = v.EN
		}
		info.FieldViolations = append(info.FieldViolations, FieldViolation{Field: jsonPath(v.Field), Reason: v.Reason, Message: message})
	}
	return info
}

// jsonPath turns the names of a path from proto's spelling into JSON's.
func jsonPath(path string) string {
	if !strings.Contains(path, "_") {
		return path
	}
	var b strings.Builder
	up := false
	for _, c := range []byte(path) {
		switch {
		case c == '_':
			up = true
		case up && c >= 'a' && c <= 'z':
			b.WriteByte(c - 'a' + 'A')
			up = false
		default:
			b.WriteByte(c)
			up = false
		}
	}
	return b.String()
}

// refuse answers with a fault.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.Of(err)
	in := infoOf(r.Context())
	info := errorInfo(f, in.lang, in.requestID)
	in.reason = info.Reason
	if info.Code >= http.StatusInternalServerError {
		in.cause = err
	}
	h := w.Header()
	h.Del("Trailer")
	h.Del("Transfer-Encoding")
	h.Del("Content-Length")
	h.Del("ETag")
	h.Set("Content-Type", jsonType)
	h.Set("Cache-Control", "no-store")
	if info.Code == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="onehall"`)
	}
	if wait := f.RetryAfter(); wait > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	body, err := json.Marshal(ErrorBody{Error: info})
	if err != nil {
		// Strings and numbers always marshal; an empty body still has its status.
		body = nil
	}
	w.WriteHeader(info.Code)
	// Who hung up needs no answer.
	_, _ = w.Write(body)
}

// handleError is grpc-gateway's error handler.
func handleError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	var custom *runtime.HTTPStatusError
	if errors.As(err, &custom) {
		err = fault.BadPath.New(fault.Cause(err))
	}
	refuse(w, r, err)
}

// handleRoutingError is for paths that grpc-gateway does not know although we do; the
// guard has refused all others.
func handleRoutingError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	switch code {
	case http.StatusNotFound:
		refuse(w, r, fault.NotFound)
	case http.StatusMethodNotAllowed:
		refuse(w, r, fault.MethodNotAllowed)
	default:
		refuse(w, r, fault.BadPath)
	}
}
