package trace

import (
	"os/exec"
	"testing"

	"netlab/lab/kernel/kerneltest"
)

// Root alone may see which legacy tables there are.
func TestARuleOfIPTablesLegacyIsNamed(t *testing.T) {
	if !kerneltest.IsolateAsRoot(t) {
		return
	}
	if _, err := exec.LookPath("iptables-legacy"); err != nil {
		t.Skip("iptables-legacy is not installed")
	}
	k := openKernel(t)
	sh(t, routed+"iptables-legacy -w -A FORWARD -i cali1 -j DROP\n")
	r := follow(t, k, Request{From: "pod1", To: addr("10.244.1.2"), Patience: brief})
	end := r.Journey.End
	if end.Reason != Firewall || end.Values["backend"] != "iptables-legacy" || end.Values["chain"] != "FORWARD" || end.Values["certain"] != "" {
		t.Errorf("%+v", end)
	}
}
