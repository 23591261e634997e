package kernel_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

// What is closed later is closed, be it after a while.
func TestWhatIsClosedLaterIsClosed(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	var all []int
	for range 3 {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fd)
	}
	if n := packetSockets(t); n != len(all) {
		t.Fatalf("%d sockets were opened, %d are there", len(all), n)
	}
	kernel.CloseLater(all[:2]...)
	deadline := time.Now().Add(10 * time.Second)
	for packetSockets(t) != 1 {
		if time.Now().After(deadline) {
			t.Fatalf("%d sockets are there, want the one that was not closed", packetSockets(t))
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := unix.FcntlInt(uintptr(all[2]), unix.F_GETFD, 0); err != nil {
		t.Errorf("the one that was not closed: %v", err)
	}
	_ = unix.Close(all[2])
}

// packetSockets counts those of this namespace.
func packetSockets(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/thread-self/net/packet")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n") - 1 // the head
}
