package lab

import (
	"regexp"
	"strings"
)

// Command is what a person would type, as the words of an argument vector.
// It is for showing: netlab never runs it. The zero value is no command.
type Command []string

// String is the command as a shell would take it, quoted where it must be.
func (c Command) String() string {
	words := make([]string, len(c))
	for i, w := range c {
		words[i] = quote(w)
	}
	return strings.Join(words, " ")
}

// quote puts a word in single quotes unless every shell takes it as it is; zsh
// looks up what follows a leading =.
func quote(word string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*$`).MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// IP is an ip(8) command in a namespace: `ip -n NS …`, or `ip …` on the host.
func IP(namespace string, words ...string) Command {
	if namespace == "" {
		return append(Command{"ip"}, words...)
	}
	return append(Command{"ip", "-n", namespace}, words...)
}

// In is any other command run inside a namespace: `ip netns exec NS …`, or the
// bare command on the host.
func In(namespace string, words ...string) Command {
	if namespace == "" {
		return words
	}
	return append(Command{"ip", "netns", "exec", namespace}, words...)
}
