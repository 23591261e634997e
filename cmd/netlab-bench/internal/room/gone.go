package room

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// How often it is looked whether the kernel has let go, and how long at most.
const (
	glance   = time.Millisecond
	patience = 2 * time.Minute
)

// links are the names of the devices in the calling process's namespace.
func links() (map[string]bool, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, i := range all {
		names[i.Name] = true
	}
	return names, nil
}

// waitForDevices waits until none of the devices is there. It asks for one after
// the other by name, which takes no lock and does not slow their end.
func waitForDevices(names []string) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	deadline := time.Now().Add(patience)
	for _, name := range names {
		request, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		for unix.IoctlIfreq(socket, unix.SIOCGIFINDEX, request) == nil {
			if time.Now().After(deadline) {
				return fmt.Errorf("%s is there after %v", name, patience)
			}
			time.Sleep(glance)
		}
	}
	return nil
}

// namespaceLimit is how many network namespaces the calling process's user
// namespace may have (namespaces(7)).
const namespaceLimit = "/proc/sys/user/max_net_namespaces"

// WaitForNamespaces waits until the user namespace has no more than count network
// namespaces. One counts until the kernel has freed it, which is the last thing
// that it does for it (cleanup_net, net/core/net_namespace.c): by then its devices,
// routes and all else are gone. We see it by the limit: one more is refused until
// then.
func WaitForNamespaces(count int) error {
	was, err := os.ReadFile(namespaceLimit)
	if err != nil {
		return err
	}
	if err := os.WriteFile(namespaceLimit, []byte(strconv.Itoa(count+1)), 0); err != nil {
		return fmt.Errorf("limit the network namespaces: %w", err)
	}
	err = oneMore()
	return errors.Join(err, os.WriteFile(namespaceLimit, []byte(strings.TrimSpace(string(was))), 0))
}

// oneMore makes one more network namespace, as soon as it is allowed, and drops it.
func oneMore() error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and thrown away
		for deadline := time.Now().Add(patience); ; time.Sleep(glance) {
			err := unix.Unshare(unix.CLONE_NEWNET)
			if !errors.Is(err, unix.ENOSPC) || time.Now().After(deadline) {
				done <- err
				return
			}
		}
	}()
	if err := <-done; err != nil {
		return fmt.Errorf("make one more network namespace: %w", err)
	}
	return nil
}
