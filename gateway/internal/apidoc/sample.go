package apidoc

import (
	"encoding/json"
	"fmt"
	"strings"
)

// sampleDepth is how deep an example goes; what lies deeper is left to the reader.
const sampleDepth = 4

// sample is an example of a request's body, with everything a caller may set.
func (d *document) sample(s *schema) (string, error) {
	data, err := json.MarshalIndent(d.example(s, 0), "", "  ")
	if err != nil {
		return "", fmt.Errorf("apidoc: example: %w", err)
	}
	return string(data), nil
}

// object keeps the order of the contract in an example.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

func (d *document) example(s *schema, depth int) any {
	if s == nil || depth > sampleDepth {
		return object{}
	}
	if s.Ref != "" {
		return d.example(d.Definitions[strings.TrimPrefix(s.Ref, refPrefix)], depth)
	}
	if len(s.AllOf) == 1 {
		return d.example(s.AllOf[0], depth)
	}
	switch s.Type {
	case "array":
		if depth == sampleDepth {
			return []any{}
		}
		return []any{d.example(s.Items, depth+1)}
	case "object":
		o := object{}
		for _, p := range s.Properties {
			if !p.schema.ReadOnly {
				o = append(o, member{p.name, d.example(p.schema, depth+1)})
			}
		}
		return o
	case "boolean":
		return false
	case "integer", "number":
		return 0
	}
	return exampleText(s)
}

func exampleText(s *schema) string {
	switch {
	case len(s.Enum) > 1:
		return s.Enum[1]
	case s.Format == "date-time":
		return "2026-01-05T09:00:00+08:00"
	case s.Format == "int64" || s.Format == "uint64":
		return "0"
	}
	return ""
}
