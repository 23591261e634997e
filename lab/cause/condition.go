package cause

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"

	"netlab/lab/iproute"

	"github.com/google/nftables/expr"
)

func metaWord(key expr.MetaKey) string {
	switch key {
	case expr.MetaKeyIIFNAME:
		return "iifname"
	case expr.MetaKeyOIFNAME:
		return "oifname"
	}
	return ""
}

// payloadWord names the addresses, also by their first bytes: that is how nft
// compares prefixes of whole bytes.
func payloadWord(x *expr.Payload) string {
	if x.Base != expr.PayloadBaseNetworkHeader {
		return ""
	}
	switch x.Offset {
	case 12:
		return "ip saddr"
	case 16:
		return "ip daddr"
	}
	return ""
}

// maskWord keeps the mask for comparison, behind a slash.
func maskWord(what string, mask []byte) string {
	if what == "" {
		return ""
	}
	bits, _ := net.IPMask(mask).Size()
	return fmt.Sprintf("%s/%d", what, bits)
}

// comparison is a condition as nft writes it, where that is simple.
func comparison(what string, x *expr.Cmp) string {
	var op string
	switch x.Op {
	case expr.CmpOpEq:
	case expr.CmpOpNeq:
		op = "!= "
	default:
		return ""
	}
	var name string
	bits := 8 * len(x.Data)
	if n, err := fmt.Sscanf(what, "ip %5s/%d", &name, &bits); n == 0 || err != nil {
		name = what
	} else {
		name = "ip " + name
	}
	switch name {
	case "iifname", "oifname":
		return name + " " + op + string(bytes.TrimRight(x.Data, "\x00"))
	case "ip saddr", "ip daddr":
		var b [4]byte
		copy(b[:], x.Data)
		return name + " " + op + iproute.Dst(netip.PrefixFrom(netip.AddrFrom4(b), bits))
	}
	return ""
}
