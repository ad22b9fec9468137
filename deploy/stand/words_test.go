package stand

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPagesNameWhatThereIs holds pages to words that the program has: a new rule,
// metric, event or command must be in the page that lists them.
func TestPagesNameWhatThereIs(t *testing.T) {
	for page, sources := range map[string][]struct {
		files, word string
		least       int
	}{
		"clock.md": {
			{"services/supervision/internal/rules/presets/*.json", `"name": "(\w+)"`, 4},
		},
		"rules.md": {
			{"services/supervision/internal/rules/presets/*.json", `"rule": "([A-Z]\d+_\w+)"`, 10},
			{"services/supervision/internal/rules/catalog.go", `"([A-Z]\d+_[A-Z_]+)"`, 10},
			{"services/supervision/internal/rules/conduct/*.json", `"([A-Z]\d+_[A-Z_]+)"`, 10},
		},
		"score.md": {
			{"services/supervision/internal/rules/scores/*.json", `"id": "(\w+)"`, 10},
			{"services/supervision/internal/rules/score.go", "`cel:\"(\\w+)\"`", 12},
		},
		"hub.md": {
			{"services/hub/internal/rules/rate.go", `ID: "(\w+)"`, 10},
		},
		"catalogue.md": {
			{"services/catalogue/internal/rules/*.go", `"(Q\d+)"`, 12},
		},
		"feed.md": {
			{"services/*/*.go", `"((?:hall|department|directory_entry|item|case|review|card|order|rule_set|policy|material|profile|mandate|score|score_formula|score_mark)\.[a-z_]+ed)"`, 30},
		},
		"identity.md": {
			{"proto/onehall/options/v1/options.proto", `ROLE_([A-Z]+) = [1-9]`, 10},
		},
		"operations.md": {
			{"gateway/metrics.go", `"(onehall_\w+)"`, 4},
			{"services/platform/*/*.go", `"(onehall_[a-z]+_[a-z_]+)"`, 18},
			{"deploy/onehall/main.go", `\{"(serve|up|migrate|import|load|simulate|verify|parked|issuer|version)", `, 10},
		},
	} {
		raw, err := os.ReadFile(filepath.Join(root, "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		for _, s := range sources {
			words := wordsIn(t, s.files, s.word)
			if len(words) < s.least {
				t.Errorf("%s: found only %d words in %s", page, len(words), s.files)
			}
			for w := range words {
				named := regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(w) + `\b`)
				if !named.MatchString(text) {
					t.Errorf("docs/%s does not name %s, which is in %s", page, strings.ToLower(w), s.files)
				}
			}
		}
	}
}

// wordsIn are what the expression's group finds in the files, tests left out.
func wordsIn(t *testing.T, pattern, word string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(word).FindAllStringSubmatch(string(raw), -1) {
			found[m[1]] = true
		}
	}
	return found
}
