package trace

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
)

func TestWhichSocketsTakeAPacket(t *testing.T) {
	line := func(addr string) string {
		b := addr4(addr)
		return fmt.Sprintf("  sl  local_address rem_address\n  1: %08X:0053 00000000:0000 07\n", binary.NativeEndian.Uint32(b[:]))
	}
	six := "  1: 00000000000000000000000000000000:0053 00000000000000000000000000000000:0000 07\n"
	for _, tt := range []struct {
		name, table string
		port        uint16
		want        bool
	}{
		{"bound to the address", line("10.0.0.2"), 0x53, true},
		{"bound to all addresses", line("0.0.0.0"), 0x53, true},
		{"bound to another address", line("127.0.0.1"), 0x53, false},
		{"bound to another port", line("0.0.0.0"), 0x35, false},
		{"an IPv6 socket", six, 0x53, true},
		{"none", "  sl  local_address rem_address\n", 0x53, false},
	} {
		if got := listed(tt.table, netip.AddrPortFrom(addr("10.0.0.2"), tt.port)); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func addr4(s string) [4]byte { return addr(s).As4() }
