package cause

import (
	"bytes"
	"encoding/binary"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"

	"netlab/lab/kernel"
)

// nftRules reads a chain's rules as they concern a packet.
func (f *finder) nftRules(p packet, family, table string) func(string) ([]rule, error) {
	return func(chain string) ([]rule, error) {
		all, err := f.firewall.NftRules(family, table, chain)
		if err != nil {
			return nil, err
		}
		rules := make([]rule, 0, len(all))
		for _, r := range all {
			if f.without != "" && kernel.HasComment(r, f.without) {
				f.own = chain
				continue
			}
			rules = append(rules, nftRule(p, r))
		}
		return rules, nil
	}
}

// nftRule evaluates the rule's expressions in turn, as nft_do_chain does
// (net/netfilter/nf_tables_core.c). A register that is not in the map holds
// what isn't known.
func nftRule(p packet, r *nftables.Rule) rule {
	e := evaluation{packet: p, registers: map[uint32][]byte{}, rule: rule{match: yes}}
	for _, x := range r.Exprs {
		e.step(x)
		if e.rule.match == no && e.rule.unless == "" {
			e.rule.unless = e.condition
		}
	}
	return e.rule
}

type evaluation struct {
	packet
	registers map[uint32][]byte
	what      string // what the last register was loaded with, as nft calls it
	condition string // the last comparison, as nft writes it; empty: can't be said
	rule      rule
}

func (e *evaluation) step(x expr.Any) {
	switch x := x.(type) {
	case *expr.Counter, *expr.Log, *expr.Notrack, *expr.FlowOffload, *expr.Objref:
	case *expr.Meta:
		if !x.SourceRegister {
			e.load(x.Register, e.meta(x.Key), metaWord(x.Key))
		}
	case *expr.Payload:
		if x.OperationType == expr.PayloadLoad {
			e.load(x.DestRegister, e.payload(x), payloadWord(x))
		}
	case *expr.Ct:
		var value []byte
		if x.Key == expr.CtKeySTATE {
			value = binary.NativeEndian.AppendUint32(nil, e.state)
		}
		if !x.SourceRegister {
			e.load(x.Register, value, "")
		}
	case *expr.Immediate:
		e.load(x.Register, x.Data, "")
	case *expr.Bitwise:
		e.load(x.DestRegister, masked(e.registers[x.SourceRegister], x.Mask, x.Xor), maskWord(e.what, x.Mask))
	case *expr.Cmp:
		e.compare(x)
	case *expr.Range:
		e.within(x)
	case *expr.Match:
		e.xtMatch(x)
	default:
		e.verdict(x)
	}
}

func (e *evaluation) load(register uint32, value []byte, what string) {
	e.registers[register], e.what = value, what
}

func (e *evaluation) and(a answer) {
	e.rule.match, e.rule.some = min(e.rule.match, a), true
}

func (e *evaluation) compare(x *expr.Cmp) {
	e.condition = comparison(e.what, x)
	value := e.registers[x.Register]
	if value == nil || len(value) < len(x.Data) {
		e.and(maybe)
		return
	}
	order := bytes.Compare(value[:len(x.Data)], x.Data)
	e.and(answered(map[expr.CmpOp]bool{
		expr.CmpOpEq: order == 0, expr.CmpOpNeq: order != 0,
		expr.CmpOpLt: order < 0, expr.CmpOpLte: order <= 0,
		expr.CmpOpGt: order > 0, expr.CmpOpGte: order >= 0,
	}[x.Op]))
}

func (e *evaluation) within(x *expr.Range) {
	e.condition = ""
	value := e.registers[x.Register]
	if len(value) < len(x.FromData) || len(value) < len(x.ToData) || value == nil {
		e.and(maybe)
		return
	}
	inside := answered(bytes.Compare(value[:len(x.FromData)], x.FromData) >= 0 && bytes.Compare(value[:len(x.ToData)], x.ToData) <= 0)
	if x.Op == expr.CmpOpNeq {
		inside = not(inside)
	}
	e.and(inside)
}

// xtMatch knows what iptables-nft hands on to iptables' own modules.
func (e *evaluation) xtMatch(x *expr.Match) {
	e.condition = ""
	info, ok := x.Info.(*xt.ConntrackMtinfo3)
	switch {
	case x.Name == "comment":
	case x.Name == "conntrack" && ok && info.MatchFlags&^uint16(xt.ConntrackStateAlias) == uint16(xt.ConntrackState):
		has := answered(info.StateMask&xtState(e.state) != 0)
		if info.InvertFlags&uint16(xt.ConntrackState) != 0 {
			has = not(has)
		}
		e.and(has)
	default:
		e.and(maybe)
	}
}

// xtState is a state as XT_CONNTRACK_STATE_BIT numbers them
// (linux/netfilter/xt_conntrack.h, enum ip_conntrack_info).
func xtState(state uint32) uint16 {
	switch state {
	case expr.CtStateBitESTABLISHED:
		return 1 << 1
	case expr.CtStateBitNEW:
		return 1 << 3
	}
	return 0
}

func (e *evaluation) verdict(x expr.Any) {
	switch x := x.(type) {
	case *expr.Verdict:
		e.rule.to = x.Chain
		switch x.Kind {
		case expr.VerdictAccept:
			e.rule.does, e.rule.says = accepts, "accept"
		case expr.VerdictDrop:
			e.rule.does, e.rule.says = drops, "drop"
		case expr.VerdictJump:
			e.rule.does = jumps
		case expr.VerdictGoto:
			e.rule.does = goes
		case expr.VerdictReturn:
			e.rule.does, e.rule.says = returns, "return"
		case expr.VerdictContinue:
		default:
			e.rule.does = unclear
		}
	case *expr.Reject:
		e.rule.does, e.rule.says = drops, "reject"
	case *expr.Masq:
		e.rule.does, e.rule.says = translates, "masquerade"
	case *expr.NAT:
		if x.Type == expr.NATTypeSourceNAT {
			e.rule.does, e.rule.says = translates, "snat"
		} else {
			e.rule.does, e.rule.says = accepts, "dnat"
		}
	case *expr.Target:
		e.rule.does, e.rule.says = target(x.Name)
	case *expr.Lookup: // in a set, or a map of verdicts
		if x.IsDestRegSet {
			e.rule.does, e.rule.says = unclear, "vmap"
		}
		e.and(maybe)
	case *expr.Queue:
		e.rule.does, e.rule.says = unclear, "queue"
	default:
		e.and(maybe)
	}
	e.condition = ""
}

func masked(value, mask, xor []byte) []byte {
	if value == nil || len(value) != len(mask) || len(value) != len(xor) {
		return nil
	}
	out := make([]byte, len(value))
	for i := range value {
		out[i] = value[i]&mask[i] ^ xor[i]
	}
	return out
}
