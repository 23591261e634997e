package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// randomBed is a pretend host on which sequences are tried, in this process: the
// engine is what `netlab run` has, less its checks, which take their time.
type randomBed struct {
	t       *testing.T
	a       *app
	setup   string // a script that makes the host differ
	whole   string // the snapshot before all
	before  string // the glance before a sequence
	rebuilt bool
	claims  []claim
	events  []string // of the last deed, what went wrong
}

func newRandomBed(t *testing.T, setup string) *randomBed {
	t.Helper()
	pretendHost(t)
	sh(t, setup)
	if err := machine.SandboxMarker("pretended").Write(); err != nil {
		t.Fatal(err)
	}
	b := &randomBed{t: t, setup: setup}
	b.a = &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, now: time.Now, labs: journal.At(labsDir), output: "text", quiet: true}
	if err := b.a.speak("en"); err != nil {
		t.Fatal(err)
	}
	b.whole = settle(t)
	b.before = glanced(b.t)
	return b
}

// try does a sequence, tears all down and says what is wrong then; empty: nothing.
// After that the host is as it was, if need be by making it anew.
func (b *randomBed) try(s sequence) (wrong string) {
	b.claims = nil
	defer func() {
		if wrong != "" {
			b.rebuild()
		}
	}()
	for _, d := range s.deeds {
		b.events = nil
		if err := b.do(s, d); err != nil {
			return fmt.Sprintf("%s: %v", s.line(d), err)
		}
	}
	b.events = nil
	labs, err := b.a.labs.Labs()
	if err != nil {
		return err.Error()
	}
	for _, name := range labs {
		if err := b.teardown(b.a.labs, name); err != nil {
			return fmt.Sprintf("teardown of %s: %v", name, err)
		}
	}
	for _, c := range b.claims {
		if err := c.there(); err != nil {
			return fmt.Sprintf("what others made is lost: %s: %v\n%s", c.what, err, strings.Join(b.events, "\n"))
		}
	}
	for _, c := range slices.Backward(b.claims) {
		if out, err := shell(c.gone); err != nil {
			return fmt.Sprintf("%s: %v %s", c.gone, err, out)
		}
	}
	if now := b.settled(); now != b.before {
		return "the host is not as it was (-before +after):\n" + cmp.Diff(strings.Split(b.before, "\n"), strings.Split(now, "\n")) + strings.Join(b.events, "\n")
	}
	return ""
}

// settled is a glance once what the kernel takes away in its own time is gone.
func (b *randomBed) settled() string {
	now := glanced(b.t)
	for deadline := time.Now().Add(2 * time.Second); now != b.before && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		now = glanced(b.t)
	}
	return now
}

// rebuild makes the host anew, after something went wrong.
func (b *randomBed) rebuild() {
	b.t.Helper()
	b.rebuilt = true
	sh(b.t, `for n in $(ls /run/netns); do ip netns del $n || rm -f /run/netns/$n; done
		for l in $(ls /sys/class/net); do [ $l = lo ] || ip link del $l || :; done
		nft flush ruleset; rm -rf `+filepath.Dir(labsDir))
	waitFor(b.t, "the devices to go", func() bool { return strings.TrimSpace(sh(b.t, "ls /sys/class/net")) == "lo" })
	k := kernel.Open()
	defer k.Close()
	if err := machine.BuildWorld(k); err != nil {
		b.t.Fatal(err)
	}
	if err := machine.SandboxMarker("pretended").Write(); err != nil {
		b.t.Fatal(err)
	}
	sh(b.t, b.setup)
	settle(b.t)
	b.before = glanced(b.t)
}

// died is what a process that is killed at a boundary of its journal panics with.
var errDied = errors.New("killed")

// do does one deed. What fails as it should is no error.
func (b *randomBed) do(s sequence, d deed) (err error) {
	l := s.labs[d.slot]
	if d.wait > 0 {
		return b.killedAfter(l, d)
	}
	dir := b.a.labs
	if at := d.kill; at > 0 {
		dir = dir.Observed(func() {
			if at--; at == 0 {
				panic(errDied)
			}
		})
	}
	defer func() {
		if died := recover(); died != nil && died != any(errDied) {
			panic(died)
		}
	}()
	switch d.verb {
	case "run":
		err = b.run(dir, l, d)
	case "check":
		err = b.check(l)
	case "teardown":
		err = b.teardown(dir, l.name)
	default:
		return b.meddle(l, d)
	}
	var usage *usageError
	var cannot *cannotError
	switch {
	case errors.Is(err, lab.ErrFailed), errors.Is(err, fs.ErrNotExist), errors.As(err, &usage), errors.As(err, &cannot), errors.Is(err, lab.ErrTaken):
		return nil // as it may be after what others did
	}
	return err
}
