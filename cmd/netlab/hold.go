package main

import (
	"github.com/spf13/cobra"

	"netlab/lab/machine"
)

// holdCommand is the process that keeps a sandbox alive; machine.Start runs it.
func (a *app) holdCommand() *cobra.Command {
	return &cobra.Command{
		Use:    machine.HoldVerb + " NAME",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return machine.Hold(cmd.Context(), args[0], machine.Parent())
		},
	}
}
