package op

import (
	"strings"
	"testing"

	"netlab/lab/kernel/kerneltest"
)

// A deletion may be stopped before it is made, or after: the rule stands once when it
// is taken back.
func TestADeletedRuleIsPutBackOnce(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	for _, nft := range []bool{true, false} {
		b := newFirewallBench(t, nft)
		rule := masquerade(nft)
		b.apply(rule)
		deletion := IptablesDelete(rule)
		back, err := deletion.Inverse(b.k)
		if err != nil {
			t.Fatal(err)
		}
		b.apply(back...)
		b.apply(deletion)
		b.mismatches(back...)
		b.apply(back...)
		b.apply(back...)
		lines, err := rule.lines(b.k)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(strings.Join(lines, "\n"), "MASQUERADE"); n != 1 {
			t.Errorf("nft %v: the rule stands %d times", nft, n)
		}
		b.apply(rule.Undo()...)
	}
}
