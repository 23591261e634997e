// Package challenges has labs that are up and broken, for people to repair: each
// is one Markdown file, data and words together, and for each further language a
// file of words. docs/writing-a-challenge.md describes them.
package challenges

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netlab/lab"
	"netlab/lab/op"
	"netlab/lab/probe"
	"netlab/scenarios"
)

// Challenge is a lab to repair. Its texts and commands have names in braces for
// values; see Setting.Fill.
type Challenge struct {
	Name     string
	Scenario scenarios.Scenario // what is broken
	Level    int                // 1 is easy, 3 is nasty
	// Iptables: it needs the program iptables, and NAT to be done with that.
	Iptables bool
	// Sandboxed: what breaks it, or its scenario, would take from a host what others
	// need of it, such as its default route, so it never runs on one.
	Sandboxed bool
	// Broken are the commands that break it: changes, each that of an op, and pings,
	// which are answered still and leave something in a cache.
	Broken []string
	// Fails are the IDs of the checks that fail then. All others hold.
	Fails []string
	// Claims show that what else the complaint says is so.
	Claims []Proof
	// Last are checks that would put a cache right by asking: they are tried only
	// once all others hold.
	Last []string
	// Checks are tried besides those of the scenario's steps.
	Checks []Check
	// Keep are changes that must be as they say for the challenge to be won.
	Keep     []string
	Hints    []Proof  // from a nudge to all but the solution; their texts stand in Words
	Solution []string // commands for a shell
	Words    Words
}

// Check is one that the scenario lacks.
type Check struct {
	ID      string
	Command string // a ping
}

// Proof is how it can be seen in the broken lab that something said is so.
type Proof struct {
	Command string // for a shell
	// Shows are the lines that it prints then, or parts of them: ~ before one says
	// that it is not there.
	Shows []string
}

// Words are what is said of a challenge in one language.
type Words struct {
	Title       string
	Symptom     string
	Hints       []string // as many as Challenge.Hints
	Solution    string   // may be empty
	Explanation string
	Checks      map[string]scenarios.CheckWords // of Challenge.Checks
}

// StepPrefix begins the IDs of the steps that break a lab.
const StepPrefix = "challenge-"

// BreaksIn tells whether a step is one that breaks a lab.
func BreaksIn(stepID string) bool { return strings.HasPrefix(stepID, StepPrefix) }

// Values are those that the scenario is built with.
func (c Challenge) Values() scenarios.Values {
	v := c.Scenario.Defaults()
	if _, ok := v["nat"]; ok && c.Iptables {
		v["nat"] = "iptables"
	}
	return v
}

// Fill puts the scenario's values in a text, the lab's name for {lab}, and for {router}
// the gateway of the host's default route.
func (c Challenge) Fill(text string, s scenarios.Setting) string {
	return scenarios.Fill(text, c.Scenario.Words(s), map[string]string{"lab": s.Lab, "router": s.Facts.Router})
}

// Steps are the scenario's, and those that break it.
func (c Challenge) Steps(s scenarios.Setting) ([]lab.Step, error) {
	steps := c.Scenario.Steps(s)
	now := lab.Step{ID: StepPrefix + "1"}
	begin := func() {
		steps = append(steps, now)
		now = lab.Step{ID: StepPrefix + strconv.Itoa(len(steps)+1)}
	}
	for _, line := range c.Broken {
		if p, err := parsePing(c.Fill(line, s)); err == nil {
			now.Checks = []lab.Check{{ID: "traffic", Probe: p}}
			begin()
			continue
		}
		o, err := c.op(line, s)
		if err != nil {
			return nil, err
		}
		now.Ops = append(now.Ops, o)
	}
	if len(now.Ops) > 0 {
		begin()
	}
	return steps, nil
}

func (c Challenge) op(line string, s scenarios.Setting) (lab.Op, error) {
	command, err := lab.ParseCommand(c.Fill(line, s))
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", c.Name, line, err)
	}
	o, err := op.Parse(command, s.Facts.IptablesNFT)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	return o, nil
}

var errNoPing = errors.New("not of the form [ip netns exec NS] ping -c1 [-s SIZE] ADDRESS")

func parsePing(line string) (probe.Ping, error) {
	c, err := lab.ParseCommand(line)
	if err != nil {
		return probe.Ping{}, err
	}
	var p probe.Ping
	words := c
	if len(words) > 4 && slices.Equal(words[:3], lab.Command{"ip", "netns", "exec"}) {
		p.NS, words = words[3], words[4:]
	}
	if len(words) == 5 && words[2] == "-s" {
		if p.Size, err = strconv.Atoi(words[3]); err != nil {
			return p, err
		}
	}
	if p.Dst, err = netip.ParseAddr(c[max(0, len(c)-1)]); err != nil {
		return p, err
	}
	if !slices.Equal(p.Command(), c) {
		return p, fmt.Errorf("%s: %w", line, errNoPing)
	}
	return p, nil
}

// checks are all that are tried, in order, each with its step.
func (c Challenge) checks(s scenarios.Setting) ([]placed, error) {
	var first, last []placed
	add := func(p placed) {
		if slices.Contains(c.Last, p.ID) {
			last = append(last, p)
			return
		}
		first = append(first, p)
	}
	for _, step := range c.Scenario.Steps(s) {
		for _, check := range step.Checks {
			if check.Until == "" {
				add(placed{step.ID, check})
			}
		}
	}
	for _, check := range c.Checks {
		p, err := parsePing(c.Fill(check.Command, s))
		if err != nil {
			return nil, fmt.Errorf("%s: check %s: %w", c.Name, check.ID, err)
		}
		add(placed{StepPrefix + "1", lab.Check{ID: check.ID, Probe: p}})
	}
	return append(first, last...), nil
}

// placed is a check of a step.
type placed struct {
	step string
	lab.Check
}
