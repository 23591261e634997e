package trace

import (
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// The checksums are gopacket's, which has no part in what is tested.
func TestChecksumsLeftOpenAreFilledIn(t *testing.T) {
	ip := func(protocol layers.IPProtocol) *layers.IPv4 {
		return &layers.IPv4{Version: 4, TTL: 64, Protocol: protocol, SrcIP: net.IP{10, 244, 1, 1}, DstIP: net.IP{255, 254, 1, 2}}
	}
	tcp, udp := &layers.TCP{SrcPort: 40000, DstPort: 80, SYN: true}, &layers.UDP{SrcPort: 40000, DstPort: 53}
	eth := &layers.Ethernet{SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: layers.EthernetTypeIPv4}
	tagged := &layers.Ethernet{SrcMAC: eth.SrcMAC, DstMAC: eth.DstMAC, EthernetType: layers.EthernetTypeDot1Q}
	tag := &layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeIPv4}
	payload := gopacket.Payload("odd")
	for _, tt := range []struct {
		name     string
		ethernet bool
		layers   []gopacket.SerializableLayer
		field    int // where the checksum is
	}{
		{"TCP", true, []gopacket.SerializableLayer{eth, ip(layers.IPProtocolTCP), tcp, payload}, 14 + 20 + 16},
		{"UDP", true, []gopacket.SerializableLayer{eth, ip(layers.IPProtocolUDP), udp, payload}, 14 + 20 + 6},
		{"UDP in a VLAN", true, []gopacket.SerializableLayer{tagged, tag, ip(layers.IPProtocolUDP), udp}, 18 + 20 + 6},
		{"TCP without Ethernet", false, []gopacket.SerializableLayer{ip(layers.IPProtocolTCP), tcp}, 20 + 16},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, l := range tt.layers {
				if n, ok := l.(*layers.IPv4); ok {
					if err := tcp.SetNetworkLayerForChecksum(n); err != nil {
						t.Fatal(err)
					}
					if err := udp.SetNetworkLayerForChecksum(n); err != nil {
						t.Fatal(err)
					}
				}
			}
			b := gopacket.NewSerializeBuffer()
			if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, tt.layers...); err != nil {
				t.Fatal(err)
			}
			open := append([]byte{}, b.Bytes()...)
			open[tt.field], open[tt.field+1] = 0xab, 0xcd
			open = append(open, 0, 0, 0) // a short frame is padded
			was := append([]byte{}, open...)
			got := Frame{Data: open, Unsummed: true}.filledIn(tt.ethernet)
			if diff := cmp.Diff(append(append([]byte{}, b.Bytes()...), 0, 0, 0), got.Data); diff != "" || !got.Summed || got.Unsummed {
				t.Errorf("filled in (%v): %s", got.Summed, diff)
			}
			if diff := cmp.Diff(was, open); diff != "" {
				t.Errorf("the frame itself was changed: %s", diff)
			}
			for end := range was { // what is cut off anywhere is no reason to fail
				_ = Frame{Data: was[:end], Unsummed: true}.filledIn(tt.ethernet)
			}
		})
	}
}

func TestWhatHasNoChecksumOfItsOwnIsLeftAlone(t *testing.T) {
	fragment := []byte{0x45, 0, 0, 28, 0, 0, 0x20, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 2, 3, 4, 0, 8, 0, 0}
	icmp := append([]byte{}, fragment...)
	icmp[6], icmp[9] = 0, 1
	for _, data := range [][]byte{fragment, icmp, nil, {0x60}} {
		if got := (Frame{Data: data, Unsummed: true}).filledIn(false); got.Summed || !got.Unsummed {
			t.Errorf("%x: it is said to be filled in", data)
		}
	}
}
