package main

import (
	"errors"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// errNotOneOf: a flag takes one of a few values, and this is none of them.
var errNotOneOf = errors.New("one of")

// badFlag is the error for a flag that does not parse; for an unknown one the
// nearest is suggested.
func (a *app) badFlag(cmd *cobra.Command, err error) error {
	text := a.flagWords(err)
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		if near := nearest(unknown.GetSpecifiedName(), known); near != "" && len(unknown.GetSpecifiedName()) > 1 {
			text += a.fill("unknown.nearest", "name", "--"+near)
		}
	}
	return &usageError{Text: text, Next: cmd.CommandPath() + " --help"}
}

// flagWords says what pflag says, in our language.
func (a *app) flagWords(err error) string {
	// typed is a flag as it stood on the command line.
	typed := func(name, shorthands string) string {
		if shorthands != "" {
			return "-" + shorthands
		}
		return "--" + name
	}
	var unknown *pflag.NotExistError
	var needs *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == unknown.GetSpecifiedName():
		return a.fill("flag.unknown", "flag", "-"+unknown.GetSpecifiedName())
	case errors.As(err, &unknown) && number(unknown.GetSpecifiedShortnames()):
		return a.fill("flag.unknown", "flag", "-"+unknown.GetSpecifiedShortnames())
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return a.fill("flag.unknown-short", "letter", unknown.GetSpecifiedName()[:1], "flag", "-"+unknown.GetSpecifiedShortnames())
	case errors.As(err, &unknown):
		return a.fill("flag.unknown", "flag", "--"+unknown.GetSpecifiedName())
	case errors.As(err, &needs):
		return a.fill("flag.needs-value", "flag", typed(needs.GetSpecifiedName(), needs.GetSpecifiedShortnames()))
	case errors.As(err, &invalid) && errors.Is(err, errNotOneOf):
		return a.notOneOf(invalid.GetFlag().Name, invalid.GetValue(), languages())
	case errors.As(err, &invalid) && wantedWords(invalid.GetFlag().Value.Type()) != "":
		return a.fill("flag.wants", "flag", "--"+invalid.GetFlag().Name, "value", invalid.GetValue(),
			"why", a.say(wantedWords(invalid.GetFlag().Value.Type())))
	case errors.As(err, &invalid):
		return a.fill("flag.invalid", "flag", "--"+invalid.GetFlag().Name, "value", invalid.GetValue(), "error", invalid.Unwrap().Error())
	case errors.As(err, &syntax):
		return a.fill("flag.syntax", "flag", syntax.GetSpecifiedFlag())
	}
	return a.fill("error.technical", "error", err.Error())
}

// wantedWords is the key of what a flag of a type takes, such as pflag calls them;
// empty for one whose own error says it.
func wantedWords(kind string) string {
	switch kind {
	case "uint16": // the ports of TCP and UDP
		return "flag.wants.port"
	case "duration":
		return "flag.wants.time"
	case "int", "uint":
		return "flag.wants.number"
	case "bool":
		return "flag.wants.bool"
	}
	return ""
}

// number tells whether what stands behind a dash is one, as if meant negative.
func number(word string) bool {
	_, err := strconv.ParseFloat(word, 64)
	return err == nil
}

func (a *app) notOneOf(flag, value string, known []string) string {
	return a.fill("bad", "param", flag, "value", value, "why", a.fill("bad.one-of", "known", a.list(known)))
}

func (a *app) checkFlags(cmd *cobra.Command) error {
	formats := []string{"text", "json"}
	if more := cmd.Annotations[moreOutputs]; more != "" {
		formats = append(formats, more)
	}
	if slices.Contains(formats, a.output) {
		return nil
	}
	return &usageError{Text: a.notOneOf("output", a.output, formats)}
}

// noSuchCommand takes what is not the name of a command.
func (a *app) noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return a.unknown("unknown.command", args[0], names, cmd.CommandPath()+" --help")
}

// noMoreThan is cobra's check of the number of arguments, as a usageError.
func (a *app) noMoreThan(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return &usageError{
			Text: a.fill("unexpected-argument", "command", cmd.CommandPath(), "name", args[n]),
			Next: cmd.CommandPath() + " --help",
		}
	}
}

// mostKnown is how many names an error lists; there can be thousands of pods.
const mostKnown = 10

// unknown is the error for a name that is none of those known; the nearest is
// suggested. Of many only the nearest are listed.
func (a *app) unknown(key, name string, known []string, next string) error {
	listed := a.list(known)
	if more := len(known) - mostKnown; more > 1 {
		listed = a.fill("known.more", "known", a.list(byNearness(name, known)[:mostKnown]), "count", strconv.Itoa(more))
	}
	text := a.fill(key, "name", name, "known", listed)
	if near := nearest(name, known); near != "" {
		text += a.fill("unknown.nearest", "name", near)
	}
	return &usageError{Text: text, Next: next}
}
