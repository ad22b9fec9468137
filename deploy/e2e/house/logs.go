package house

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// read is all that a process has logged.
func (h *House) read(name string) []byte {
	raw, err := os.ReadFile(h.procs[name].log)
	if err != nil && !os.IsNotExist(err) {
		h.t.Errorf("house: %v", err)
	}
	return raw
}

// Faults are the lines that tell of a panic or of an answer that blames ourselves. While
// processes are being killed, 503 and 504 are the right answers.
func (h *House) Faults(killing bool) []string {
	h.t.Helper()
	var found []string
	for _, name := range h.order {
		for line := range bytes.Lines(h.read(name)[min(h.marks[name], len(h.read(name))):]) {
			if faulty(line, killing) {
				found = append(found, fmt.Sprintf("%s: %s", name, bytes.TrimSpace(line)))
			}
		}
	}
	return found
}

// Mark lets Faults begin here: what was logged while the parts were starting is past.
func (h *House) Mark() {
	h.t.Helper()
	for _, name := range h.order {
		h.marks[name] = len(h.read(name))
	}
}

// faulty looks at one line of a log.
func faulty(line []byte, killing bool) bool {
	for _, mark := range []string{"panic", "goroutine ", "DATA RACE"} {
		if bytes.Contains(line, []byte(mark)) {
			return true
		}
	}
	var entry struct {
		Msg  string `json:"msg"`
		Code any    `json:"code"`
	}
	if json.Unmarshal(line, &entry) != nil {
		return false
	}
	switch code := entry.Code.(type) {
	case float64: // HTTP's
		return entry.Msg == "request" && code >= 500 && !(killing && (code == 503 || code == 504))
	case string: // gRPC's
		return entry.Msg == "call" && (code == "Internal" || code == "Unknown" || code == "DataLoss")
	}
	return false
}
