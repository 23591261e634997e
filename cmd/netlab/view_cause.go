package main

import (
	"context"
	"strings"

	"netlab/lab"
	"netlab/lab/cause"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// causesSaid are the causes that a view has shown in full: one cause often fails
// several steps.
type causesSaid map[string]bool

// cause says why checks failed, and what to type.
func (v *textView) cause(e lab.Event) {
	text := v.causeWords(e.ID, e.Values)
	lead := "cause"
	if e.Values["certain"] == "no" {
		lead = "cause.perhaps"
	}
	if v.said == nil {
		v.said = causesSaid{}
	}
	if v.said[text] {
		v.prose(indent, v.fill(lead, "cause", v.say("cause.same")), nil)
		return
	}
	v.said[text] = true
	v.prose(indent, v.fill(lead, "cause", text), nil)
	if e.Command == "" {
		return
	}
	try := "cause.try"
	if v.inside() {
		try = "cause.try-inside"
	}
	v.prose(indent, v.fill(try, "lab", e.Lab), nil)
	v.command(indent+indent, e.Command)
}

// causeWords says what a cause is.
func (v *textView) causeWords(id string, values map[string]string) string {
	if id == lab.ChangeMissing {
		return v.changeMissing(values)
	}
	key := "cause." + id
	if _, ok := v.catalog[key+".found"]; ok && values["found"] != "" {
		key += ".found"
	}
	return scenarios.Fill(v.say(key), v.placed(values))
}

// changeMissing says which change is not there, and which step makes it.
func (v *textView) changeMissing(values map[string]string) string {
	object, want, step := v.object(values["object"]), values["want"], values["step"]
	in, placed := strings.CutPrefix(want, "in ")
	switch {
	case values["found"] != "missing":
		return v.fill("cause.change-differs", "object", object, "field", v.wordFor("field.", values["field"]),
			"want", v.state(want), "found", v.state(values["found"]), "step", step)
	case placed:
		in = v.placed(map[string]string{"in": in})["in"]
		return v.fill("cause.change-missing-in", "object", object, "in", in, "step", step)
	}
	return v.fill("cause.change-missing", "object", object, "step", step)
}

// inside tells whether the lab is in a sandbox, where a person's own shell is not.
func (v *textView) inside() bool {
	_, inside, err := machine.Here()
	return err == nil && inside
}

// explain makes what a plan asks why checks failed.
func explain(s scenarios.Scenario, setting scenarios.Setting) func(context.Context, *kernel.Kernel, string) ([]lab.Cause, error) {
	if s.Path == nil {
		return nil
	}
	return func(ctx context.Context, k *kernel.Kernel, stepID string) ([]lab.Cause, error) {
		return cause.Find(ctx, k, s.Path(setting, stepID))
	}
}
