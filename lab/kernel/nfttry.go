package kernel

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// TryNftMasquerade has the kernel check a table with a chain that masquerades, and
// make none of it: it is sent without the message by which a batch is committed, as
// `nft --check` does (nfnetlink_rcv_batch, net/netfilter/nfnetlink.c). Modules that
// it takes are loaded. It takes some 10 ms, in which the kernel waits for its readers.
func (f *Firewall) TryNftMasquerade() error {
	err := f.withNft(func(n *nft) error { return n.tryMasquerade() })
	if err != nil {
		return fmt.Errorf("try to masquerade with nftables: %w", err)
	}
	return nil
}

func (n *nft) tryMasquerade() error {
	const table, chain = "netlab-try", "postrouting"
	masquerade, err := expr.Marshal(unix.NFPROTO_IPV4, &expr.Masq{})
	if err != nil {
		return err
	}
	number := func(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	e := encoder{}
	hook := e.attrs(
		netlink.Attribute{Type: unix.NFTA_HOOK_HOOKNUM, Data: number(int32(*nftables.ChainHookPostrouting))},
		netlink.Attribute{Type: unix.NFTA_HOOK_PRIORITY, Data: number(int32(*nftables.ChainPriorityNATSource))})
	element := e.attrs(netlink.Attribute{Type: unix.NLA_F_NESTED | unix.NFTA_LIST_ELEM, Data: masquerade})
	batch := []netlink.Message{
		e.message(unix.NFT_MSG_NEWTABLE, nftString(unix.NFTA_TABLE_NAME, table)),
		e.message(unix.NFT_MSG_NEWCHAIN, nftString(unix.NFTA_CHAIN_TABLE, table), nftString(unix.NFTA_CHAIN_NAME, chain),
			netlink.Attribute{Type: unix.NLA_F_NESTED | unix.NFTA_CHAIN_HOOK, Data: hook}, nftString(unix.NFTA_CHAIN_TYPE, "nat")),
		e.message(unix.NFT_MSG_NEWRULE, nftString(unix.NFTA_RULE_TABLE, table), nftString(unix.NFTA_RULE_CHAIN, chain),
			netlink.Attribute{Type: unix.NLA_F_NESTED | unix.NFTA_RULE_EXPRESSIONS, Data: element}),
	}
	if e.err != nil {
		return fmt.Errorf("encode it: %w", e.err)
	}
	begin := netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_MSG_BATCH_BEGIN, Flags: netlink.Request},
		Data:   nfgenmsg(unix.NFPROTO_UNSPEC, unix.NFNL_SUBSYS_NFTABLES),
	}
	if _, err := n.sock.SendMessages(append([]netlink.Message{begin}, batch...)); err != nil {
		return fmt.Errorf("send it: %w", err)
	}
	for range batch { // each is acknowledged, or refused
		if _, err := n.sock.Receive(); err != nil {
			return err
		}
	}
	return nil
}

// encoder encodes what makes objects, and keeps the first error.
type encoder struct{ err error }

func (e *encoder) attrs(attrs ...netlink.Attribute) []byte {
	data, err := netlink.MarshalAttributes(attrs)
	if e.err == nil {
		e.err = err
	}
	return data
}

func (e *encoder) message(kind int, attrs ...netlink.Attribute) netlink.Message {
	const how = netlink.Request | netlink.Acknowledge | netlink.Create
	return netlink.Message{
		Header: netlink.Header{Type: nftMessage(kind), Flags: how},
		Data:   append(nfgenmsg(unix.NFPROTO_IPV4, 0), e.attrs(attrs...)...),
	}
}
