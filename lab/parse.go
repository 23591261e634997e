package lab

import (
	"errors"
	"strings"
)

// ErrQuotes: a quote is opened and not closed.
var ErrQuotes = errors.New("a quote is not closed")

// ParseCommand splits a line into a command's words, as a shell does that is given
// no variables, globs or operators: by blanks, with '…', "…" and \ as quotes. It is
// the inverse of Command.String.
func ParseCommand(line string) (Command, error) {
	var c Command
	var word strings.Builder
	var quote byte // 0: none
	begun, escaped := false, false
	for _, r := range []byte(line) {
		switch {
		case escaped:
			word.WriteByte(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, begun = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, begun = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if begun {
				c = append(c, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteByte(r)
			begun = true
		}
	}
	if quote != 0 || escaped {
		return nil, ErrQuotes
	}
	if begun {
		c = append(c, word.String())
	}
	return c, nil
}
