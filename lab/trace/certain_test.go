package trace

import (
	"context"
	"testing"
	"time"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

// A probe that its last place stops for certain is not waited for: here that would
// take an hour.
func TestACertainLossEndsTheWait(t *testing.T) {
	toPod2 := Request{From: "pod1", To: addr("10.244.1.2"), Patience: time.Hour}
	toB := Request{From: "a", To: addr("10.0.0.2"), Patience: time.Hour}
	for _, tt := range []struct {
		name, setup, want string
		request           Request
	}{
		{"forwarding", routed + known + "sysctl -qw net.ipv4.ip_forward=0", ForwardingOff, toPod2},
		{"reverse path", routed + known + "sysctl -qw net.ipv4.conf.cali1.rp_filter=1\nip route del 10.244.1.1", RPFilter, toPod2},
		{"firewall", pair + `
			ip netns exec b nft add table inet w
			ip netns exec b nft add chain inet w in { type filter hook input priority 0 ; policy drop ; }`, Firewall, toB},
		{"the answer", pair + "ip netns exec b sysctl -qw net.ipv4.icmp_echo_ignore_all=1", EchoIgnored, toB},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			sh(t, tt.setup)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			r, err := Run(ctx, openKernel(t), tt.request)
			if err != nil {
				t.Fatal(err)
			}
			if end := r.Journey.End; end.Reason != tt.want {
				t.Errorf("it ended %+v, want %s", end, tt.want)
			}
		})
	}
}

// What may still be answered, or might be for a reason that nobody can see, is waited for.
func TestWhatMayStillBeAnsweredIsNoCertainLoss(t *testing.T) {
	for _, end := range []lab.Ending{
		{Reason: NoNeighbour}, {Reason: NobodyHas}, {Reason: NoAnswer}, {Reason: LeftCaptures}, {Reason: Unknown},
		{Reason: Firewall, Values: map[string]string{"certain": "no"}},
	} {
		if certain(end) {
			t.Errorf("%+v is certain", end)
		}
	}
}
