package strictjson

import (
	"bytes"
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// accepter is what a field's value must be beyond its kind. Where protojson has rules of
// its own (1e3 is an integer, second 60 is no time) it is asked itself, by the message
// that stands for one such value.
func accepter(fd protoreflect.FieldDescriptor) func(raw []byte) bool {
	switch fd.Kind() {
	case protoreflect.EnumKind:
		if fd.Enum().FullName() == "google.protobuf.NullValue" {
			return nil
		}
		return wordOf(fd.Enum())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return decodes(func() proto.Message { return &wrapperspb.Int32Value{} })
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return decodes(func() proto.Message { return &wrapperspb.Int64Value{} })
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return decodes(func() proto.Message { return &wrapperspb.UInt32Value{} })
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return decodes(func() proto.Message { return &wrapperspb.UInt64Value{} })
	case protoreflect.FloatKind:
		return decodes(func() proto.Message { return &wrapperspb.FloatValue{} })
	case protoreflect.DoubleKind:
		return decodes(func() proto.Message { return &wrapperspb.DoubleValue{} })
	case protoreflect.MessageKind:
		return acceptsMessage(fd.Message().FullName())
	}
	return nil
}

func acceptsMessage(name protoreflect.FullName) func(raw []byte) bool {
	switch name {
	case "google.protobuf.Timestamp":
		return decodes(func() proto.Message { return &timestamppb.Timestamp{} })
	case "google.protobuf.Duration":
		return decodes(func() proto.Message { return &durationpb.Duration{} })
	case "google.protobuf.FieldMask":
		return decodes(func() proto.Message { return &fieldmaskpb.FieldMask{} })
	}
	return nil
}

func decodes(fresh func() proto.Message) func(raw []byte) bool {
	return func(raw []byte) bool { return protojson.Unmarshal(raw, fresh()) == nil }
}

// wordOf accepts an enum's words, and any number that could be one of a later version:
// whether the number is known is the contract's rule.
func wordOf(ed protoreflect.EnumDescriptor) func(raw []byte) bool {
	number := decodes(func() proto.Message { return &wrapperspb.Int32Value{} })
	return func(raw []byte) bool {
		if raw[0] != '"' {
			return number(raw)
		}
		word := string(raw[1 : len(raw)-1])
		if bytes.IndexByte(raw, '\\') >= 0 && json.Unmarshal(raw, &word) != nil {
			return false
		}
		return ed.Values().ByName(protoreflect.Name(word)) != nil
	}
}
