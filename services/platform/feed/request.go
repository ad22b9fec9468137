package feed

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// keyBytes is how much of the hash a request key keeps: enough that no two requests meet,
// and little, since the index of the keys is as large as all events together are many.
const keyBytes = 16

// RequestKey is what makes a request one and the same: who asked which hall for what
// under which request id. It is empty for an empty request id, which repeats nothing.
func RequestKey(hall, principal, method, requestID string) string {
	if requestID == "" {
		return ""
	}
	h := sha256.New()
	for _, part := range []string{hall, principal, method, requestID} {
		// The length keeps "ab","c" apart from "a","bc". A hash never fails to write.
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		_, _ = h.Write(n[:])
		_, _ = h.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:keyBytes])
}

// RequestHash is the hash of what a request asks for: everything in it but the
// request id and the etags, since a client may read anew before it repeats itself.
// The same content gives the same hash in every build of the program.
func RequestHash(m proto.Message) []byte {
	sum := sha256.Sum256(Deterministic(bare(m.ProtoReflect()).Interface()))
	return sum[:]
}

// bare is the message without the request id and the etags in it. What holds none is
// shared with the message, not copied.
func bare(m protoreflect.Message) protoreflect.Message {
	fields := strippedOf(m.Descriptor())
	if len(fields) == 0 {
		return m
	}
	out := m.New()
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case !slices.Contains(fields, f):
			out.Set(f, v)
		case f.Message() == nil: // left out
		case f.IsMap():
			all := out.Mutable(f).Map()
			v.Map().Range(func(k protoreflect.MapKey, e protoreflect.Value) bool {
				all.Set(k, protoreflect.ValueOfMessage(bare(e.Message())))
				return true
			})
		case f.IsList():
			all := out.Mutable(f).List()
			for i := range v.List().Len() {
				all.Append(protoreflect.ValueOfMessage(bare(v.List().Get(i).Message())))
			}
		default:
			out.Set(f, protoreflect.ValueOfMessage(bare(v.Message())))
		}
		return true
	})
	out.SetUnknown(m.GetUnknown())
	return out
}

// stripped are the fields of each message to clear or to look into: few of many, so
// that a form of two hundred values is not walked for an etag it cannot hold.
var stripped sync.Map // protoreflect.FullName -> []protoreflect.FieldDescriptor

func strippedOf(d protoreflect.MessageDescriptor) []protoreflect.FieldDescriptor {
	if known, ok := stripped.Load(d.FullName()); ok {
		return known.([]protoreflect.FieldDescriptor)
	}
	var fields []protoreflect.FieldDescriptor
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if isStripped(f) || inner(f) != nil && holdsStripped(inner(f), map[protoreflect.FullName]bool{}) {
			fields = append(fields, f)
		}
	}
	stripped.Store(d.FullName(), fields)
	return fields
}

func isStripped(f protoreflect.FieldDescriptor) bool {
	return inner(f) == nil && (f.Name() == "request_id" || f.Name() == "etag")
}

// inner is the type of the messages in a field, or nil.
func inner(f protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	if f.IsMap() {
		return f.MapValue().Message()
	}
	return f.Message()
}

// holdsStripped reports whether a message of the type may hold a field to clear, however
// deep. A type in seen is being looked at already.
func holdsStripped(d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
	if seen[d.FullName()] {
		return false
	}
	seen[d.FullName()] = true
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if isStripped(f) || inner(f) != nil && holdsStripped(inner(f), seen) {
			return true
		}
	}
	return false
}

// Deterministic marshals a message to the same bytes every time, as event resources
// must be.
func Deterministic(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		// Only invalid UTF-8 in a string gets here, and no such message comes in
		// through gRPC. Its type still tells two requests apart from any valid one.
		return []byte("unmarshalable " + string(m.ProtoReflect().Descriptor().FullName()))
	}
	return b
}
