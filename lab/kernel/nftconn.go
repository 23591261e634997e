package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// nft is one lasting netlink connection to nftables: the library's, and its
// socket for what the library can't ask: deleting only what is empty
// (NLM_F_NONREC), and only if nothing has changed meanwhile (NFNL_BATCH_GENID).
type nft struct {
	*nftables.Conn
	sock   *netlink.Conn
	memory nftMemory
	frozen bool // see Firewall.Frozen
}

func openNft() (*nft, error) {
	n := &nft{}
	keep := nftables.WithSockOptions(func(c *netlink.Conn) error {
		n.sock = c
		return nil
	})
	conn, err := nftables.New(nftables.AsLasting(), keep)
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	n.Conn = conn
	return n, nil
}

// patience is how often something is tried again because others keep changing
// the ruleset.
const patience = 10

// settled runs read until the ruleset was the same before and after it, since a
// dump in several messages may be of several rulesets. It returns the
// generation that was read; reading takes two short messages more.
func (n *nft) settled(read func() error) (generation uint32, err error) {
	if n.frozen && n.memory.generation != 0 {
		return n.memory.generation, read()
	}
	for range patience {
		before, err := n.generation()
		if err != nil {
			return 0, err
		}
		n.memory.at(before)
		readErr := read()
		if n.frozen {
			return before, readErr
		}
		after, err := n.generation()
		if err != nil { // after a failed reading its rest may be in the way: the reading is the cause
			return 0, errors.Join(readErr, err)
		}
		if before == after {
			return before, readErr
		}
	}
	return 0, errChanging
}

var errChanging = errors.New("others keep changing the nftables ruleset")

// generation is the number that the kernel raises with every change.
func (n *nft) generation() (uint32, error) {
	answer, err := n.sock.Execute(netlink.Message{
		Header: netlink.Header{Type: nftMessage(unix.NFT_MSG_GETGEN), Flags: netlink.Request},
		Data:   nfgenmsg(unix.NFPROTO_UNSPEC, 0),
	})
	if err != nil {
		return 0, fmt.Errorf("read the nftables generation: %w", err)
	}
	for _, m := range answer {
		attrs, err := netlink.NewAttributeDecoder(m.Data[4:])
		if err != nil {
			return 0, fmt.Errorf("read the nftables generation: %w", err)
		}
		attrs.ByteOrder = binary.BigEndian
		for attrs.Next() {
			if attrs.Type() == unix.NFTA_GEN_ID {
				return attrs.Uint32(), attrs.Err()
			}
		}
	}
	return 0, errors.New("read the nftables generation: none in the answer")
}

// deletion is an object to delete if nothing is in it or refers to it.
type deletion struct {
	message int // unix.NFT_MSG_DELTABLE and the like
	family  nftables.TableFamily
	attrs   []netlink.Attribute
}

// change deletes what decide names on a settled reading. If the ruleset has
// changed between the reading and the deletion, it decides again.
func (n *nft) change(decide func() (deletion, error)) error {
	for range patience {
		var d deletion
		generation, err := n.settled(func() (err error) {
			d, err = decide()
			return err
		})
		if err != nil {
			return err
		}
		if err = n.delete(generation, d); !errors.Is(err, unix.ERESTART) {
			return err
		}
	}
	return errChanging
}

// delete sends d in a batch of its own, held to that generation. The error
// wraps ENOENT, EBUSY (something is in it) or ERESTART (another generation).
func (n *nft) delete(generation uint32, d deletion) error {
	object, err := netlink.MarshalAttributes(d.attrs)
	if err != nil {
		return fmt.Errorf("encode a deletion: %w", err)
	}
	held, err := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: unix.NFNL_BATCH_GENID, Data: binary.BigEndian.AppendUint32(nil, generation)},
	})
	if err != nil {
		return fmt.Errorf("encode a deletion: %w", err)
	}
	batch := nfgenmsg(unix.NFPROTO_UNSPEC, unix.NFNL_SUBSYS_NFTABLES)
	_, err = n.sock.SendMessages([]netlink.Message{
		{
			Header: netlink.Header{Type: unix.NFNL_MSG_BATCH_BEGIN, Flags: netlink.Request},
			Data:   append(batch, held...),
		}, {
			Header: netlink.Header{
				Type:  nftMessage(d.message),
				Flags: netlink.Request | netlink.Acknowledge | unix.NLM_F_NONREC,
			},
			Data: append(nfgenmsg(byte(d.family), 0), object...),
		}, {
			Header: netlink.Header{Type: unix.NFNL_MSG_BATCH_END, Flags: netlink.Request},
			Data:   batch,
		},
	})
	if err != nil {
		return fmt.Errorf("send a deletion: %w", err)
	}
	_, err = n.sock.Receive() // the acknowledgement, or the refusal as an error
	return err
}

func nftMessage(kind int) netlink.HeaderType {
	return netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | kind)
}

// nfgenmsg is struct nfgenmsg of linux/netfilter/nfnetlink.h.
func nfgenmsg(family byte, resource uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte{family, unix.NFNETLINK_V0}, resource)
}

func nftString(kind uint16, s string) netlink.Attribute {
	return netlink.Attribute{Type: kind, Data: append([]byte(s), 0)}
}
