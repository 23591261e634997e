package kernel_test

import (
	"errors"
	"io/fs"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

func TestAPeersNamespaceIsFoundByItsNumber(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := kernel.Open()
	defer k.Close()
	sleeper := exec.Command("unshare", "-n", "sleep", "60")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = sleeper.Process.Kill()
		_ = sleeper.Wait()
	}()
	pid := strconv.Itoa(sleeper.Process.Pid)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if n, err := k.Namespace("pid:" + pid); err == nil && k.Called(n) == "pid:"+pid {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no namespace of its own")
		}
	}
	for _, argv := range [][]string{
		{"ip", "netns", "add", "named"},
		{"ip", "link", "add", "v1", "type", "veth", "peer", "name", "p1", "netns", "named"},
		{"ip", "link", "add", "v2", "type", "veth", "peer", "name", "p2", "netns", pid},
	} {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v %s", argv, err, out)
		}
	}
	fresh := kernel.Open() // that has opened none of them
	defer fresh.Close()
	host, err := fresh.Namespace(kernel.Host)
	if err != nil {
		t.Fatal(err)
	}
	for dev, want := range map[string]string{"v1": "named", "v2": "pid:" + pid} {
		link, err := host.Link(dev)
		if err != nil {
			t.Fatal(err)
		}
		n, err := fresh.Across(host, link.Attrs().NetNsID)
		if err != nil || fresh.Called(n) != want {
			t.Errorf("%s: %v, %v, want %s", dev, n, err, want)
		}
	}
	if _, err := fresh.Across(host, 4711); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unknown number: %v", err)
	}
	named, err := fresh.Namespace("named")
	if err != nil {
		t.Fatal(err)
	}
	link, err := named.Link("p1")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := fresh.Across(named, link.Attrs().NetNsID); err != nil || n.Name != kernel.Host {
		t.Errorf("back: %v, %v", n, err)
	}
	for _, name := range []string{"pid:1", "pid:0"} {
		if err := fresh.DelNetns("pid:1"); err == nil {
			t.Errorf("%s was deleted", name)
		}
	}
	if _, err := fresh.Namespace("pid:999999999"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such process: %v", err)
	}
}
