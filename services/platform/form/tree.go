package form

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// node is a JSON value that remembers the order of its keys: fields are shown in the
// order they were written in.
type node struct {
	keys  []string
	byKey map[string]*node // of an object
	items []*node          // of an array
	value any              // of anything else: string, json.Number, bool or nil
	kind  byte             // '{', '[' or 'v'
}

var (
	errNesting = errors.New("nested too deeply")
	errTwice   = errors.New("a key is given twice")
	errRest    = errors.New("something follows the schema")
)

// readTree reads a JSON text.
func readTree(text string) (*node, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	n, err := readNode(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errRest
	}
	return n, nil
}

func readNode(dec *json.Decoder, level int) (*node, error) {
	if level > maxNesting {
		return nil, errNesting
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return readObject(dec, level)
	case json.Delim('['):
		n := &node{kind: '['}
		for dec.More() {
			item, err := readNode(dec, level+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		_, err := dec.Token()
		return n, err
	}
	return &node{kind: 'v', value: token}, nil
}

func readObject(dec *json.Decoder, level int) (*node, error) {
	n := &node{kind: '{', byKey: map[string]*node{}}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string) // the decoder gives nothing else in this place
		if n.byKey[key] != nil {
			return nil, errTwice
		}
		value, err := readNode(dec, level+1)
		if err != nil {
			return nil, err
		}
		n.keys = append(n.keys, key)
		n.byKey[key] = value
	}
	_, err := dec.Token()
	return n, err
}

func (n *node) object() bool { return n != nil && n.kind == '{' }
func (n *node) array() bool  { return n != nil && n.kind == '[' }

// get is the value of a key, nil where there is none.
func (n *node) get(key string) *node {
	if !n.object() {
		return nil
	}
	return n.byKey[key]
}

// text is a string, or empty.
func (n *node) text() string {
	if n == nil {
		return ""
	}
	s, _ := n.value.(string)
	return s
}

// isText tells a string from anything else.
func (n *node) isText() bool {
	if n == nil || n.kind != 'v' {
		return false
	}
	_, ok := n.value.(string)
	return ok
}

// number is a number; false where it is none.
func (n *node) number() (float64, bool) {
	if n == nil {
		return 0, false
	}
	num, ok := n.value.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := num.Float64()
	return f, err == nil
}

// plain is the value as encoding/json would have it.
func (n *node) plain() any {
	switch {
	case n == nil:
		return nil
	case n.kind == '{':
		m := make(map[string]any, len(n.keys))
		for k, v := range n.byKey {
			m[k] = v.plain()
		}
		return m
	case n.kind == '[':
		l := make([]any, len(n.items))
		for i, v := range n.items {
			l[i] = v.plain()
		}
		return l
	}
	if f, ok := n.number(); ok {
		return f
	}
	return n.value
}

// texts are the strings of an array; false where it holds anything else.
func (n *node) texts() ([]string, bool) {
	if !n.array() {
		return nil, false
	}
	out := make([]string, len(n.items))
	for i, item := range n.items {
		if !item.isText() {
			return nil, false
		}
		out[i] = item.text()
	}
	return out, true
}
