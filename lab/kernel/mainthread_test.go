package kernel_test

import (
	"os"
	"testing"

	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

func TestVisitsLeaveTheProcessWhereItIs(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	where := func() string {
		ns, err := os.Readlink("/proc/self/ns/net") // the main thread's
		if err != nil {
			t.Fatal(err)
		}
		return ns
	}
	before := where()
	k := kernel.Open()
	defer k.Close()
	if err := k.AddNetns("a"); err != nil {
		t.Fatal(err)
	}
	n, err := k.Namespace("a")
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err := n.Do(func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if after := where(); after != before {
		t.Errorf("the process was in %s and is in %s", before, after)
	}
}
