package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/onehall/onehall/gateway/internal/route"
	"github.com/onehall/onehall/services/platform/fault"
)

// Streams do not go through the generated handlers, which know no end but silence: with
// status 200 sent, a stream that was cut looks like one that is over. Here each message
// is {"result":…} and the last line is {"end":{…}} or {"error":…}; a reader that saw
// neither has not seen everything.

// errDraining is why streams end when the gateway stops.
var errDraining = errors.New("the gateway is stopping")

// streamEnd is the last word of a stream that ended well.
type streamEnd struct {
	// Position is that of the last message, if messages have one.
	Position string `json:"position,omitempty"`
}

// serveStream answers with a server stream.
func (g *Gateway) serveStream(w http.ResponseWriter, r *http.Request, rt *route.Route, vars map[string]string) {
	free, err := take(g.limits.streams)
	if err != nil {
		refuse(w, r, err)
		return
	}
	defer free()
	req, err := rt.Request(vars, r.URL.RawQuery)
	if err != nil {
		refuse(w, r, err)
		return
	}
	resume(req.ProtoReflect(), r.Header.Get("Last-Event-Id"))
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(g.draining, func() { cancel(errDraining) })()
	ctx, err = runtime.AnnotateContext(ctx, g.handlers.mux, r, rt.FullMethod(), runtime.WithHTTPPathPattern(rt.Pattern))
	if err != nil {
		refuse(w, r, err)
		return
	}
	conn, leave, err := g.streamConns[rt.RPC.Parent().FullName()].take()
	if err != nil {
		refuse(w, r, err)
		return
	}
	defer leave()
	messages, err := g.open(ctx, conn, rt, req)
	if err != nil {
		refuse(w, r, err)
		return
	}
	out := &streamWriter{w: w, rc: http.NewResponseController(w), patience: g.cfg.StreamWrite, sse: accepts(r.Header.Values("Accept"), sseType)}
	// The request is read and may stay silent for ever.
	if err := out.rc.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		refuse(w, r, fault.Internal.New(fault.Cause(err)))
		return
	}
	g.pump(ctx, out, r, messages)
}

// resume lets a browser's EventSource go on where it was.
func resume(req protoreflect.Message, lastID string) {
	if token := req.Descriptor().Fields().ByName("resume_token"); token != nil && token.Kind() == protoreflect.StringKind && !req.Has(token) && lastID != "" {
		req.Set(token, protoreflect.ValueOfString(lastID))
		return
	}
	after := req.Descriptor().Fields().ByName("after")
	if after == nil || after.Kind() != protoreflect.Int64Kind || req.Has(after) {
		return
	}
	if n, err := strconv.ParseInt(lastID, 10, 64); err == nil && n > 0 {
		req.Set(after, protoreflect.ValueOfInt64(n))
	}
}

// received is one message of a stream, or its end.
type received struct {
	line *line
	err  error
}

