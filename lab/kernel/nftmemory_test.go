package kernel

import (
	"errors"
	"io/fs"
	"os/exec"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
)

// What others change in the ruleset is seen at once, also where it was read just
// before.
func TestARulesetThatWasReadIsReadAnewOnceItChanges(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	nft := func(command string) {
		t.Helper()
		if out, err := exec.Command("nft", command).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
	}
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("no nft here")
	}
	k := Open()
	defer k.Close()
	f := k.Firewall()
	expect := func(when string, chains, rules int) {
		t.Helper()
		for range 2 { // read, and remembered
			all, err := f.NftChains()
			if err != nil || len(all) != chains {
				t.Errorf("%s: %d chains, %v; want %d", when, len(all), err, chains)
			}
			some, err := f.NftRules("ip", "t", "c")
			if rules < 0 && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil || len(some) != rules {
				t.Errorf("%s: %d rules, %v; want %d", when, len(some), err, rules)
			}
		}
	}
	expect("empty", 0, -1)
	nft("add table ip t; add chain ip t c; add chain ip t d")
	expect("two chains", 2, 0)
	nft("add rule ip t c drop; add rule ip t c accept")
	expect("two rules", 2, 2)
	nft("delete chain ip t d")
	expect("a chain less", 1, 2)
	nft("flush chain ip t c")
	expect("no rules", 1, 0)
	nft("delete table ip t")
	expect("no table", 0, -1)
}

func TestAFrozenFirewallIsReadAgainWhenItChangesUnderway(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("no nft here")
	}
	k := Open()
	defer k.Close()
	add := func(chain string) {
		t.Helper()
		if out, err := exec.Command("nft", "add table ip t; add chain ip t "+chain).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	add("a")
	var seen []int
	err := k.Firewall().Frozen(func(f *Firewall) error {
		for range 2 {
			chains, err := f.NftChains()
			if err != nil {
				return err
			}
			seen = append(seen, len(chains))
			if len(seen) == 1 {
				add("b") // by somebody else, between two reads
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 1, 2, 2}, seen); diff != "" {
		t.Errorf("chains as seen: %s", diff)
	}
	work := 0
	err = k.Firewall().Frozen(func(f *Firewall) error {
		work++
		if _, err := f.NftChains(); err != nil {
			return err
		}
		add("c" + strconv.Itoa(work))
		return nil
	})
	if !errors.Is(err, errChanging) || work != patience {
		t.Errorf("a ruleset that never rests: %v after %d times", err, work)
	}
}
