package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// prompt waits until the person goes on from the i-th step, and does meanwhile
// what other keys ask for. more may take a key first.
func (s *stepper) prompt(ctx context.Context, i int, key string, more func(i int, key rune) bool) error {
	s.keys.drop() // what was typed while the step ran
	for {
		s.view.line("")
		s.view.prose("", s.view.dim.Sprint(s.say(key)), nil)
		typed, err := s.keys.read(ctx, s.auto)
		switch {
		case errors.Is(err, errNoKey):
			return nil // --auto: on with it
		case err != nil:
			return err
		case typed == '\n' || typed == '\r' || typed == ' ':
			return nil
		case more != nil && more(i, typed):
			continue
		}
		if err := s.key(ctx, i, typed); err != nil {
			if errors.Is(err, errGoOn) {
				return nil
			}
			return err
		}
	}
}

// errGoOn: a key has asked for the run to go on.
var errGoOn = errors.New("go on")

// key does what a key asks for.
func (s *stepper) key(ctx context.Context, i int, typed rune) error {
	switch typed {
	case 'b':
		return s.review(ctx, i-1)
	case 'r':
		return s.checkAgain(ctx, i)
	case 'h':
		s.view.prose(indent, s.view.text(s.words(i).Help, nil), nil)
	case 's':
		return s.shell(ctx)
	case 'l':
		return s.list(ctx, i)
	case 'd':
		return s.picture(i)
	case 'L':
		return s.otherLanguage(i)
	case 'q':
		return lab.ErrQuit
	default:
		s.help()
	}
	return nil
}

func (s *stepper) help() {
	for _, key := range []string{"next", "choose", "b", "r", "h", "s", "l", "d", "L", "q", "help"} {
		s.view.prose(indent+fmt.Sprintf("%-6s ", s.say("key."+key+".name")), s.say("key."+key), nil)
	}
}

// review shows an earlier step again. Nothing is run.
func (s *stepper) review(ctx context.Context, i int) error {
	for i >= 0 {
		s.again(i)
		s.view.line("")
		s.view.prose("", s.view.dim.Sprint(s.say("step.prompt-review")), nil)
		typed, err := s.keys.read(ctx, 0)
		if err != nil {
			return err
		}
		if typed != 'b' {
			return nil
		}
		i--
	}
	s.view.prose(indent, s.say("step.no-earlier"), nil)
	return nil
}

// again shows what a step has shown, or, if that was in an earlier run, what
// there is to say of it.
func (s *stepper) again(i int) {
	step := s.plan.Steps[i]
	s.announce(i)
	s.ask(i)
	s.view.line("")
	for _, e := range s.seen[step.ID] {
		switch e.Type {
		case lab.CheckDone, lab.Refused, lab.OpFailed, lab.CauseSeen:
			s.view.show(e)
		}
	}
	if _, done := s.journal.Steps[step.ID]; done {
		s.explain(i)
	}
}

func (s *stepper) checkAgain(ctx context.Context, i int) error {
	if !s.ran(i) {
		s.view.prose(indent, s.say("step.not-yet"), nil)
		return nil
	}
	err := s.runner.CheckAgain(ctx, s.plan, s.plan.Steps[i])
	s.keys.drop()
	return err
}

// list shows all steps; the number of one that is done shows it again, that of
// one to come runs up to it.
func (s *stepper) list(ctx context.Context, i int) error {
	for n, step := range s.plan.Steps {
		mark := "· "
		if _, done := s.journal.Steps[step.ID]; done {
			mark = s.view.green.Sprint("✓") + " "
		} else if n == i {
			mark = "→ "
		}
		s.view.prose(indent+mark+strconv.Itoa(n+1)+" ", s.view.text(s.words(n).Title, nil)+s.view.dim.Sprint(" · "+step.ID), nil)
	}
	s.view.prose("", s.view.dim.Sprint(s.say("step.prompt-list")), nil)
	typed, err := s.keys.read(ctx, 0)
	if err != nil {
		return err
	}
	n := int(typed - '1')
	if n < 0 || n >= len(s.plan.Steps) {
		return nil
	}
	if _, done := s.journal.Steps[s.plan.Steps[n].ID]; done {
		return s.review(ctx, n)
	}
	if n > i {
		s.target = n
	}
	return errGoOn
}

// shell opens a shell in a namespace that the person chooses.
func (s *stepper) shell(ctx context.Context) error {
	home := s.view.scenario.Home(s.plan.Params)
	s.view.prose("", s.view.dim.Sprint(s.fill("step.prompt-shell", "home", home)), nil)
	typed, err := s.keys.read(ctx, 0)
	if err != nil {
		return err
	}
	ns := map[rune]string{'1': home, '2': hostName}[typed]
	if ns == "" {
		return nil
	}
	if err := s.keys.give(); err != nil {
		return err
	}
	if err := s.runShell(ns); err != nil {
		s.view.prose(s.view.mark(false), err.Error(), nil)
	}
	return s.keys.take()
}

// runShell runs a shell as the terminal's foreground job, so that its Ctrl-C is
// its own, and takes the terminal back after.
func (s *stepper) runShell(ns string) error {
	if s.keys.tty == nil {
		return nil
	}
	if name := map[bool]string{true: kernel.Host, false: ns}[ns == hostName]; name != kernel.Host {
		if there, err := s.runner.Kernel.NetnsExists(name); err != nil || !there {
			return errors.Join(fmt.Errorf("%s", s.fill("exec.no-namespace", "ns", ns, "lab", s.plan.Lab)), err)
		}
	}
	cmd := exec.Command("/proc/self/exe", "shell", "--", s.plan.Lab, ns)
	cmd.Args[0] = "netlab"
	cmd.Env = append(os.Environ(), languageVar+"="+s.lang)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.keys.tty, os.Stdout, os.Stderr
	cmd.Env = append(cmd.Environ(), languageVar+"="+s.lang) // a key may have changed it
	cmd.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: int(s.keys.tty.Fd())}
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil // what its last command returned is no matter of ours
	}
	signal.Ignore(unix.SIGTTOU) // or taking the terminal back would stop us
	defer signal.Reset(unix.SIGTTOU)
	if ttyErr := unix.IoctlSetPointerInt(int(s.keys.tty.Fd()), unix.TIOCSPGRP, unix.Getpgrp()); ttyErr != nil {
		err = errors.Join(err, fmt.Errorf("take the terminal back: %w", ttyErr))
	}
	return err
}
