package strictjson

import (
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// kind is what JSON a field takes.
type kind uint8

const (
	kindText     kind = iota // a string
	kindBool                 // true or false
	kindInteger              // a number, or a string of one
	kindFloat                // the same, and never NaN or Infinity
	kindEnum                 // a name or a number
	kindMessage              // an object of known fields
	kindFree                 // an object of any fields (Struct, Any)
	kindAny                  // any value (Value, wrappers)
	kindFreeList             // a list of any values (ListValue)
)

// shape is what the scanner must know of a message.
type shape struct {
	fields map[string]*field // by JSON name and by proto name
}

// field is what the scanner must know of a field.
type field struct {
	number  int // its place in the message, for noticing it twice
	name    string
	list    bool
	mapping bool
	kind    kind
	desc    protoreflect.MessageDescriptor
	// accepts says whether JSON of the right kind is a value of the field: a number
	// within its range, a word of its enum, a moment. Nil accepts everything.
	accepts func(raw []byte) bool
	// inner is the shape of desc, found when first needed: messages may contain
	// themselves.
	once  sync.Once
	inner *shape
}

func (f *field) shape() *shape {
	f.once.Do(func() { f.inner = shapeOf(f.desc) })
	return f.inner
}

var shapes sync.Map // protoreflect.FullName -> *shape

func shapeOf(md protoreflect.MessageDescriptor) *shape {
	if s, ok := shapes.Load(md.FullName()); ok {
		return s.(*shape)
	}
	s := &shape{fields: map[string]*field{}}
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		f := &field{number: i, name: string(fd.Name()), list: fd.IsList(), mapping: fd.IsMap()}
		value := fd
		if f.mapping {
			value = fd.MapValue()
		}
		f.kind = kindOf(value)
		f.desc = value.Message()
		f.accepts = accepter(value)
		s.fields[fd.JSONName()] = f
		s.fields[fd.TextName()] = f
	}
	known, _ := shapes.LoadOrStore(md.FullName(), s)
	return known.(*shape)
}

func kindOf(fd protoreflect.FieldDescriptor) kind {
	switch fd.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind:
		return kindText
	case protoreflect.BoolKind:
		return kindBool
	case protoreflect.EnumKind:
		if fd.Enum().FullName() == "google.protobuf.NullValue" {
			return kindAny
		}
		return kindEnum
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return kindFloat
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return messageKind(fd.Message().FullName())
	default:
		return kindInteger
	}
}

// messageKind knows the messages that JSON writes in a way of their own.
func messageKind(name protoreflect.FullName) kind {
	switch name {
	case "google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask",
		"google.protobuf.StringValue", "google.protobuf.BytesValue":
		return kindText
	case "google.protobuf.BoolValue":
		return kindBool
	case "google.protobuf.Int32Value", "google.protobuf.Int64Value", "google.protobuf.UInt32Value", "google.protobuf.UInt64Value":
		return kindInteger
	case "google.protobuf.FloatValue", "google.protobuf.DoubleValue":
		return kindFloat
	case "google.protobuf.Struct", "google.protobuf.Any":
		return kindFree
	case "google.protobuf.Value":
		return kindAny
	case "google.protobuf.ListValue":
		return kindFreeList
	default:
		return kindMessage
	}
}