// open starts the call and reads it in the background, one message ahead and no more:
// a client that reads slowly slows the service down, it fills nothing here.
func (g *Gateway) open(ctx context.Context, conn grpc.ClientConnInterface, rt *route.Route, req proto.Message) (<-chan received, error) {
	mt, err := protoregistry.GlobalTypes.FindMessageByName(rt.RPC.Output().FullName())
	if err != nil {
		return nil, fault.Internal.New(fault.Cause(err))
	}
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{StreamName: string(rt.RPC.Name()), ServerStreams: true}, rt.FullMethod(), grpc.ForceCodecV2(lineCodec{g.lines, mt}))
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(req); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	messages := make(chan received)
	go func() {
		defer close(messages)
		for {
			var m *line
			err := stream.RecvMsg(&m)
			select {
			case messages <- received{m, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return messages, nil
}

// pump writes messages until the stream ends or the client does not read any more.
func (g *Gateway) pump(ctx context.Context, out *streamWriter, r *http.Request, messages <-chan received) {
	// A refusal that comes soon can still be a status. A stream may rightly have nothing
	// to say for long, so only a moment is waited.
	moment := time.NewTimer(firstWait)
	defer moment.Stop()
	next, any := await(ctx, messages, moment.C)
	if any && next.err != nil && !errors.Is(next.err, io.EOF) {
		refuse(out.w, r, cut(ctx, next.err))
		return
	}
	if out.start() != nil {
		return
	}
	beat := time.NewTicker(g.cfg.Heartbeat)
	defer beat.Stop()
	for {
		if any && g.forward(ctx, out, r, next) {
			return
		}
		if !any && out.beat() != nil {
			return
		}
		next, any = await(ctx, messages, beat.C)
	}
}

// firstWait is how long a refusal may take to still become a status.
const firstWait = time.Second

// await waits for a message or the end; false when the tick came first.
func await(ctx context.Context, messages <-chan received, tick <-chan time.Time) (received, bool) {
	select {
	case m, ok := <-messages:
		if !ok {
			m.err = ctx.Err()
		}
		return m, true
	case <-ctx.Done():
		return received{err: ctx.Err()}, true
	case <-tick:
		return received{}, false
	}
}

// forward writes one message or the end, and says whether the stream is over.
func (g *Gateway) forward(ctx context.Context, out *streamWriter, r *http.Request, m received) bool {
	switch {
	case m.err == nil:
		return out.message(m.line) != nil
	case errors.Is(m.err, io.EOF):
		// What cannot be written any more has nobody to read it.
		_ = out.last("end", streamEnd{Position: out.position})
	default:
		in := infoOf(r.Context())
		f := fault.Of(cut(ctx, m.err))
		in.reason = f.Reason().Name
		_ = out.last("error", errorInfo(f, in.lang, in.requestID))
	}
	return true
}

// cut tells our own stopping from whatever else ends a stream.
func cut(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errDraining) {
		return fault.Unavailable.New(fault.RetryAfter(time.Second), fault.Cause(errDraining))
	}
	return err
}

// streamWriter writes lines or events, each at once, and gives a reader that does not
// read only so much time.
type streamWriter struct {
	w        http.ResponseWriter
	rc       *http.ResponseController
	patience time.Duration
	sse      bool
	position string
	buf      []byte
}

func (s *streamWriter) start() error {
	contentType := ndjsonType
	if s.sse {
		contentType = sseType
	}
	s.w.Header().Set("Content-Type", contentType)
	s.w.Header().Set("X-Accel-Buffering", "no")
	s.w.WriteHeader(http.StatusOK)
	return s.flush(nil)
}

func (s *streamWriter) message(m *line) error {
	s.position = m.position
	if !s.sse {
		return s.flush(m.text)
	}
	s.buf = s.buf[:0]
	if s.position != "" {
		s.buf = append(append(append(s.buf, "id: "...), s.position...), '\n')
	}
	s.buf = append(append(append(s.buf, "data: "...), m.text...), '\n')
	return s.flush(s.buf)
}

func (s *streamWriter) last(word string, v any) error {
	data, err := json.Marshal(map[string]any{word: v})
	if err != nil {
		return err
	}
	s.buf = s.buf[:0]
	if s.sse {
		s.buf = append(append(append(s.buf, "event: "...), word...), "\ndata: "...)
	}
	s.buf = append(s.buf, data...)
	return s.finish()
}

// beat shows life to server-sent events; a reader of lines needs none.
func (s *streamWriter) beat() error {
	if !s.sse {
		return nil
	}
	s.buf = append(s.buf[:0], ':')
	return s.finish()
}

func (s *streamWriter) finish() error {
	s.buf = append(s.buf, '\n')
	if s.sse {
		s.buf = append(s.buf, '\n')
	}
	return s.flush(s.buf)
}

func (s *streamWriter) flush(text []byte) error {
	if err := s.rc.SetWriteDeadline(time.Now().Add(s.patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	return s.rc.Flush()
}

// positionOf is where a message stands in its stream; empty when it does not say.
func positionOf(m protoreflect.Message) string {
	if token := m.Descriptor().Fields().ByName("resume_token"); token != nil && token.Kind() == protoreflect.StringKind {
		return m.Get(token).String()
	}
	fd := m.Descriptor().Fields().ByName("position")
	if fd == nil || fd.Kind() != protoreflect.Int64Kind {
		return ""
	}
	return strconv.FormatInt(m.Get(fd).Int(), 10)
}
