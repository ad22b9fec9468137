package gateway

import (
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// linesKept bounds what is kept of messages on the wire, twice. A message that many read
// is read within a moment, so little is enough.
const linesKept = 2 << 20

// lines makes the JSON of a stream's messages, once for all readers that are sent the
// same. Each reader has a call of its own, in which the service has looked at its token and
// decided what it may see; what is equal on the wire is equal as JSON, so nothing about
// rights is decided here.
type lines struct {
	encode encoder

	mu sync.Mutex
	// young takes what is new and becomes old when it is full; what is still asked for then
	// is young again.
	young, old map[wire]*line
	size       int
}

// wire is a message as it came.
type wire struct {
	kind protoreflect.FullName
	data string
}

// line is one message as readers get it.
type line struct {
	once     sync.Once
	position string
	// text is the JSON with its line break.
	text []byte
	err  error
}

func newLines(encode encoder) *lines {
	return &lines{encode: encode, young: map[wire]*line{}}
}

// of is the line of a message on the wire; data is not kept.
func (l *lines) of(kind protoreflect.MessageType, data []byte) (*line, error) {
	one := l.find(kind.Descriptor().FullName(), data)
	one.once.Do(func() { one.err = one.fill(l.encode, kind.New().Interface(), data) })
	return one, one.err
}

func (l *lines) find(kind protoreflect.FullName, data []byte) *line {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one := l.young[wire{kind, string(data)}]; one != nil {
		return one
	}
	one := l.old[wire{kind, string(data)}]
	if one == nil {
		one = &line{}
	}
	if l.size += len(data); l.size > linesKept {
		l.young, l.old, l.size = map[wire]*line{}, l.young, len(data)
	}
	l.young[wire{kind, string(data)}] = one
	return one
}

func (o *line) fill(encode encoder, m proto.Message, data []byte) error {
	if err := proto.Unmarshal(data, m); err != nil {
		return fmt.Errorf("gateway: message of a stream: %w", err)
	}
	text, err := encode([]byte(`{"result":`), m)
	if err != nil {
		return fmt.Errorf("gateway: message of a stream: %w", err)
	}
	// JSON from protojson holds no line break, so an event stays one line.
	o.position, o.text = positionOf(m.ProtoReflect()), append(text, '}', '\n')
	return nil
}

// lineCodec reads the messages of a call as lines.
type lineCodec struct {
	lines *lines
	kind  protoreflect.MessageType
}

// Name implements encoding.CodecV2: on the wire it is what every service speaks.
func (lineCodec) Name() string { return grpcproto.Name }

// Marshal implements encoding.CodecV2.
func (lineCodec) Marshal(v any) (mem.BufferSlice, error) {
	return encoding.GetCodecV2(grpcproto.Name).Marshal(v)
}

var errNoLine = errors.New("gateway: a stream is read as lines")

// Unmarshal implements encoding.CodecV2.
func (c lineCodec) Unmarshal(data mem.BufferSlice, v any) error {
	into, ok := v.(**line)
	if !ok {
		return errNoLine
	}
	buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buf.Free()
	var err error
	*into, err = c.lines.of(c.kind, buf.ReadOnlyData())
	return err
}
