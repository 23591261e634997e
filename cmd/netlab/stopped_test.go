package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/op"
)

// A teardown that was stopped after any of its commands can be turned back into
// a run.
func TestAStoppedTeardownCanBeRunAgain(t *testing.T) {
	for _, nat := range []string{"iptables", "nftables"} {
		t.Run(nat, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHost(t)
			before := settle(t)
			for n := 1; ; n++ {
				sh(t, "netlab run proxyarp --no-before -q --nat "+nat)
				if !stopTeardown(t, n) {
					break
				}
				sh(t, "netlab run proxyarp --no-before -q")
				sh(t, "netlab check -q")
				sh(t, "netlab teardown -q")
				if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
					t.Fatalf("stopped after %d commands (-before +after):\n%s", n, diff)
				}
			}
		})
	}
}

// stopTeardown stops a teardown of proxyarp after n commands; it tells whether
// there were so many.
func stopTeardown(t *testing.T, n int) bool {
	t.Helper()
	dir := journal.At(labsDir)
	j, err := dir.Open("proxyarp")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	k := kernel.Open()
	defer k.Close()
	r := &lab.Runner{Kernel: k, Codec: op.Codec{}, Dir: dir, Now: time.Now, Machine: "host", Emit: func(e lab.Event) {
		if e.Type == lab.UndoDone {
			if n--; n == 0 {
				stop()
			}
		}
	}}
	err = r.Teardown(ctx, j)
	if err != nil && !errors.Is(err, lab.ErrInterrupted) {
		t.Fatal(fmt.Errorf("teardown: %w", err))
	}
	return err != nil
}
