//go:build manual

package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netlab/scenarios"
)

// manPages are the pages of a command and of those below it that are not hidden,
// by name, such as netlab-run. They say what --help says, in man's order
// (man-pages(7)). cobra's own (cobra/doc) would have English headings in Chinese
// pages, and take the words for Markdown, which they are not.
func (a *app) manPages(cmd *cobra.Command, date time.Time) map[string]string {
	pages := map[string]string{manName(cmd): a.manPage(cmd, date)}
	for _, c := range shownCommands(cmd) {
		for name, text := range a.manPages(c, date) {
			pages[name] = text
		}
	}
	return pages
}

// manName is what to type behind man.
func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func shownCommands(cmd *cobra.Command) []*cobra.Command {
	var shown []*cobra.Command
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" { // to cobra, help is not a command like the others
			shown = append(shown, c)
		}
	}
	return shown
}

func (a *app) manPage(cmd *cobra.Command, date time.Time) string {
	var r roff
	r.title(strings.ToUpper(manName(cmd)), date.Format(time.DateOnly), "netlab "+version(), a.say("man.book"))
	r.section(a.say("man.name"))
	r.text(manName(cmd) + " - " + cmd.Short)

	r.section(a.say("man.synopsis"))
	if cmd.Runnable() && cmd.HasParent() {
		r.usage(strings.Replace(cmd.UseLine(), "[flags]", a.say("help.flags-here"), 1), cmd.CommandPath())
	}
	if cmd.HasAvailableSubCommands() {
		r.usage(cmd.CommandPath()+" "+a.say("help.command-here")+" "+a.say("help.flags-here"), cmd.CommandPath())
	}

	r.section(a.say("man.description"))
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	r.prose(about)

	if cmd.HasAvailableSubCommands() {
		r.section(a.say("man.commands"))
		for _, c := range shownCommands(cmd) {
			r.item(c.Name(), "", c.Short)
		}
	}
	cmd.InitDefaultHelpFlag()
	if flags := cmd.LocalFlags(); flags.HasAvailableFlags() {
		r.section(a.say("man.options"))
		r.flags(a.flagRows(flags))
	}
	if rows := a.settingRows(cmd); len(rows) > 0 {
		r.section(a.say("man.settings"))
		r.flags(rows)
	}
	if flags := cmd.InheritedFlags(); flags.HasAvailableFlags() {
		r.section(a.say("man.global-options"))
		r.flags(a.flagRows(flags))
	}
	if cmd.HasExample() {
		r.section(a.say("man.examples"))
		r.examples(cmd.Example)
	}
	if !cmd.HasParent() {
		a.surroundings(&r)
	}
	a.seeAlso(&r, cmd)
	return r.String()
}

// surroundings are what netlab reads besides its arguments, and leaves behind.
func (a *app) surroundings(r *roff) {
	r.section(a.say("man.environment"))
	r.item(languageVar, "", a.say("man.env.lang"))
	r.item("LC_ALL, LC_MESSAGES, LANG", "", a.say("man.env.locale"))
	r.item("NO_COLOR", "", a.say("man.env.no-color"))
	r.item("COLUMNS", "", a.say("man.env.columns"))
	r.item("SHELL", "", a.say("man.env.shell"))
	r.item("XDG_RUNTIME_DIR", "", a.say("man.env.runtime"))
	r.item("XDG_STATE_HOME", "", a.say("man.env.state"))
	r.section(a.say("man.files"))
	r.item(labsDir, "", a.say("man.file.labs"))
	r.item("~/.local/state/netlab/progress.json", "", a.say("man.file.progress"))
}

// seeAlso names the page above, the pages below, and on the first page those of
// the programs whose commands netlab shows.
func (a *app) seeAlso(r *roff, cmd *cobra.Command) {
	var pages [][2]string
	if cmd.HasParent() {
		pages = append(pages, [2]string{manName(cmd.Parent()), "1"})
	}
	for _, c := range shownCommands(cmd) {
		pages = append(pages, [2]string{manName(c), "1"})
	}
	if !cmd.HasParent() {
		pages = append(pages,
			[2]string{"network_namespaces", "7"}, [2]string{"veth", "4"}, [2]string{"ip", "8"}, [2]string{"ip-netns", "8"},
			[2]string{"iptables", "8"}, [2]string{"nft", "8"}, [2]string{"sysctl", "8"})
	}
	r.section(a.say("man.see-also"))
	r.references(pages)
}

// flags writes rows as help has them: "-o, --output FORMAT" and a text.
func (r *roff) flags(rows [][2]string) {
	for _, row := range rows {
		name, value := strings.TrimSpace(row[0]), ""
		if i := strings.LastIndex(name, "--"); i >= 0 {
			if space := strings.IndexByte(name[i:], ' '); space >= 0 {
				name, value = name[:i+space], name[i+space+1:]
			}
		}
		r.item(name, value, row[1])
	}
}

// prose writes paragraphs; lines that are indented are commands.
func (r *roff) prose(text string) {
	var paragraph, commands []string
	flush := func() {
		if len(paragraph) > 0 {
			r.paragraph(scenarios.Adjoin(paragraph...))
		}
		if len(commands) > 0 {
			r.verbatim(commands)
		}
		paragraph, commands = nil, nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		isCommand := strings.HasPrefix(line, " ")
		if line == "" || isCommand && len(paragraph) > 0 || !isCommand && len(commands) > 0 {
			flush()
		}
		switch {
		case isCommand:
			commands = append(commands, strings.TrimPrefix(line, indent))
		case line != "":
			paragraph = append(paragraph, line)
		}
	}
	flush()
}

// examples writes commands, and remarks, which begin with "# ".
func (r *roff) examples(text string) {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	r.verbatim(lines)
}
