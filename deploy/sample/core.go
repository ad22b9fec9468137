package sample

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

//go:embed services/*.json
var serviceFiles embed.FS

var core = sync.OnceValue(func() []Service {
	names, err := fs.Glob(serviceFiles, "services/*.json")
	if err != nil {
		panic(fmt.Sprintf("sample: services: %v", err)) // embedded: cannot differ from what the tests saw
	}
	out := make([]Service, 0, len(names))
	for _, name := range names {
		raw, err := serviceFiles.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("sample: %s: %v", name, err))
		}
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		dec.DisallowUnknownFields()
		var s Service
		if err := dec.Decode(&s); err != nil {
			panic(fmt.Sprintf("sample: %s: %v", name, err))
		}
		out = append(out, s)
	}
	return out
})

// Core returns the guides of the services people ask for most, in the order of
// their ids. The slices are shared: callers must not change them.
func Core() []Service { return append([]Service(nil), core()...) }
