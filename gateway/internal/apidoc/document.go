// Package apidoc shows the REST interface: as an OpenAPI document at /openapi.json, and
// as pages at /docs that need no script to be read. Both are made from the document
// that is generated from the contract; what the generator cannot know (who may call,
// what an error looks like, where a name in a path begins and ends) is added here.
package apidoc

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// document is an OpenAPI 2.0 document as far as the generator uses it.
type document struct {
	Swagger     string                           `json:"swagger"`
	Info        docInfo                          `json:"info"`
	Tags        []tag                            `json:"tags"`
	Consumes    []string                         `json:"consumes"`
	Produces    []string                         `json:"produces"`
	Paths       map[string]map[string]*operation `json:"paths"`
	Definitions map[string]*schema               `json:"definitions"`
	Security    map[string]map[string]string     `json:"securityDefinitions,omitempty"`
}

type docInfo struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Version     string `json:"version"`
}

type tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

type operation struct {
	Summary     string                `json:"summary,omitempty"`
	Description string                `json:"description,omitempty"`
	OperationID string                `json:"operationId"`
	Produces    []string              `json:"produces,omitempty"`
	Responses   map[string]response   `json:"responses"`
	Parameters  []parameter           `json:"parameters,omitempty"`
	Tags        []string              `json:"tags,omitempty"`
	Security    []map[string][]string `json:"security,omitempty"`
	// Permission is who may call, in words.
	Permission string `json:"x-permission,omitempty"`
}

type response struct {
	Description string  `json:"description"`
	Schema      *schema `json:"schema,omitempty"`
}

type parameter struct {
	Name             string   `json:"name"`
	Description      string   `json:"description,omitempty"`
	In               string   `json:"in"`
	Required         bool     `json:"required"`
	Type             string   `json:"type,omitempty"`
	Format           string   `json:"format,omitempty"`
	Pattern          string   `json:"pattern,omitempty"`
	Enum             []string `json:"enum,omitempty"`
	Default          any      `json:"default,omitempty"`
	Items            *schema  `json:"items,omitempty"`
	CollectionFormat string   `json:"collectionFormat,omitempty"`
	Schema           *schema  `json:"schema,omitempty"`
}

type schema struct {
	Ref                  string     `json:"$ref,omitempty"`
	Type                 string     `json:"type,omitempty"`
	Format               string     `json:"format,omitempty"`
	Title                string     `json:"title,omitempty"`
	Description          string     `json:"description,omitempty"`
	Enum                 []string   `json:"enum,omitempty"`
	Default              any        `json:"default,omitempty"`
	Items                *schema    `json:"items,omitempty"`
	Properties           properties `json:"properties,omitempty"`
	AdditionalProperties *schema    `json:"additionalProperties,omitempty"`
	Required             []string   `json:"required,omitempty"`
	ReadOnly             bool       `json:"readOnly,omitempty"`
	AllOf                []*schema  `json:"allOf,omitempty"`
	// always is a schema that is just true or false.
	always *bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *schema) UnmarshalJSON(data []byte) error {
	if word := string(data); word == "true" || word == "false" {
		always := word == "true"
		s.always = &always
		return nil
	}
	type plain schema
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode((*plain)(s))
}

// MarshalJSON implements json.Marshaler.
func (s *schema) MarshalJSON() ([]byte, error) {
	if s.always != nil {
		return json.Marshal(*s.always)
	}
	type plain schema
	return json.Marshal((*plain)(s))
}

// properties keeps the order of the contract, which a map would lose.
type properties []property

type property struct {
	name   string
	schema *schema
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *properties) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		one := property{schema: &schema{}}
		var ok bool
		if one.name, ok = name.(string); !ok {
			return fmt.Errorf("apidoc: %v is no property", name)
		}
		if err := dec.Decode(one.schema); err != nil {
			return err
		}
		*p = append(*p, one)
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (p properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(one.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(one.schema)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// parse reads the generated document, and fails on what this package does not know:
// it would be lost silently.
func parse(data []byte) (*document, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var d document
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("apidoc: generated document: %w", err)
	}
	return &d, nil
}

// refs calls f for every reference below s.
func (s *schema) refs(f func(s *schema)) {
	if s == nil {
		return
	}
	if s.Ref != "" {
		f(s)
	}
	s.Items.refs(f)
	s.AdditionalProperties.refs(f)
	for _, p := range s.Properties {
		p.schema.refs(f)
	}
	for _, a := range s.AllOf {
		a.refs(f)
	}
}
