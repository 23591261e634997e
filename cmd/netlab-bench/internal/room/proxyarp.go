package room

import (
	"fmt"
	"os/exec"
	"time"

	"netlab/cmd/netlab-bench/internal/result"
)

// proxyARP has the script and netlab build the scenario proxyarp in turns, and
// prove it: the script with arping and two pings. iputils' arping ends with the first
// answer only when told by -f; else it waits out its second.
func proxyARP(netlab string, turns int) ([]result.Turn, error) {
	script := scratch + "/proxyarp"
	if err := sh(netlab + " script proxyarp > " + script + ".sh && " + netlab + " script proxyarp --undo > " + script + "-undo.sh"); err != nil {
		return nil, err
	}
	const (
		arping = " && ip netns exec ns1 arping -f -c1 -I c-eth0 169.254.1.1"
		pings  = " && ip netns exec ns1 ping -qc1 192.0.2.2 && ip netns exec ns1 ping -qc1 192.0.2.1"
	)
	undo := netlab + " teardown -q"
	sides := []struct{ name, do, undo string }{
		{result.SideScript, "bash " + script + ".sh" + arping + pings, "bash " + script + "-undo.sh"},
		{result.SideNoBefore, "exec " + netlab + " run proxyarp --no-before -q", undo},
		{result.SideRun, "exec " + netlab + " run proxyarp -q", undo},
	}
	var all []result.Turn
	for turn := range turns {
		for i := range sides {
			side := sides[(turn+i)%len(sides)] // each comes first in its turn
			began := time.Now()
			if err := sh(side.do); err != nil {
				return nil, fmt.Errorf("%s, turn %d: %w", side.name, turn+1, err)
			}
			all = append(all, result.Turn{Side: side.name, Turn: turn, MS: since(began)})
			if err := sh(side.undo); err != nil {
				return nil, fmt.Errorf("take away %s, turn %d: %w", side.name, turn+1, err)
			}
			if err := WaitForNamespaces(ofRoom); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func sh(script string) error {
	out, err := exec.Command("bash", "-c", script).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
