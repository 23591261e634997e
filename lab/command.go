package lab

import "strings"

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
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_@%+=:,./-", r)
	}
	odd := func(r rune) bool { return !plain(r) }
	if word != "" && word[0] != '=' && !strings.ContainsFunc(word, odd) {
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
