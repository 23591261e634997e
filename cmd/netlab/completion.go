package main

import (
	"github.com/spf13/cobra"
)

// setCompletion gives cobra's completion command our words.
func (a *app) setCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, completion := range root.Commands() {
		if completion.Name() != "completion" {
			continue
		}
		completion.Short, completion.Long = a.say("short.completion"), a.say("long.completion")
		completion.Args = a.noSuchCommand
		completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		for _, shell := range completion.Commands() {
			shell.Short = a.fill("short.completion-shell", "shell", shell.Name())
			shell.Long = a.say("long.completion." + shell.Name())
			shell.Args = a.noMoreThan(0)
			if f := shell.Flags().Lookup("no-descriptions"); f != nil {
				f.Usage = a.say("flag.no-descriptions")
			}
		}
	}
}
