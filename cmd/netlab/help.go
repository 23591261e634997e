package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"netlab/scenarios"
)

// setHelp makes the help of all commands ours: in our language, and wrapped to
// the terminal.
func (a *app) setHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.help(cmd) })
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]",
		Short: a.say("short.help"),
		Long:  a.say("long.help"),
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 && about.HasSubCommands() {
				return a.noSuchCommand(about, rest)
			}
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			about, _, err := cmd.Root().Find(args)
			var names []cobra.Completion
			if err == nil {
				for _, c := range about.Commands() {
					if c.IsAvailableCommand() {
						names = append(names, cobra.CompletionWithDesc(c.Name(), c.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	})
}

// help prints what a command is for and how it is called.
func (a *app) help(cmd *cobra.Command) {
	p := a.paper()
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	p.text(about)

	p.heading(a.say("help.usage"))
	if cmd.Runnable() && cmd.HasParent() {
		p.usage(strings.Replace(cmd.UseLine(), "[flags]", a.say("help.flags-here"), 1))
	}
	if cmd.HasAvailableSubCommands() {
		p.usage(cmd.CommandPath() + " " + a.say("help.command-here"))
	}
	if cmd.HasExample() {
		p.heading(a.say("help.examples"))
		p.examples(cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		p.heading(a.say("help.commands"))
		var rows [][2]string
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				rows = append(rows, [2]string{c.Name(), c.Short})
			}
		}
		p.rows(rows)
	}
	for _, group := range []struct {
		title string
		rows  [][2]string
	}{
		{"help.flags", a.flagRows(cmd.LocalFlags())},
		{"help.settings", a.settingRows(cmd)},
		{"help.global-flags", a.flagRows(cmd.InheritedFlags())},
	} {
		if len(group.rows) > 0 {
			p.heading(a.say(group.title))
			p.rows(group.rows)
		}
	}
	if cmd.HasAvailableSubCommands() {
		p.line("")
		p.prose("", a.fill("help.more", "command", unbroken(cmd.CommandPath())), nil)
	}
}

// flagRows are the flags with what each is for, and what it is if it is not given.
func (a *app) flagRows(flags *pflag.FlagSet) [][2]string {
	var rows [][2]string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "    --" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", --" + f.Name
		}
		value, text := pflag.UnquoteUsage(f)
		if value != "" {
			name += " " + value
		}
		switch f.DefValue {
		case "", "false", "0s":
		default:
			text = scenarios.Adjoin(text, a.fill("help.default", "value", f.DefValue))
		}
		rows = append(rows, [2]string{name, text})
	})
	return rows
}

func (p *paper) heading(title string) {
	p.line("")
	p.line(p.bold.Sprint(title))
}

// usage writes a line of usage, broken between words where it must be.
func (p *paper) usage(line string) {
	p.prose(indent, strings.ReplaceAll(line, scenarios.Unbroken, " "), nil)
}

// text writes paragraphs; lines that are indented are commands.
func (p *paper) text(text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, " ") {
			p.line(line)
			continue
		}
		p.prose("", line, nil)
	}
}

// examples writes commands, and remarks, which begin with "# ".
func (p *paper) examples(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if remark, ok := strings.CutPrefix(line, "# "); ok {
			p.prose(indent+"# ", remark, p.dim)
			continue
		}
		p.line(indent + line)
	}
}

// rows writes names with a text beside each. Where a name leaves too little room
// for its text, the text stands below it.
func (p *paper) rows(rows [][2]string) {
	const gap, most = 3, 30
	widest := 0
	for _, r := range rows {
		if n := columns(r[0]); n <= min(most, p.columns/2-gap) {
			widest = max(widest, n)
		}
	}
	for _, r := range rows {
		room := widest - columns(r[0])
		if room < 0 {
			p.line(indent + r[0])
			p.prose(indent+strings.Repeat(" ", widest+gap), r[1], nil)
			continue
		}
		p.prose(indent+r[0]+strings.Repeat(" ", room+gap), r[1], nil)
	}
}

// unbroken keeps a command on one line of prose.
func unbroken(command string) string { return strings.ReplaceAll(command, " ", scenarios.Unbroken) }
