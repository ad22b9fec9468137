package filetype

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is how many characters of a name are kept, its extension among them.
const maxName = 120

// reserved are names that Windows takes for devices, whatever their extension.
var reserved = strings.Fields(`con prn aux nul com0 com1 com2 com3 com4 com5 com6 com7 com8 com9
	lpt0 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9 clock$ conin$ conout$`)

// CleanName makes of what a sender calls a file a name that is only shown: no path, no
// characters that cannot be seen or turn the reading round, nothing that a system or a
// program's arguments could take for more. It never fails: whatever was sent has a name.
func CleanName(sent string) string {
	sent = strings.ToValidUTF8(sent, "")
	sent = strings.ReplaceAll(sent, "\\", "/")
	name := sent[strings.LastIndexByte(sent, '/')+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`<>:"|?*%`, r):
			return '_'
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Mn, r):
			return -1
		}
		return r
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	name = strings.TrimLeft(name, ".-~ ")
	name = strings.TrimRight(name, ". ")
	name = shorten(name)
	if stem, _, _ := strings.Cut(strings.ToLower(name), "."); slices.Contains(reserved, strings.TrimSpace(stem)) {
		name = "_" + name
	}
	if name == "" {
		return "file"
	}
	return name
}

// shorten keeps the beginning of a long name, and its extension.
func shorten(name string) string {
	if utf8.RuneCountInString(name) <= maxName {
		return name
	}
	ext := path.Ext(name)
	if utf8.RuneCountInString(ext) > 10 {
		ext = ""
	}
	runes := []rune(strings.TrimSuffix(name, ext))
	return strings.TrimRight(string(runes[:maxName-utf8.RuneCountInString(ext)]), ". ") + ext
}
