package walk

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func escape(s string) string { return url.QueryEscape(s) }

func protoName(s string) protoreflect.Name { return protoreflect.Name(s) }

func stringValue(s string) protoreflect.Value { return protoreflect.ValueOfString(s) }

// hashOf stands for the hash of an uploaded file.
func hashOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}
