package rpc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
)

// call is one call being served.
type call struct {
	server    *Server
	method    string
	requestID string
	started   time.Time
	access    authn.Access
}

type callKey struct{}

// RequestID returns the id that all log lines of the call in ctx share.
func RequestID(ctx context.Context) string {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.requestID
	}
	return ""
}

// begin starts a call: it gives it an id, which the caller may have chosen.
func (s *Server) begin(ctx context.Context, fullMethod string) (*call, context.Context) {
	c := &call{server: s, method: fullMethod, started: time.Now(), requestID: incomingRequestID(ctx)}
	ctx = context.WithValue(ctx, callKey{}, c)
	// In the trailer: an answer that begins with a header commits the client to
	// it, and a refusal that may be retried no longer would be. It fails only
	// for a context without a stream, which gRPC never gives us.
	if err := grpc.SetTrailer(ctx, metadata.Pairs(headerRequestID, c.requestID)); err != nil {
		s.log.WarnContext(ctx, "request id not sent", "error", err)
	}
	return c, ctx
}

var goodRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// incomingRequestID believes an id only if it cannot disturb a log line.
func incomingRequestID(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	if v := md.Get(headerRequestID); len(v) == 1 && goodRequestID.MatchString(v[0]) {
		return v[0]
	}
	return uuid.NewString()
}

// admit verifies the caller and enforces the method's permission.
func (c *call) admit(ctx context.Context) (context.Context, error) {
	m, err := lookup(c.method)
	if err != nil {
		return ctx, fault.PermissionDenied.New(fault.Cause(err))
	}
	md, _ := metadata.FromIncomingContext(ctx)
	raw, err := authn.Bearer(md)
	if err != nil {
		return ctx, err
	}
	var p *authn.Principal
	if raw != "" {
		// A bad token is refused even where none is needed: the caller believes
		// to be somebody and must learn that it is not.
		if p, err = c.server.opt.Verifier.Verify(ctx, raw); err != nil {
			return ctx, err
		}
	}
	c.access.Principal = p
	if c.access, err = m.admit(p); err != nil {
		return ctx, err
	}
	if err := c.server.rates.allow(p); err != nil {
		return ctx, err
	}
	return authn.NewContext(ctx, p), nil
}

// clamp gives a unary call a deadline within the server's ceiling.
func (c *call) clamp(ctx context.Context) (context.Context, context.CancelFunc, error) {
	l := c.server.opt.Limits
	allowed := l.MaxDeadline
	if d, ok := ctx.Deadline(); !ok {
		allowed = min(l.DefaultDeadline, l.MaxDeadline)
	} else if left := time.Until(d); left < minRemaining {
		return ctx, func() {}, fault.DeadlineExceeded.New(fault.Cause(errors.New("too little time left to start")))
	}
	ctx, cancel := context.WithTimeout(ctx, allowed)
	return ctx, cancel, nil
}

// unary is the interceptor of unary calls.
func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	if exempt(info.FullMethod) {
		if err := s.tellTime(ctx); err != nil {
			return nil, err
		}
		return handler(ctx, req)
	}
	c, ctx := s.begin(ctx, info.FullMethod)
	defer func() {
		if r := recover(); r != nil {
			err = c.panicked(ctx, r)
		}
		if err != nil {
			resp = nil
		}
		err = c.finish(ctx, err)
	}()
	ctx, cancel, err := c.clamp(ctx)
	defer cancel()
	if err != nil {
		return nil, err
	}
	if ctx, err = c.admit(ctx); err != nil {
		return nil, err
	}
	access, err := s.inspect.check(req, c.access)
	if err != nil {
		return nil, err
	}
	return handler(authn.WithAccess(ctx, access), req)
}

// errDraining is why a stream's context ends when the server stops.
var errDraining = errors.New("server is stopping")

// errTokenEnded is why a stream's context ends when its caller's token does.
var errTokenEnded = errors.New("the caller's token has ended")

