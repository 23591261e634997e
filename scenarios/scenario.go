// Package scenarios has the labs that netlab can run: for each a Go file with
// its steps and, beside it, its words in Markdown, one file a language.
package scenarios

import (
	"errors"
	"fmt"
	"net/netip"

	"netlab/lab"
	"netlab/lab/cause"
)

// Scenario is a lab in general: what can be chosen of it, and its steps once
// that is chosen.
type Scenario struct {
	Name   string
	Params []Param
	// Check says what is wrong with a choice of values, one for each parameter.
	// The error wraps ErrBadValue.
	Check func(Values) error
	// Steps are the lab's steps in that setting, whose values Check accepts.
	Steps func(Setting) []lab.Step
	// Needs is what the lab takes for itself on the host.
	Needs func(Values) Needs
	// Words are the values and what follows from them, for use in words. Those of
	// all scenarios have "namespace", which is Home, and "uplink".
	Words func(Setting) map[string]string
	// Sandboxed: the lab takes away what a host needs, such as its default route,
	// so it never runs on one.
	Sandboxed bool
	// Path is the way of the pod's packets as it should be once a step is done,
	// for finding out why its checks fail; nil: it is not looked for.
	Path func(s Setting, stepID string) cause.Path
	// Home is the namespace that a shell opens in.
	Home func(Values) string
	// Talk is who talks to whom, of a lab of several pods that can be compared with
	// another such lab, and has a parameter "prefix" to be told from it; nil: none.
	Talk func(Values) Talk
	// Variations are what can be other than the lab has it.
	Variations []Variation
}

// Talk is a conversation between two pods of a lab, and who listens.
type Talk struct {
	From, To string     // namespaces
	Addr     netip.Addr // To's
	Watch    string     // the namespace that takes no part
}

// Param is something that a person can choose, with a flag of that name.
type Param struct {
	Name    string
	Default string
}

// Values are what was chosen, by parameter name.
type Values map[string]string

// Setting is all that a scenario's steps depend on.
type Setting struct {
	// Lab is the lab's name, which marks what it makes as its own. Empty: the
	// state was made by hand, and bears whatever mark it does.
	Lab    string
	Values Values
	Facts  lab.Facts
}

// Needs is what a lab takes for itself on a host, so that it can be refused
// before anything is touched.
type Needs struct {
	Namespaces []string
	// NameParam is the parameter that names the namespaces: the name of the only
	// one, or what the names of all begin with.
	NameParam string
	Links     []string // names of links made in the host's namespace, at least for a moment
	// Subnet is a prefix that the host will route into the lab, and SubnetParam the
	// parameter that chooses it.
	Subnet      string
	SubnetParam string
	Gateway     string // an address that must stay nobody's on the host; may be empty
	Outside     string // an address that must be reached beyond the host; may be empty
	// DefaultRoute: the lab works only where the host has one.
	DefaultRoute bool
}

// ErrBadValue: a value of a parameter can't be used.
var ErrBadValue = errors.New("bad value")

// BadValueError says why a value can't be used. It wraps ErrBadValue.
type BadValueError struct {
	Param string
	Value string
	// Why is an ID, under which the words stand; Values are for use in them.
	Why    string
	Values map[string]string
}

func (e *BadValueError) Error() string { return fmt.Sprintf("--%s %q: %s", e.Param, e.Value, e.Why) }
func (e *BadValueError) Unwrap() error { return ErrBadValue }

// badValue takes, after the reason, pairs of a name and its value.
func badValue(param, value, why string, pairs ...string) error {
	e := &BadValueError{Param: param, Value: value, Why: why, Values: map[string]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Values[pairs[i]] = pairs[i+1]
	}
	return e
}

// All lists the scenarios in the order to learn them.
func All() []Scenario {
	return []Scenario{ProxyARP(), Gateway(), Scope(), Calico(), PTP(), Bridge()}
}

// Named finds a scenario by its name.
func Named(name string) (Scenario, bool) {
	for _, s := range All() {
		if s.Name == name {
			return s, true
		}
	}
	return Scenario{}, false
}

// Defaults are the values of all parameters when none is chosen.
func (s Scenario) Defaults() Values {
	v := Values{}
	for _, p := range s.Params {
		v[p.Name] = p.Default
	}
	return v
}
