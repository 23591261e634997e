package main

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// hostName is how people name the lab's host side, where a namespace is asked
// for.
const hostName = "host"

func (a *app) shellCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "shell [LAB] [NS]",
		Short:   a.say("short.shell"),
		Long:    a.say("long.shell"),
		Example: a.say("example.shell"),
		Args:    a.noMoreThan(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, ns, err := a.labAndNamespace(args)
			if err != nil {
				return err
			}
			if p.sandbox != nil {
				return a.enterFor(cmd.Context(), p, append([]string{"shell", "--"}, words2(p.lab, ns)...)...)
			}
			if ns == "" {
				if ns, err = a.home(p.lab); err != nil {
					return err
				}
			}
			shell := callersShell()
			a.errPaper().line(a.fill("shell.in", "ns", ns, "lab", p.lab))
			return a.execIn(p.lab, ns, []string{shell})
		},
	}
}

// callersShell is the program that the caller has for a shell.
func callersShell() string {
	if shell := callersVariable("SHELL"); shell != "" {
		return shell
	}
	return "/bin/sh"
}

// callersVariable is a variable as netlab's caller has it; empty: it is not set.
func callersVariable(name string) (value string) {
	for _, v := range machine.Callers() {
		if set, ok := strings.CutPrefix(v, name+"="); ok {
			value = set
		}
	}
	return value
}

func (a *app) execCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "exec [LAB] NS -- COMMAND...",
		Short:   a.say("short.exec"),
		Long:    a.say("long.exec"),
		Example: a.say("example.exec"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dash := cmd.ArgsLenAtDash()
			if dash < 1 || dash > 2 || dash == len(args) {
				return &usageError{Text: a.say("exec.usage"), Next: execAsMeant(args, dash)}
			}
			where, argv := args[:dash], args[dash:]
			p, ns, err := a.labAndNamespace(where)
			if err != nil {
				return err
			}
			if ns == "" {
				return &usageError{Text: a.say("exec.usage"), Next: "netlab exec --help"}
			}
			if p.sandbox != nil {
				return a.enterFor(cmd.Context(), p, append([]string{"exec", p.lab, ns, "--"}, argv...)...)
			}
			return a.execIn(p.lab, ns, argv)
		},
	}
	return cmd
}

// execAsMeant is the command that was meant, where the dashes were left out.
func execAsMeant(args []string, dash int) string {
	where := 1
	if len(args) > 2 {
		if _, err := find(args[0]); err == nil {
			where = 2
		}
	}
	if dash >= 0 || len(args) <= where {
		return "netlab exec --help"
	}
	return "netlab exec " + strings.Join(args[:where], " ") + " -- " + lab.Command(args[where:]).String()
}

func words2(lab, ns string) []string {
	if ns == "" {
		return []string{lab}
	}
	return []string{lab, ns}
}

// labAndNamespace reads `[LAB] [NS]`: one word is a lab if there is one of that
// name, and otherwise a namespace of the only lab. An empty namespace: none was
// named.
func (a *app) labAndNamespace(args []string) (place, string, error) {
	if len(args) == 2 {
		p, err := a.named(args[0])
		return p, args[1], err
	}
	if len(args) == 1 {
		p, err := find(args[0])
		if err == nil {
			return p, "", nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return place{}, "", err
		}
	}
	p, err := a.only()
	return p, strings.Join(args, ""), err
}

// enterFor enters a sandbox and lets go of it after.
func (a *app) enterFor(ctx context.Context, p place, args ...string) error {
	return errors.Join(a.enter(ctx, p.sandbox, args...), p.sandbox.Close())
}

// home is the namespace that a lab's shell opens in.
func (a *app) home(lab string) (string, error) {
	state, err := journal.At(labsDir).Read(lab)
	if err != nil {
		return "", a.journalRefused(lab, err)
	}
	s, ok := scenarios.Named(state.Header.Scenario)
	if !ok {
		return hostName, nil
	}
	return s.Home(maps(s.Defaults(), state.Header.Params)), nil
}

// execIn makes this process another program, in a namespace: it does not
// return but with an error.
func (a *app) execIn(lab, ns string, argv []string) error {
	return a.execWith(lab, ns, argv, nil)
}

// execWith is execIn with more variables, of the form NAME=VALUE, in the environment, or
// with other values for them.
func (a *app) execWith(lab, ns string, argv, more []string) (err error) {
	if allowed, missing := machine.CanUseHost(); !allowed {
		return a.denied(missing, "sudo netlab "+strings.Join(a.args, " "), "exec.needs-root", "lab", lab)
	}
	k := kernel.Open()
	name := ns
	if ns == hostName {
		name = kernel.Host
	}
	n, err := k.Namespace(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &usageError{Text: a.fill("exec.no-namespace", "ns", ns, "lab", lab), Next: "ip netns"}
	}
	if err != nil {
		return err
	}
	env := append(withAdminDirs(machine.Callers()), "NETLAB_LAB="+lab, "NETLAB_NS="+ns, languageVar+"="+a.lang)
	for _, v := range more { // of two of one name, some programs take the first
		name, _, _ := strings.Cut(v, "=")
		env = slices.DeleteFunc(env, func(was string) bool { return strings.HasPrefix(was, name+"=") })
		env = append(env, v)
	}
	err = n.Exec(argv, env)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return &usageError{Text: a.fill("exec.no-command", "command", argv[0])}
	}
	return err
}
