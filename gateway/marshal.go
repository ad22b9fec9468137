package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// encoder appends a message as JSON. It is the place where a faster encoder for the
// common answers can stand, without anything else noticing.
type encoder func(dst []byte, m proto.Message) ([]byte, error)

// protojsonEncoder writes names in camelCase and leaves out what is not set: half of
// an item is empty, and a reader of JSON takes absence for empty anyway.
func protojsonEncoder(dst []byte, m proto.Message) ([]byte, error) {
	return protojson.MarshalOptions{}.MarshalAppend(dst, m)
}

// marshaler reads a body at once and decodes it once; grpc-gateway's own first cuts the
// first value out of a stream and so never sees what follows it.
type marshaler struct{ encode encoder }

const jsonType = "application/json"

// ContentType implements runtime.Marshaler.
func (marshaler) ContentType(v any) string {
	if b, ok := v.(*httpbody.HttpBody); ok {
		return b.GetContentType()
	}
	return jsonType
}

// Marshal implements runtime.Marshaler. An HttpBody is a file, which goes out as it is.
func (m marshaler) Marshal(v any) ([]byte, error) {
	if b, ok := v.(*httpbody.HttpBody); ok {
		return b.GetData(), nil
	}
	if msg, ok := v.(proto.Message); ok {
		return m.encode(nil, msg)
	}
	return json.Marshal(v)
}

// Unmarshal implements runtime.Marshaler.
func (marshaler) Unmarshal(data []byte, v any) error {
	msg, ok := v.(proto.Message)
	if !ok {
		// The generated code passes the address of the field that the body fills.
		field := reflect.ValueOf(v)
		if field.Kind() != reflect.Pointer || field.Elem().Kind() != reflect.Pointer {
			return fmt.Errorf("gateway: cannot decode into %T", v)
		}
		fresh := reflect.New(field.Elem().Type().Elem())
		if msg, ok = fresh.Interface().(proto.Message); !ok {
			return fmt.Errorf("gateway: cannot decode into %T", v)
		}
		field.Elem().Set(fresh)
	}
	return protojson.UnmarshalOptions{}.Unmarshal(data, msg)
}

// NewDecoder implements runtime.Marshaler.
func (m marshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		if b, ok := r.(*readBody); ok {
			return m.Unmarshal(b.data, v)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		return m.Unmarshal(data, v)
	})
}

// NewEncoder implements runtime.Marshaler.
func (m marshaler) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		data, err := m.Marshal(v)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
}

// readBody is a body that was read and found good.
type readBody struct {
	bytes.Reader
	data []byte
}

func newReadBody(data []byte) *readBody {
	b := &readBody{data: data}
	b.Reset(data)
	return b
}

// Close implements io.ReadCloser.
func (*readBody) Close() error { return nil }
