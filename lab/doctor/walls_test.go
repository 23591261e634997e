package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

// What a lab is to open stays the same once it has opened it, wherever its rules
// stand, and whatever others do to the chains since.
func TestWallsAreThoseWithoutTheLabsOwnRules(t *testing.T) {
	const mark = "netlab:proxyarp"
	own := func(program, chain string) string {
		rule := program + " -I " + chain + " %s -m comment --comment " + mark + " -j ACCEPT;"
		return fmt.Sprintf(rule, "-i veth") + fmt.Sprintf(rule, "-o veth -m conntrack --ctstate RELATED,ESTABLISHED")
	}
	const docker = "iptables -N DOCKER-USER; iptables -I FORWARD -j DOCKER-USER; iptables -P FORWARD DROP;"
	forward := lab.Wall{Program: "iptables", NFT: true, Chain: "FORWARD"}
	user := lab.Wall{Program: "iptables", NFT: true, Chain: "DOCKER-USER"}
	legacy := lab.Wall{Program: "iptables-legacy", Chain: "FORWARD"}
	for _, tt := range []struct {
		name, script string
		want         []lab.Wall
	}{
		{"nothing is closed", "", nil},
		{"FORWARD is", "iptables -P FORWARD DROP", []lab.Wall{forward}},
		{"and is opened", "iptables -P FORWARD DROP;" + own("iptables", "FORWARD"), []lab.Wall{forward}},
		{"Docker's", docker, []lab.Wall{user}},
		{"and is opened", docker + own("iptables", "DOCKER-USER"), []lab.Wall{user}},
		{"Docker came later", "iptables -P FORWARD DROP;" + own("iptables", "FORWARD") + docker, []lab.Wall{forward}},
		{"opened by another lab", "iptables -P FORWARD DROP; iptables -I FORWARD -m comment --comment netlab:other -j ACCEPT", nil},
		{"both variants", "iptables-legacy -P FORWARD DROP;" + docker + own("iptables-legacy", "FORWARD"), []lab.Wall{user, legacy}},
		{"a rule may let it through", "iptables -A FORWARD -m mark --mark 7 -j ACCEPT; iptables -P FORWARD DROP", []lab.Wall{forward}},
		{"a table of nftables'", "nft 'add table inet mine; add chain inet mine mine { type filter hook forward priority 0; policy drop; }'", nil},
		{"not its business", "iptables -t mangle -P FORWARD DROP", nil},
		{"on purpose", "iptables -A FORWARD -s 1.1.1.0/24 -j DROP; iptables -P FORWARD DROP", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			needs(t, "iptables", "nft", "iptables-legacy")
			if _, err := os.ReadFile("/proc/net/ip_tables_names"); tt.name == "both variants" && errors.Is(err, fs.ErrPermission) {
				t.Skip("in this user namespace the legacy tables can't be listed, so they are not asked for")
			}
			q := question(t, pretendHost(t), articlePlan())
			q.Mark = mark
			sh(t, tt.script)
			walls, err := Walls(q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, walls); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
