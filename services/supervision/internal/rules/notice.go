package rules

import (
	"fmt"
	"slices"
	"strings"
)

// noticeVariables are what the message of a notice may name, as $ground$.
var noticeVariables = []string{"level", "rule", "rule_name", "subject", "item", "department", "officer", "ground", "as_of", "used", "limit",
	"feedback_due_date", "correct_due_date"}

// NoticeVariables are what the message of a notice may name between two dollar signs.
func NoticeVariables() []string { return slices.Clone(noticeVariables) }

// DefaultMessage is the text of a notice of a rule that has none of its own.
const DefaultMessage = "【$level$】$item$（$subject$）：$ground$。请于$feedback_due_date$前反馈，于$correct_due_date$前整改。"

// LevelName is a level's name in Chinese.
func LevelName(l Level) string {
	return map[Level]string{Warning: "预警", Yellow: "黄牌", Red: "红牌"}[l]
}

// CheckMessage refuses a message that names what there is not, or ends inside a name.
func CheckMessage(message string) error {
	_, err := FillMessage(message, func(string) string { return "" })
	return err
}

// FillMessage puts values in the place of $variables$; $$ is a dollar sign.
func FillMessage(message string, value func(variable string) string) (string, error) {
	var b strings.Builder
	for {
		text, rest, found := strings.Cut(message, "$")
		b.WriteString(text)
		if !found {
			return b.String(), nil
		}
		name, after, closed := strings.Cut(rest, "$")
		switch {
		case !closed:
			return "", fmt.Errorf("rules: the message ends inside $%s", name)
		case name == "":
			b.WriteByte('$')
		case !slices.Contains(noticeVariables, name):
			return "", fmt.Errorf("rules: a message knows no $%s$; there are %s", name, strings.Join(noticeVariables, ", "))
		default:
			b.WriteString(value(name))
		}
		message = after
	}
}

// Recipients are whom a card of a level is told to: those of the level and of every lower
// one, each once.
func (p Policy) Recipients(level Level) []string {
	var all []string
	for l := level; l >= Warning; l-- {
		for _, who := range p.Notify[l] {
			if !slices.Contains(all, who) {
				all = append(all, who)
			}
		}
	}
	return all
}
