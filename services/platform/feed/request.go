package feed

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

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
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// RequestHash is the hash of what a request asks for: everything in it but the
// request id and the etags, since a client may read anew before it repeats itself.
// The same content gives the same hash in every build of the program.
func RequestHash(m proto.Message) []byte {
	c := proto.Clone(m)
	strip(c.ProtoReflect())
	sum := sha256.Sum256(Deterministic(c))
	return sum[:]
}

// strip clears the request id and the etag of a message and of those in it.
func strip(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Name() == "request_id" || f.Name() == "etag":
			m.Clear(f)
		case f.Message() == nil:
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					strip(v.Message())
					return true
				})
			}
		case f.IsList():
			for i := range v.List().Len() {
				strip(v.List().Get(i).Message())
			}
		default:
			strip(v.Message())
		}
		return true
	})
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
