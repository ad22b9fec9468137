package catalogue

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"google.golang.org/protobuf/proto"

	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
)

// longest is beyond what any field may hold; the contract bounds each by itself.
const longest = 8000

// cleanTexts trims every text of a message and refuses characters that cannot be seen:
// an item's words are copied into notices and forms, where they must say what they show.
func cleanTexts(m proto.Message) error { return cleanMessage(m.ProtoReflect(), "") }

func cleanMessage(m protoreflect.Message, prefix string) (err error) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		err = cleanField(m, f, v, prefix+string(f.Name()))
		return err == nil
	})
	return err
}

func cleanField(m protoreflect.Message, f protoreflect.FieldDescriptor, v protoreflect.Value, at string) error {
	if f.IsMap() || f.Kind() != protoreflect.StringKind && f.Message() == nil {
		return nil
	}
	if !f.IsList() {
		if f.Message() != nil {
			return cleanMessage(v.Message(), at+".")
		}
		s, err := cleanText(v.String())
		if err != nil {
			return fault.At(at, err)
		}
		m.Set(f, protoreflect.ValueOfString(s))
		return nil
	}
	list := v.List()
	for i := range list.Len() {
		if f.Message() != nil {
			if err := cleanMessage(list.Get(i).Message(), fmt.Sprintf("%s[%d].", at, i)); err != nil {
				return err
			}
			continue
		}
		s, err := cleanText(list.Get(i).String())
		if err != nil {
			return fault.At(fmt.Sprintf("%s[%d]", at, i), err)
		}
		list.Set(i, protoreflect.ValueOfString(s))
	}
	return nil
}

func cleanText(s string) (string, error) {
	if plain(s) {
		return s, nil
	}
	if s = strings.TrimSpace(s); s == "" {
		return "", nil
	}
	return codes.Text(s, longest)
}

// plain recognises the texts that nearly all are: ASCII, Han characters and Chinese
// punctuation, without blanks around. They need no closer look.
func plain(s string) bool {
	for _, r := range s {
		switch {
		case r >= 0x4e00 && r <= 0x9fa5, r >= '!' && r <= '~', r == ' ', r == '\n':
		case r >= 0x3001 && r <= 0x3011, r >= 0xff01 && r <= 0xff5e, r >= 0x2014 && r <= 0x2026 && r != 0x2017:
		default:
			return false
		}
	}
	return s == strings.TrimSpace(s)
}
