package lab

import (
	"fmt"
	"slices"
	"strings"
)

// Scripter is an Op that a script must do in another way than by its command
// alone, because what undoes it has to be read first.
type Scripter interface {
	Op
	// Script is lines of bash: save runs before the command and keeps, in the
	// directory $was, what undo puts back.
	Script() (save, undo []string)
}

// ScriptWords are what a script says, in one language, as one line each.
type ScriptWords struct {
	Head []string // above everything, as comments
	Was  string   // what the directory is for that the script makes
	// Guard is lines of bash that end the script before it changes anything, where
	// it must not run; none: it may run anywhere.
	Guard   []string
	Step    func(Step) string
	Refusal func(Step, Refusal) string
}

// Script writes the plan as a bash script that makes the same changes with ip,
// sysctl and the firewall's own tool. It stops at the first command that fails.
func (p Plan) Script(w ScriptWords) string {
	s := scriptStart(p, w)
	s.lines(w.Guard...)
	s.lines("set -e", "mkdir "+s.was+"   # "+w.Was)
	for i, step := range p.Steps {
		s.lines("", fmt.Sprintf("# %d. %s", i+1, w.Step(step)))
		for _, r := range step.Refusals {
			s.lines("# "+w.Refusal(step, r), "if "+r.Op.Command().String()+"; then exit 1; fi")
		}
		for _, o := range step.All() {
			if scripter, ok := o.(Scripter); ok {
				save, _ := scripter.Script()
				s.lines(save...)
			}
			s.lines(o.Command().String())
		}
	}
	return s.String()
}

// UndoScript writes a bash script that takes back what Script's does. It goes on
// past what is gone already.
func (p Plan) UndoScript(w ScriptWords) string {
	s := scriptStart(p, w)
	made := map[Ref]bool{} // by the plan: it goes along with its maker
	var going []map[Ref]bool
	for _, step := range p.Steps {
		for _, o := range step.All() {
			own := map[Ref]bool{}
			if maker, ok := o.(Maker); ok {
				for _, ref := range maker.Makes() {
					own[ref], made[ref] = true, true
				}
			}
			going = append(going, own)
		}
	}
	n := len(going)
	for i := len(p.Steps) - 1; i >= 0; i-- {
		step, titled := p.Steps[i], false
		var ops []Op
		for _, o := range step.All() {
			ops = append(ops, o)
		}
		for _, o := range slices.Backward(ops) {
			n--
			undo := undoLines(o, made, going[n])
			if len(undo) > 0 && !titled {
				s.lines("", fmt.Sprintf("# %d. %s", i+1, w.Step(step)))
				titled = true
			}
			s.lines(undo...)
		}
	}
	s.lines("", "rm -r "+s.was)
	return s.String()
}

// undoLines are the commands that take one op back, unless it goes along with
// something that another op made.
func undoLines(o Op, made, own map[Ref]bool) []string {
	if scripter, ok := o.(Scripter); ok {
		if _, undo := scripter.Script(); undo != nil {
			return undo
		}
	}
	var lines []string
	for _, inverse := range o.Undo() {
		if slices.ContainsFunc(within(inverse), func(ref Ref) bool { return made[ref] && !own[ref] }) { // it goes along
			continue
		}
		lines = append(lines, inverse.Command().String())
	}
	return lines
}

type script struct {
	strings.Builder
	was string
}

func scriptStart(p Plan, w ScriptWords) *script {
	s := &script{was: `"$was"`}
	s.lines("#!/usr/bin/env bash")
	for _, line := range w.Head {
		s.lines(strings.TrimRight("# "+line, " "))
	}
	s.lines("was=/run/netlab-script-" + p.Lab)
	return s
}

func (s *script) lines(lines ...string) {
	for _, l := range lines {
		s.WriteString(l)
		s.WriteByte('\n')
	}
}
