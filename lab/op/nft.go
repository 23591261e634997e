package op

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/google/nftables"

	"netlab/lab"
	"netlab/lab/kernel"
)

// NftTableAdd makes a table of the host's nftables, meant for one lab alone.
type NftTableAdd struct {
	Family string `json:"family"` // "ip"
	Table  string `json:"table"`  // such as "netlab-proxyarp"
}

// NftTableDel deletes a table that is empty by now. One that still holds a
// chain, a set or anything else is in use, and stays as it is.
type NftTableDel NftTableAdd

// NftChainAdd makes a base chain: one that packets go through at a hook.
type NftChainAdd struct {
	Family   string `json:"family"`
	Table    string `json:"table"`
	Chain    string `json:"chain"`
	Type     string `json:"type"`     // "nat", "filter"
	Hook     string `json:"hook"`     // "postrouting", "forward"
	Priority int32  `json:"priority"` // 100 is where source NAT belongs
	Policy   string `json:"policy"`   // "accept" or "drop"
}

// NftChainDel deletes that chain once it is empty. One with a rule in it, or
// whose policy was changed, is in use.
type NftChainDel NftChainAdd

func (NftTableAdd) Kind() string { return "nft-table-add" }
func (NftTableDel) Kind() string { return "nft-table-del" }
func (NftChainAdd) Kind() string { return "nft-chain-add" }
func (NftChainDel) Kind() string { return "nft-chain-del" }

func (o NftTableAdd) Command() lab.Command {
	return lab.Command{"nft", "add", "table", o.Family, o.Table}
}

func (o NftTableDel) Command() lab.Command {
	return lab.Command{"nft", "delete", "table", o.Family, o.Table}
}

func (o NftChainAdd) Command() lab.Command {
	return lab.Command{"nft", "add", "chain", o.Family, o.Table, o.Chain,
		"{ type " + o.Type + " hook " + o.Hook + " priority " + o.priority() + "; policy " + o.Policy + "; }"}
}

func (o NftChainDel) Command() lab.Command {
	return lab.Command{"nft", "delete", "chain", o.Family, o.Table, o.Chain}
}

// priority is by name where nft has one for it.
func (o NftChainAdd) priority() string {
	switch {
	case o.Priority == 100 && o.Hook == "postrouting":
		return "srcnat"
	case o.Priority == 0 && o.Type == "filter":
		return "filter"
	}
	return strconv.Itoa(int(o.Priority))
}

func (o NftTableAdd) Undo() []lab.Op { return []lab.Op{NftTableDel(o)} }
func (o NftTableDel) Undo() []lab.Op { return []lab.Op{NftTableAdd(o)} }
func (o NftChainAdd) Undo() []lab.Op { return []lab.Op{NftChainDel(o)} }
func (o NftChainDel) Undo() []lab.Op { return []lab.Op{NftChainAdd(o)} }

// Shared: iptables-nft's tables, which the undo of a rule deletes, may serve
// several labs. A table of one lab's own has a name that no other lab uses.
func (o NftTableDel) Shared() string { return nftShared(o.Family, o.Table) }

func (o NftTableAdd) object() string { return "nft table " + o.Family + " " + o.Table }
func (o NftChainAdd) object() string { return "nft chain " + o.Family + " " + o.Table + " " + o.Chain }

func (o NftTableAdd) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	_, err := k.Firewall().NftTable(o.Family, o.Table)
	return o.Undo(), vacant(err, o.object())
}

func (o NftChainAdd) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	_, err := k.Firewall().NftChain(o.Family, o.Table, o.Chain)
	return o.Undo(), vacant(err, o.object())
}

func (o NftTableDel) Inverse(*kernel.Kernel) ([]lab.Op, error) { return o.Undo(), nil }
func (o NftChainDel) Inverse(*kernel.Kernel) ([]lab.Op, error) { return o.Undo(), nil }

