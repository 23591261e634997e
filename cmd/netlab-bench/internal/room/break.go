package room

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"

	"netlab/cmd/netlab-bench/internal/result"
	"netlab/cmd/netlab-bench/internal/ring"
)

// breaks is how many pods are broken.
const breaks = 3

// breakSome tells a pod, drawn by lot, not to answer pings, asks netlab whether
// the lab is all right, and mends the pod: three times. No op of netlab's has
// anything to do with that setting, so only who pings every pod can say that it is
// not. The first two pods are in every check, so they are left out.
func breakSome(netlab string, namespaces []string, r *result.Round) error {
	const ignore = "/proc/sys/net/ipv4/icmp_echo_ignore_all"
	for range breaks {
		pod := namespaces[2+rand.IntN(len(namespaces)-2)]
		if err := ring.Set(pod, ignore, "1"); err != nil {
			return err
		}
		out, err := exec.Command(netlab, "check", r.Lab, "-q").CombinedOutput()
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
			return fmt.Errorf("netlab check, with %s broken: %w: %s", pod, err, out)
		}
		r.Broken++
		if err != nil {
			r.Noticed++
		}
		if err := ring.Set(pod, ignore, "0"); err != nil {
			return err
		}
	}
	return nil
}
