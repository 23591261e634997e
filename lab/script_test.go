package lab_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
)

// saved is a set whose script reads what was there.
type saved struct{ set }

func (o saved) Script() (save, undo []string) {
	return []string{"read " + o.Key + ` >"$was/` + o.Key + `"`}, []string{"put back " + o.Key}
}

var words = lab.ScriptWords{
	Head:    []string{"A house.", "", "Run it as root."},
	Was:     "what was there",
	Step:    func(s lab.Step) string { return "Build the " + s.ID },
	Refusal: func(s lab.Step, r lab.Refusal) string { return "Not yet: " + r.ID + " of " + s.ID },
}

func scripted(w *world) lab.Plan {
	return lab.Plan{Lab: "house", Steps: []lab.Step{
		{ID: "ground", Ops: []lab.Op{object{w, space}, object{w, outer}, object{w, inner}}},
		{
			ID:       "garden",
			Refusals: []lab.Refusal{{ID: "winter", Op: set{w: w, Key: "tree", Value: "oak"}, Errno: syscall.EPERM}},
			Ops: []lab.Op{
				set{w: w, Key: "tree", Value: "an oak", In: []lab.Ref{space}},
				saved{set{w: w, Key: "lawn", Value: "1"}},
			},
		},
		{ID: "sign", Ops: []lab.Op{set{w: w, Key: "on-outer", Value: "1", In: []lab.Ref{outer}}}},
	}}
}

func TestScriptDoesWhatThePlanDoes(t *testing.T) {
	t.Parallel()
	want := `#!/usr/bin/env bash
# A house.
#
# Run it as root.
was=/run/netlab-script-house
set -e
mkdir "$was"   # what was there

# 1. Build the ground
make space
make outer
make inner

# 2. Build the garden
# Not yet: winter of garden
if set tree oak; then exit 1; fi
set tree 'an oak'
read lawn >"$was/lawn"
set lawn 1

# 3. Build the sign
set on-outer 1
`
	got := scripted(newWorld()).Script(words)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	bashTakes(t, got)
}

func TestUndoScriptLeavesOutWhatGoesAlong(t *testing.T) {
	t.Parallel()
	want := `#!/usr/bin/env bash
# A house.
#
# Run it as root.
was=/run/netlab-script-house

# 2. Build the garden
put back lawn

# 1. Build the ground
remove outer
remove space

rm -r "$was"
`
	got := scripted(newWorld()).UndoScript(words)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	bashTakes(t, got)
}

// bashTakes fails the test unless bash can read a script, which it does not run.
func bashTakes(t *testing.T, script string) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(bash, "-n", filepath.Clean("/dev/stdin"))
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("bash: %v\n%s", err, out)
	}
}