// untilTokenEnds ends a stream when the token ends that it was begun with: what somebody
// may see is looked at again then. A service's stream is left to the connection's age.
func (c *call) untilTokenEnds(cancel context.CancelCauseFunc) (stop func() bool) {
	p := c.access.Principal
	if p == nil || p.Expires.IsZero() || p.Has(optionsv1.Role_ROLE_SERVICE) {
		return func() bool { return true }
	}
	left := p.Expires.Sub(c.server.opt.Clock.Now())
	return time.AfterFunc(left, func() { cancel(errTokenEnded) }).Stop
}

// stream is the interceptor of streams. They have no deadline of ours: they end
// with the caller, its token, the connection's age, or the server.
func (s *Server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	ctx, cancel := context.WithCancelCause(ss.Context())
	defer cancel(nil)
	stop := context.AfterFunc(s.draining, func() { cancel(errDraining) })
	defer stop()
	if exempt(info.FullMethod) {
		return handler(srv, &checkedStream{ServerStream: ss, ctx: ctx})
	}
	c, ctx := s.begin(ctx, info.FullMethod)
	defer func() {
		if r := recover(); r != nil {
			err = c.panicked(ctx, r)
		}
		switch why := context.Cause(ctx); {
		case err == nil:
		case errors.Is(why, errDraining):
			err = fault.Unavailable.New(fault.Cause(errDraining))
		case errors.Is(why, errTokenEnded):
			err = fault.TokenExpired.New(fault.Cause(errTokenEnded))
		}
		err = c.finish(ctx, err)
	}()
	if ctx, err = c.admit(ctx); err != nil {
		return err
	}
	defer c.untilTokenEnds(cancel)()
	return handler(srv, &checkedStream{ServerStream: ss, ctx: ctx, call: c})
}

// checkedStream hands a handler our context and only messages that are valid.
type checkedStream struct {
	grpc.ServerStream
	ctx  context.Context
	call *call
}

// Context implements grpc.ServerStream.
func (s *checkedStream) Context() context.Context { return s.ctx }

// RecvMsg implements grpc.ServerStream.
func (s *checkedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil || s.call == nil {
		return err
	}
	access, err := s.call.server.inspect.check(m, s.call.access)
	if err == nil {
		// A handler of a stream gets its context after its request.
		s.ctx = authn.WithAccess(s.ctx, access)
	}
	return err
}

func (c *call) panicked(ctx context.Context, r any) error {
	c.server.log.ErrorContext(ctx, "handler panicked", "method", c.method, "request_id", c.requestID,
		"panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	return fault.Internal.New(fault.Cause(errors.New("panic")))
}

// finish turns whatever went wrong into a status and writes the call's one line.
func (c *call) finish(ctx context.Context, err error) error {
	st := fault.Status(err, fault.Lang(ctx))
	level := slog.LevelInfo
	switch st.Code() {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		level = slog.LevelError
	case codes.Unavailable:
		// A stream that ends with its connection, which comes anew every few minutes,
		// or with this process is nobody's failure.
		if ctx.Err() == nil {
			level = slog.LevelError
		}
	}
	if !c.server.log.Enabled(ctx, level) {
		return st.Err()
	}
	attrs := []slog.Attr{
		slog.String("method", c.method),
		slog.String("code", st.Code().String()),
		slog.Float64("duration_ms", float64(time.Since(c.started).Microseconds())/1000),
		slog.String("request_id", c.requestID),
	}
	if p := c.access.Principal; p != nil {
		attrs = append(attrs, slog.String("caller", callerTag(p.Subject)), slog.String("hall", p.Hall))
	}
	if err != nil {
		attrs = append(attrs, slog.String("reason", fault.Of(err).Reason().Name))
	}
	if level == slog.LevelError {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	c.server.log.LogAttrs(ctx, level, "call", attrs...)
	return st.Err()
}

// callerTag tells the calls of one caller together without naming it: a subject
// can be a login name, and a log is read by more people than a register.
func callerTag(subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return hex.EncodeToString(sum[:6])
}
