package op

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"

	"netlab/lab"
	"netlab/lab/kernel"
)

// NftRuleAdd appends a rule that masquerades, or drops, what comes from a prefix. The
// comment, which can't be empty, is what makes it that rule.
type NftRuleAdd struct {
	Family  string       `json:"family"` // "ip", no other
	Table   string       `json:"table"`
	Chain   string       `json:"chain"`
	Saddr   netip.Prefix `json:"saddr"` // IPv4; bits beyond the prefix count for nothing
	Comment string       `json:"comment"`
	Drop    bool         `json:"drop,omitempty"` // not to masquerade, but to drop
}

// NftRuleDel deletes that rule, and no other. nft can delete a rule only by a
// number that must be looked up, so the command empties the chain, which in a
// table of the lab's own comes to the same.
type NftRuleDel NftRuleAdd

func (NftRuleAdd) Kind() string { return "nft-rule-add" }
func (NftRuleDel) Kind() string { return "nft-rule-del" }

// Command has the comment in the double quotes that nft itself wants to see.
func (o NftRuleAdd) Command() lab.Command {
	return lab.Command{"nft", "add", "rule", o.Family, o.Table, o.Chain,
		"ip", "saddr", o.Saddr.String(), "counter", o.verdict(), "comment", `"` + o.Comment + `"`}
}

func (o NftRuleAdd) verdict() string {
	if o.Drop {
		return "drop"
	}
	return "masquerade"
}

func (o NftRuleDel) Command() lab.Command {
	return lab.Command{"nft", "flush", "chain", o.Family, o.Table, o.Chain}
}

func (o NftRuleAdd) Undo() []lab.Op { return []lab.Op{NftRuleDel(o)} }
func (o NftRuleDel) Undo() []lab.Op { return []lab.Op{NftRuleAdd(o)} }

func (o NftRuleAdd) object() string {
	return "nft rule " + o.Comment + " in " + o.Family + " " + o.Table + " " + o.Chain
}

// Inverse: a rule with the same comment takes the place, whatever it does.
func (o NftRuleAdd) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	found, err := o.commented(k)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("%s: %w", o.object(), lab.ErrTaken)
	}
	return o.Undo(), nil
}

func (o NftRuleDel) Inverse(*kernel.Kernel) ([]lab.Op, error) { return o.Undo(), nil }

func (o NftRuleAdd) commented(k *kernel.Kernel) ([]*nftables.Rule, error) {
	return commented(k, o.Family, o.Table, o.Chain, o.Comment)
}

// rule is the rule as nft encodes it for the kernel: a prefix of whole bytes is
// compared as those bytes, any other through a mask.
func (o NftRuleAdd) rule() (*nftables.Rule, error) {
	family, err := kernel.NftFamily(o.Family)
	if err != nil {
		return nil, err
	}
	if family != nftables.TableFamilyIPv4 { // inet would need a match of the protocol first
		return nil, fmt.Errorf("%s: not in family ip", o.object())
	}
	if !o.Saddr.IsValid() || !o.Saddr.Addr().Is4() {
		return nil, fmt.Errorf("%s: source %s is no IPv4 prefix", o.object(), o.Saddr)
	}
	if o.Comment == "" || len(o.Comment) > 128 || strings.ContainsAny(o.Comment, "\"\n\x00") {
		return nil, fmt.Errorf("%s: the comment must have 1 to 128 bytes, without double quotes", o.object())
	}
	const saddr = 12 // where it stands in the IPv4 header
	const register = 1
	bits, addr := o.Saddr.Bits(), o.Saddr.Masked().Addr().AsSlice()
	length := 4
	if bits%8 == 0 && bits > 0 {
		length = bits / 8
	}
	exprs := []expr.Any{
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: saddr, Len: uint32(length)},
	}
	if length*8 != bits {
		exprs = append(exprs, &expr.Bitwise{
			SourceRegister: register, DestRegister: register, Len: 4,
			Mask: net.CIDRMask(bits, 32), Xor: make([]byte, 4),
		})
	}
	var verdict expr.Any = &expr.Masq{}
	if o.Drop {
		verdict = &expr.Verdict{Kind: expr.VerdictDrop}
	}
	return &nftables.Rule{
		Table: &nftables.Table{Family: family, Name: o.Table},
		Chain: &nftables.Chain{Name: o.Chain},
		Exprs: append(exprs,
			&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: addr[:length]},
			&expr.Counter{},
			verdict,
		),
		UserData: userdata.AppendString(nil, userdata.TypeComment, o.Comment),
	}, nil
}

func (o NftRuleAdd) Apply(k *kernel.Kernel) error {
	r, err := o.rule()
	if err != nil {
		return err
	}
	return k.Firewall().AddNftRule(r)
}

// Apply deletes the rule with that comment that does what ours does. A rule with
// the comment that does something else was changed by others.
func (o NftRuleDel) Apply(k *kernel.Kernel) error {
	rule, err := NftRuleAdd(o).rule()
	if err != nil {
		return err
	}
	err = k.Firewall().DelNftRule(o.Family, o.Table, o.Chain, func(r *nftables.Rule) bool {
		return sameRule(r, rule)
	})
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	found, err := NftRuleAdd(o).commented(k)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("%s: %w", NftRuleAdd(o).object(), lab.ErrChanged)
	}
	return fmt.Errorf("%s: %w", NftRuleAdd(o).object(), lab.ErrGone)
}

func (o NftRuleAdd) Verify(k *kernel.Kernel) error {
	rule, err := o.rule()
	if err != nil {
		return err
	}
	found, err := o.commented(k)
	if err != nil {
		return err
	}
	for _, r := range found {
		if sameRule(r, rule) {
			return nil
		}
	}
	mismatch := &lab.Mismatch{
		Object: o.object(), Field: "rule",
		Want: fmt.Sprintf("ip saddr %s counter %s", o.Saddr.Masked(), o.verdict()), Found: "missing",
	}
	if len(found) > 0 {
		mismatch.Found = "another one"
	}
	return mismatch
}

func (o NftRuleDel) Verify(k *kernel.Kernel) error {
	found, err := NftRuleAdd(o).commented(k)
	if err == nil && len(found) > 0 {
		return &lab.Mismatch{Object: NftRuleAdd(o).object(), Field: "rule", Want: "gone", Found: "there"}
	}
	return err
}
