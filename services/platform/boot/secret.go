package boot

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// Secret is a configuration value that is never shown. Written as
// "file:/run/secrets/x" it is read from that file, so that it need stand in no
// command line and no environment.
type Secret string

const redacted = "[redacted]"

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Secret) UnmarshalText(text []byte) error {
	path, ok := strings.CutPrefix(string(text), "file:")
	if !ok {
		*s = Secret(text)
		return nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("secret: %w", err)
	}
	*s = Secret(strings.TrimRight(string(raw), "\r\n"))
	return nil
}

// minSecret is the shortest secret taken: a shorter one could be tried out.
const minSecret = 16

// Check refuses a secret that could be tried out, naming the key it was to be given by.
func (s Secret) Check(key string) error {
	if len(s) < minSecret {
		return fmt.Errorf("%s must have at least %d characters", key, minSecret)
	}
	return nil
}

// Reveal returns the value for use.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer without the value.
func (s Secret) String() string { return redacted }

// GoString implements fmt.GoStringer without the value.
func (s Secret) GoString() string { return redacted }

// MarshalText implements encoding.TextMarshaler without the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer without the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
