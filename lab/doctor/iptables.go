package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/nftables"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// variants are what iptables is here, and how many rules each variant has. The
// kernel goes through both sets, whichever `iptables` shows.
type variants struct {
	there       bool
	nft         bool   // `iptables` is that variant
	other       string // the program of the other variant; empty: there is none
	nftRules    int
	legacyRules int
}

func iptables(q Question) ([]machine.Finding, error) {
	v, err := readVariants(q)
	return judgeVariants(v), err
}

// legacyRules are a chain's, as kernel.Firewall.LegacyRules reads it.
func (q Question) legacyRules(table, chain string) ([]string, error) {
	if _, err := os.ReadFile("/proc/net/ip_tables_names"); q.gentle && errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	return q.Kernel.Firewall().LegacyRules(table, chain)
}

func readVariants(q Question) (variants, error) {
	var v variants
	f := q.Kernel.Firewall()
	t, err := f.IPTables()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return v, err
	}
	if err == nil {
		v.there, v.nft = true, t.NFT
	}
	if other, err := f.IPTablesOf(!v.nft); err == nil && v.there {
		v.other = filepath.Base(other.Path)
	}
	chains, err := f.NftChains()
	if err != nil {
		return v, err
	}
	for _, c := range chains {
		if !ofIptables(c) {
			continue
		}
		n, err := countRules(f, "ip", c)
		if err != nil {
			return v, err
		}
		v.nftRules += n
	}
	for _, chain := range []struct{ table, name string }{
		{"filter", "INPUT"}, {"filter", "FORWARD"}, {"filter", "OUTPUT"},
		{"nat", "PREROUTING"}, {"nat", "POSTROUTING"}, {"nat", "OUTPUT"},
	} {
		lines, err := q.legacyRules(chain.table, chain.name)
		if err != nil {
			return v, err
		}
		v.legacyRules += countLines(lines)
	}
	return v, nil
}

// countLines counts the rules among what `iptables -S` prints, and a policy that
// drops.
func countLines(lines []string) int {
	n := 0
	for _, l := range lines {
		if strings.HasPrefix(l, "-A ") || strings.HasPrefix(l, "-P ") && !strings.HasSuffix(l, " ACCEPT") {
			n++
		}
	}
	return n
}

func judgeVariants(v variants) []machine.Finding {
	if !v.there {
		found := []machine.Finding{ok(NoIptables)}
		if v.legacyRules > 0 {
			found = append(found, warn(OtherRules, nil, "variant", "nft", "other", "legacy", "count", strconv.Itoa(v.legacyRules)))
		}
		return found
	}
	variant, other, rules, look := "legacy", "nft", v.nftRules, lab.Command{"nft", "list", "ruleset"}
	if v.nft {
		variant, other, rules, look = "nft", "legacy", v.legacyRules, nil
	}
	if v.other != "" {
		look = lab.Command{v.other, "-S"}
	}
	if rules == 0 {
		return []machine.Finding{ok(IptablesIs, "variant", variant)}
	}
	return []machine.Finding{
		ok(IptablesMixed, "variant", variant),
		warn(OtherRules, look, "variant", variant, "other", other, "count", strconv.Itoa(rules)),
	}
}

// ofIptables tells whether a chain is one that iptables-nft shows: those of
// tables with iptables' names, whose base chains are written large.
func ofIptables(c *nftables.Chain) bool {
	names := []string{"filter", "nat", "mangle", "raw", "security"}
	return c.Table.Family == nftables.TableFamilyIPv4 && slices.Contains(names, c.Table.Name) &&
		(c.Hooknum == nil || strings.ToUpper(c.Name) == c.Name)
}

// countRules counts a chain's rules, and a policy that drops. A chain that has
// gone meanwhile has none.
func countRules(f *kernel.Firewall, family string, c *nftables.Chain) (int, error) {
	rules, err := f.NftRules(family, c.Table.Name, c.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	n := len(rules)
	if c.Hooknum != nil && c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop {
		n++
	}
	return n, err
}
