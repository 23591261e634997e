package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"netlab/lab/kernel"
)

// traceIn is the machine to follow a packet on: that of the lab named, or the one
// where FROM is. A process is always this machine's, unless a lab is named.
func (a *app) traceIn(labs []string, from string) (place, error) {
	if len(labs) > 0 {
		return a.named(labs[0])
	}
	machines, err := labMachines()
	if err != nil {
		return place{}, err
	}
	var having []place
	for _, p := range machines {
		if from == hostName || p.hasNamespace(from) {
			having = append(having, p)
		}
	}
	_, isProcess := processOf(from)
	switch {
	case len(having) == 1:
		return having[0], nil
	case len(having) > 1:
		return place{}, &usageError{Text: a.fill("lab.several", "known", a.list(names(having))), Next: "netlab status"}
	case isProcess, len(machines) == 0, place{}.hasNamespace(from):
		return place{}, nil
	case len(machines) == 1: // there it is said which namespaces there are
		return machines[0], nil
	}
	return place{}, &usageError{Text: a.fill("lab.several", "known", a.list(names(machines))), Next: "netlab status"}
}

// labMachines are the places of labs, those on this machine as one.
func labMachines() ([]place, error) {
	up, err := places()
	if err != nil {
		return nil, err
	}
	var machines []place
	here := false
	for _, p := range up {
		if p.sandbox != nil || !here {
			machines = append(machines, p)
		}
		here = here || p.sandbox == nil
	}
	return machines, nil
}

// root is where the machine's directories stand, seen from here.
func (p place) root() string {
	if p.sandbox != nil {
		return p.sandbox.Root()
	}
	return "/"
}

// hasNamespace tells whether `ip netns` has that name on the machine.
func (p place) hasNamespace(name string) bool {
	if name == "" || strings.Contains(name, "/") {
		return false
	}
	_, err := os.Lstat(filepath.Join(p.root(), kernel.NetnsDir, name))
	return err == nil
}

// completeTrace completes labs, and the nodes of the lab that is named, or of all.
func completeTrace(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const noFiles = cobra.ShellCompDirectiveNoFileComp
	machines, err := labMachines()
	if err != nil || len(args) > 2 {
		return nil, noFiles
	}
	if len(machines) == 0 {
		machines = []place{{}}
	}
	var labs []string
	nodes := []string{hostName}
	for _, p := range machines {
		if len(args) > 0 {
			if named, err := find(args[0]); err == nil && named.root() != p.root() {
				continue
			}
		}
		if p.lab != "" && len(args) == 0 {
			labs = append(labs, p.lab)
		}
		nodes = append(nodes, kernel.NetnsNames(p.root())...)
	}
	if len(args) == 2 {
		if _, err := find(args[0]); err != nil {
			return nil, noFiles // FROM and TO are there
		}
	}
	return append(labs, nodes...), noFiles
}