func (o NftTableAdd) Apply(k *kernel.Kernel) error {
	err := k.Firewall().AddNftTable(o.Family, o.Table)
	if errors.Is(err, fs.ErrExist) {
		return vacant(nil, o.object())
	}
	return err
}

func (o NftTableDel) Apply(k *kernel.Kernel) error {
	return undone(k.Firewall().DelNftTable(o.Family, o.Table), NftTableAdd(o).object())
}

func (o NftChainAdd) Apply(k *kernel.Kernel) error {
	family, err := kernel.NftFamily(o.Family)
	if err != nil {
		return err
	}
	hook, err := kernel.NftHook(o.Hook)
	if err != nil {
		return err
	}
	policy, err := o.policy()
	if err != nil {
		return err
	}
	return k.Firewall().AddNftChain(&nftables.Chain{
		Table:    &nftables.Table{Family: family, Name: o.Table},
		Name:     o.Chain,
		Type:     nftables.ChainType(o.Type),
		Hooknum:  &hook,
		Priority: nftables.ChainPriorityRef(nftables.ChainPriority(o.Priority)),
		Policy:   &policy,
	})
}

func (o NftChainAdd) policy() (nftables.ChainPolicy, error) {
	switch o.Policy {
	case "accept":
		return nftables.ChainPolicyAccept, nil
	case "drop":
		return nftables.ChainPolicyDrop, nil
	}
	return 0, fmt.Errorf("%s: unknown policy %q", o.object(), o.Policy)
}

func (o NftChainDel) Apply(k *kernel.Kernel) error {
	policy, err := NftChainAdd(o).policy()
	if err != nil {
		return err
	}
	err = k.Firewall().DelNftChain(o.Family, o.Table, o.Chain, policy)
	return undone(err, NftChainAdd(o).object())
}

func (o NftTableAdd) Verify(k *kernel.Kernel) error {
	t, err := k.Firewall().NftTable(o.Family, o.Table)
	if err != nil {
		return missing(err, o.object())
	}
	if t.Flags != 0 {
		return &lab.Mismatch{Object: o.object(), Field: "flags", Want: "none", Found: "dormant or owned"}
	}
	return nil
}

func (o NftChainAdd) Verify(k *kernel.Kernel) error {
	hook, err := kernel.NftHook(o.Hook)
	if err != nil {
		return err
	}
	policy, err := o.policy()
	if err != nil {
		return err
	}
	c, err := k.Firewall().NftChain(o.Family, o.Table, o.Chain)
	if err != nil {
		return missing(err, o.object())
	}
	if c.Hooknum == nil || c.Priority == nil || c.Policy == nil {
		return &lab.Mismatch{Object: o.object(), Field: "hook", Want: o.Hook, Found: "none"}
	}
	switch {
	case string(c.Type) != o.Type:
		return &lab.Mismatch{Object: o.object(), Field: "type", Want: o.Type, Found: string(c.Type)}
	case *c.Hooknum != hook:
		return &lab.Mismatch{Object: o.object(), Field: "hook", Want: o.Hook, Found: fmt.Sprintf("hook %d", *c.Hooknum)}
	case int32(*c.Priority) != o.Priority:
		return &lab.Mismatch{Object: o.object(), Field: "priority",
			Want: strconv.Itoa(int(o.Priority)), Found: strconv.Itoa(int(*c.Priority))}
	case *c.Policy != policy:
		return &lab.Mismatch{Object: o.object(), Field: "policy", Want: o.Policy, Found: "another"}
	}
	return nil
}

func (o NftTableDel) Verify(k *kernel.Kernel) error {
	_, err := k.Firewall().NftTable(o.Family, o.Table)
	return absent(err, NftTableAdd(o).object())
}

func (o NftChainDel) Verify(k *kernel.Kernel) error {
	_, err := k.Firewall().NftChain(o.Family, o.Table, o.Chain)
	return absent(err, NftChainAdd(o).object())
}
