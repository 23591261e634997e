package doctor

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/machine"
)

// articlePlan is what proxyarp asks of a host.
func articlePlan() machine.Plan {
	return machine.Plan{
		Again:      lab.Command{"netlab", "run", "proxyarp"},
		Namespaces: []string{"ns1"}, Links: []string{"veth", "c-eth0"},
		Subnet: netip.MustParsePrefix("1.1.1.0/24"), Outside: netip.MustParseAddr(machine.Server),
		DefaultRoute: true, Routes: true, Translates: true,
	}
}

func bridgePlan() machine.Plan {
	return machine.Plan{Again: lab.Command{"netlab", "run", "bridge"}, Links: []string{"br0", "v-pod1"}, Bridges: true}
}

// brief is each finding as "grade id: first remedy", to compare.
func brief(found []machine.Finding) []string {
	var lines []string
	for _, f := range found {
		text := f.Grade.String() + " " + f.ID
		for _, c := range append([]lab.Command{f.Remedy}, f.More...) {
			if len(c) > 0 {
				text += "; " + c.String()
			}
		}
		lines = append(lines, text)
	}
	return lines
}

func expect(t *testing.T, got []machine.Finding, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, brief(got)); diff != "" {
		t.Error(diff)
	}
}

func TestPlatforms(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  []string
	}{
		{"a plain host", fstest.MapFS{"proc/sys/kernel/osrelease": {Data: []byte("6.1.0-13-amd64\n")}}, nil},
		{"WSL 1", fstest.MapFS{"proc/sys/kernel/osrelease": {Data: []byte("4.4.0-19041-Microsoft\n")}},
			[]string{"stop wsl-one; wsl.exe --set-version DISTRO 2"}},
		{"WSL 2", fstest.MapFS{"proc/sys/kernel/osrelease": {Data: []byte("5.15.90.1-microsoft-standard-WSL2\n")}}, []string{"ok wsl-two"}},
		{"Docker", fstest.MapFS{".dockerenv": {}}, []string{"ok container"}},
		{"Podman", fstest.MapFS{"run/.containerenv": {}}, []string{"ok container"}},
		{"nspawn", fstest.MapFS{"run/systemd/container": {Data: []byte("systemd-nspawn\n")}}, []string{"ok container"}},
		{"LXC", fstest.MapFS{"proc/1/environ": {Data: []byte("PATH=/bin\x00container=lxc\x00")}}, []string{"ok container"}},
	} {
		t.Run(tt.name, func(t *testing.T) { expect(t, judgePlatform(readPlatform(tt.files)), tt.want...) })
	}
}

func TestRightsAreMissedByNobodyWhoUsesASandbox(t *testing.T) {
	expect(t, judgeRights(true, nil), "ok rights")
	expect(t, judgeRights(true, []string{"CAP_NET_RAW"})) // Preflight stops on it
	expect(t, judgeRights(false, []string{"CAP_NET_RAW"}), "ok no-rights")
	expect(t, judgeRights(false, nil))
}

// works is a trial on a kernel that does everything, less the features given.
func works(without ...string) machine.Tried {
	tried := machine.Tried{}
	for _, f := range []string{machine.TrySysctl, machine.TryVeth, machine.TryBridge, machine.TryNftables, machine.TryNftMasquerade, machine.TryIptables} {
		tried[f] = ""
	}
	for _, f := range without {
		tried[f] = "operation not supported"
	}
	return tried
}

func TestSandboxes(t *testing.T) {
	knobs := func(k ...machine.Knob) error {
		return fmt.Errorf("try: %w", &machine.NamespacesError{Knobs: k, Err: syscall.EPERM})
	}
	const fine = "ok kernel"
	for _, tt := range []struct {
		name    string
		trials  trials
		root    bool
		kind    kind
		sandbox bool
		want    []string
	}{
		{"an ordinary user's machine", trials{sandbox: trial{tried: works()}}, false, kind{}, true, []string{"ok sandbox", fine}},
		{"root's", trials{sandbox: trial{tried: works()}, host: &trial{tried: works()}}, true, kind{}, true, []string{"ok sandbox", fine}},
		{"Ubuntu 24.04", trials{sandbox: trial{err: knobs(machine.Knob{Key: "kernel.apparmor_restrict_unprivileged_userns", Value: "1", Want: "0"})}}, false, kind{}, false,
			[]string{"stop knob-forbids; sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"}},
		{"a hardened Debian, as root", trials{sandbox: trial{err: knobs(
			machine.Knob{Key: "kernel.unprivileged_userns_clone", Value: "0", Want: "1"}, machine.Knob{Key: "user.max_user_namespaces", Value: "0", Want: "15000"},
		)}, host: &trial{tried: works()}}, true, kind{}, false, []string{
			"warn knob-forbids; sysctl -w kernel.unprivileged_userns_clone=1", "warn knob-forbids; sysctl -w user.max_user_namespaces=15000", fine}},
		{"too many namespaces", trials{sandbox: trial{err: knobs()}}, false, kind{}, false, []string{"stop no-sandbox; sudo netlab run proxyarp"}},
		{"a limit reached", trials{sandbox: trial{err: syscall.ENOSPC}}, false, kind{}, false, []string{"stop no-sandbox; lsns -t user"}},
		{"a container's seccomp filter", trials{sandbox: trial{err: knobs()}}, false, kind{container: "docker"}, false,
			[]string{"stop no-sandbox; docker run --privileged -it IMAGE"}},
		{"a container's read-only /proc/sys", trials{sandbox: trial{tried: works(machine.TrySysctl)}}, false, kind{container: "podman"}, false,
			[]string{"stop no-sysctl; podman run --privileged -it IMAGE", fine}},
		{"no nsenter", trials{sandbox: trial{tried: works()}, nsenter: machine.ErrNoNsenter}, false, kind{}, false,
			[]string{"stop no-nsenter; apt-get install util-linux", fine}},
		{"no veth inside", trials{sandbox: trial{tried: works(machine.TryVeth)}}, false, kind{}, false,
			[]string{"ok kernel", "stop no-veth; modprobe veth"}},
		{"no namespaces for root", trials{sandbox: trial{tried: works()}, host: &trial{err: syscall.EPERM}}, true, kind{}, true,
			[]string{"ok sandbox", "stop no-namespaces; netlab run proxyarp --sandbox"}},
		{"no namespaces at all", trials{sandbox: trial{err: errors.New("no")}, host: &trial{err: syscall.EPERM}}, true, kind{}, false,
			[]string{"warn no-sandbox", "stop no-namespaces"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, sandbox := tt.trials.judge(articlePlan(), tt.root, tt.kind)
			expect(t, found, tt.want...)
			if sandbox != tt.sandbox {
				t.Errorf("a sandbox works: %t", sandbox)
			}
		})
	}
}

func TestFeaturesOfTheKernel(t *testing.T) {
	without := func(tried machine.Tried, feature string) machine.Tried {
		delete(tried, feature)
		return tried
	}
	for _, tt := range []struct {
		name  string
		plan  machine.Plan
		tried machine.Tried
		want  []string
		says  string
	}{
		{"all", articlePlan(), works(), []string{"ok kernel"}, "veth, bridge, MASQUERADE (nft, iptables)"},
		{"no iptables installed", articlePlan(), without(works(), machine.TryIptables), []string{"ok kernel"}, "veth, bridge, MASQUERADE (nft)"},
		{"no xt_MASQUERADE, as on WSL 2", articlePlan(), works(machine.TryIptables), []string{"ok kernel", "warn no-xt-target; modprobe xt_MASQUERADE"}, "veth, bridge, MASQUERADE (nft)"},
		{"the same, and nothing to translate", bridgePlan(), works(machine.TryIptables), []string{"ok kernel"}, ""},
		{"no nf_tables", articlePlan(), works(machine.TryNftables), []string{"ok kernel", "ok nftables-fails"}, "veth, bridge, MASQUERADE (iptables)"},
		{"no NAT", articlePlan(), works(machine.TryNftMasquerade, machine.TryIptables), []string{"ok kernel", "stop no-nat; modprobe nft_masq"}, "veth, bridge"},
		{"no NAT, and none needed", bridgePlan(), works(machine.TryNftMasquerade, machine.TryIptables), []string{"ok kernel"}, "veth, bridge"},
		{"no bridge", bridgePlan(), works(machine.TryBridge), []string{"ok kernel", "stop no-bridge; modprobe bridge"}, ""},
		{"no bridge, and none needed", articlePlan(), works(machine.TryBridge), []string{"ok kernel"}, "veth, MASQUERADE (nft, iptables)"},
		{"nothing", articlePlan(), works(machine.TryVeth, machine.TryBridge, machine.TryNftables, machine.TryIptables),
			[]string{"stop no-veth; modprobe veth", "stop no-nat; modprobe nft_masq"}, ""},
		{"not tried", articlePlan(), nil, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := judgeFeatures(tt.plan, tt.tried)
			expect(t, found, tt.want...)
			if tt.says != "" && found[0].Values["features"] != tt.says {
				t.Errorf("it works: %s", found[0].Values["features"])
			}
		})
	}
}

func TestVariantsOfIptables(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    variants
		want []string
	}{
		{"none", variants{}, []string{"ok iptables-none"}},
		{"none, with legacy rules", variants{legacyRules: 2}, []string{"ok iptables-none", "warn other-rules"}},
		{"nft", variants{there: true, nft: true, nftRules: 9}, []string{"ok iptables"}},
		{"legacy", variants{there: true, legacyRules: 9}, []string{"ok iptables"}},
		{"both, one in use", variants{there: true, nft: true, other: "iptables-legacy", nftRules: 9}, []string{"ok iptables"}},
		{"nft, and legacy rules", variants{there: true, nft: true, other: "iptables-legacy", legacyRules: 1},
			[]string{"ok iptables-mixed", "warn other-rules; iptables-legacy -S"}},
		{"legacy, and nft rules", variants{there: true, other: "iptables-nft", nftRules: 3},
			[]string{"ok iptables-mixed", "warn other-rules; iptables-nft -S"}},
		{"legacy, nft rules, no program for them", variants{there: true, nftRules: 3},
			[]string{"ok iptables-mixed", "warn other-rules; nft list ruleset"}},
	} {
		t.Run(tt.name, func(t *testing.T) { expect(t, judgeVariants(tt.v), tt.want...) })
	}
	if n := countLines([]string{"-P FORWARD DROP", "-A FORWARD -j ACCEPT", "-P INPUT ACCEPT", "-N X"}); n != 2 {
		t.Errorf("a rule and a policy that drops count %d", n)
	}
}

func TestWhoeverClosesForwardIsOpenedByHisOwnMeans(t *testing.T) {
	policy := func(backend, family, table, chain string, show ...string) *lab.Cause {
		return &lab.Cause{Repair: show, Values: map[string]string{
			"backend": backend, "family": family, "table": table, "chain": chain, "base": chain, "rule": "policy drop",
		}}
	}
	drop := policy("nftables", "ip", "filter", "FORWARD", "iptables", "-S", "FORWARD")
	in := func(chain string) *lab.Cause {
		c := policy("nftables", "ip", "filter", "FORWARD", "iptables", "-S", "FORWARD")
		c.Values["chain"] = chain
		return c
	}
	const both = "; iptables -I %[1]s -s 1.1.1.0/24 -j ACCEPT; iptables -I %[1]s -d 1.1.1.0/24 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
	for _, tt := range []struct {
		name string
		w    wall
		plan machine.Plan
		want string
		by   string
	}{
		{"open", wall{}, articlePlan(), "ok forward-open", ""},
		{"nobody knows", wall{stop: drop, certain: true, chains: []string{"FORWARD"}}, articlePlan(), "stop forward-drops" + fmt.Sprintf(both, "FORWARD"), ByUnknown},
		{"nobody knows, and a lab has a door", wall{stop: drop, certain: true, door: &lab.Wall{Chain: "FORWARD"}}, articlePlan(), "ok forward-opened", ByUnknown},
		{"Docker", wall{stop: drop, certain: true, chains: []string{"FORWARD", "DOCKER", "DOCKER-USER"}}, articlePlan(), "stop forward-drops" + fmt.Sprintf(both, "DOCKER-USER"), ByDocker},
		{"ufw", wall{stop: drop, certain: true, chains: []string{"FORWARD", "ufw-before-forward"}}, articlePlan(), "stop forward-drops" + fmt.Sprintf(both, "FORWARD"), ByUfw},
		{"Docker and ufw", wall{stop: drop, certain: true, chains: []string{"DOCKER-USER", "ufw-user-forward"}}, articlePlan(), "stop forward-drops" + fmt.Sprintf(both, "DOCKER-USER"), ByBoth},
		{"a rule of ufw's", wall{stop: in("ufw-reject-forward"), certain: true, chains: []string{"DOCKER-USER", "ufw-reject-forward"}}, articlePlan(), "stop forward-drops" + fmt.Sprintf(both, "DOCKER-USER"), ByUfw},
		{"a rule of Docker's", wall{stop: in("DOCKER-ISOLATION-STAGE-2"), certain: false, chains: []string{"DOCKER-USER"}}, articlePlan(), "warn forward-may" + fmt.Sprintf(both, "DOCKER-USER"), ByDocker},
		{"Docker by the legacy variant", wall{stop: policy("iptables-legacy", "ip", "filter", "FORWARD", "iptables-legacy", "-S", "FORWARD"), certain: true, chains: []string{"DOCKER-USER", "DOCKER-FORWARD"}},
			articlePlan(), "stop forward-drops" + strings.ReplaceAll(fmt.Sprintf(both, "DOCKER-USER"), "iptables", "iptables-legacy"), ByDocker},
		{"mangle", wall{stop: policy("nftables", "ip", "mangle", "FORWARD", "iptables", "-t", "mangle", "-S", "FORWARD"), certain: true},
			articlePlan(), "stop forward-drops" + strings.ReplaceAll(fmt.Sprintf(both, "FORWARD"), "-I", "-t mangle -I"), ByUnknown},
		{"firewalld", wall{stop: policy("nftables", "inet", "firewalld", "filter_FORWARD", "nft", "list", "chain"), certain: true},
			articlePlan(), "stop forward-drops; firewall-cmd --zone=trusted --add-source=1.1.1.0/24", ByFirewalld},
		{"firewalld and a bridge", wall{stop: policy("nftables", "inet", "firewalld", "filter_FORWARD", "nft", "list", "chain"), certain: true},
			bridgePlan(), "stop forward-drops; firewall-cmd --zone=trusted --add-interface=br0", ByFirewalld},
		{"a table of one's own", wall{stop: policy("nftables", "inet", "mine", "fwd", "nft", "list", "chain"), certain: true},
			articlePlan(), "stop forward-drops; nft insert rule inet mine fwd ip saddr 1.1.1.0/24 accept comment netlab-passes; nft insert rule inet mine fwd ip daddr 1.1.1.0/24 ct state established,related accept comment netlab-passes", ByUnknown},
		{"a bridge", wall{stop: drop, certain: true, chains: []string{"DOCKER-USER"}}, bridgePlan(), "stop forward-drops; iptables -I DOCKER-USER -i br0 -j ACCEPT", ByDocker},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := judgeWall(tt.w, tt.plan)
			expect(t, found, tt.want)
			if found[0].Values["by"] != tt.by {
				t.Errorf("set by %q, want %q", found[0].Values["by"], tt.by)
			}
		})
	}
}

func TestSettingsAreSaid(t *testing.T) {
	expect(t, judgeSettings(lab.Facts{Uplink: "eth0"}, articlePlan()), "ok default-route", "ok forwarding-off", "ok rp-filter-off")
	expect(t, judgeSettings(lab.Facts{IPForward: true, RPFilter: 2}, articlePlan()), "ok forwarding-on", "ok rp-filter")
	expect(t, judgeSettings(lab.Facts{RPFilter: 2, BridgeFirewall: true}, bridgePlan()), "ok bridge-calls")
}

func TestCloudsAreKnownWithoutAsking(t *testing.T) {
	const guarded = "warn metadata; ip -n ns1 route add prohibit 169.254.169.254"
	dmi := func(name, says string) fstest.MapFS {
		return fstest.MapFS{"sys/class/dmi/id/" + name: {Data: []byte(says + "\n")}}
	}
	for _, tt := range []struct {
		name   string
		files  fstest.MapFS
		routed bool
		own    bool
		want   string
		cloud  string
	}{
		{"a desktop", dmi("sys_vendor", "LENOVO"), true, false, "ok no-metadata", ""},
		{"AWS", dmi("sys_vendor", "Amazon EC2"), true, false, guarded, "AWS"},
		{"Google", dmi("product_name", "Google Compute Engine"), true, false, guarded, "Google Cloud"},
		{"Azure", dmi("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"), true, false, guarded, "Azure"},
		{"Hyper-V on a desk", dmi("sys_vendor", "Microsoft Corporation"), true, false, "ok no-metadata", ""},
		{"Oracle", dmi("chassis_asset_tag", "OracleCloud.com"), true, false, guarded, "Oracle Cloud"},
		{"cloud-init", fstest.MapFS{"run/cloud-init/cloud-id": {Data: []byte("nocloud\n")}}, true, false, guarded, "cloud"},
		{"somebody routes it", nil, true, true, guarded, "cloud"},
		{"AWS, and no way there", dmi("sys_vendor", "Amazon EC2"), false, false, "ok no-metadata", ""},
		{"nothing is known", nil, true, false, "ok no-metadata", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := readCloud(tt.files)
			c.routed, c.own = tt.routed, tt.own
			found := judgeCloud(c, articlePlan())
			expect(t, found, tt.want)
			if found[0].Values["cloud"] != tt.cloud {
				t.Errorf("the cloud is %q, want %q", found[0].Values["cloud"], tt.cloud)
			}
		})
	}
}

func TestWhereStateIsWritten(t *testing.T) {
	for _, tt := range []struct {
		name string
		d    disk
		want string
	}{
		{"room", disk{dir: "/run", free: 1 << 30, files: 1000}, "ok state"},
		{"tight", disk{dir: "/run", free: 8 << 20, files: 1000}, "warn state-full; df -h /run"},
		{"full", disk{dir: "/run", free: 1000, files: 1000}, "stop state-full; df -h /run"},
		{"no more files", disk{dir: "/run", free: 1 << 30}, "stop state-inodes; df -i /run"},
		{"read-only", disk{dir: "/run", readOnly: true}, "stop state-readonly; mount -o remount,rw /run"},
		{"below somebody else's", disk{dir: "/run", culprit: "/", unsafe: machine.ErrUnsafeDir}, "stop state-unsafe; ls -ld /"},
		{"ours, and open", disk{dir: "/run", culprit: "/run/netlab", writable: true, unsafe: machine.ErrUnsafeDir}, "stop state-unsafe; ls -ld /run/netlab; chmod go-w /run/netlab"},
		{"somebody else's", disk{dir: "/tmp/netlab-1", culprit: "/tmp/netlab-1", netlabs: true, unsafe: machine.ErrUnsafeDir}, "stop state-unsafe; ls -ld /tmp/netlab-1; mv /tmp/netlab-1 /tmp/netlab-1.moved"},
	} {
		t.Run(tt.name, func(t *testing.T) { expect(t, judgeDisk(tt.d), tt.want) })
	}
	for bytes, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1 << 10: "1 KiB", 5 << 20: "5 MiB", 7 << 30: "7 GiB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d bytes are %s, not %s", bytes, got, want)
		}
	}
}

func TestClocks(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const set = "; timedatectl set-ntp true"
	expect(t, judgeClock(watch{now: now, labs: map[string]time.Time{"a": now.Add(-time.Hour), "b": now.Add(time.Second)}}), "ok clock")
	expect(t, judgeClock(watch{now: time.Unix(0, 0)}), "warn clock-past"+set)
	expect(t, judgeClock(watch{now: now, labs: map[string]time.Time{"a": now.Add(time.Hour)}}), "warn clock-behind"+set)
}

func TestLeftovers(t *testing.T) {
	expect(t, judgeLabs([]left{{lab: "a", made: 2}, {lab: "b", made: 2, gone: 1}, {lab: "c", made: 2, gone: 2}, {lab: "d", damaged: true}, {lab: "e"}}),
		"ok lab-up", "ok lab-up", "warn lab-gone; netlab teardown c", "warn lab-damaged; netlab teardown d --salvage", "ok lab-up")
	expect(t, judgeSandbox("a", 0, time.Hour), "warn sandbox-empty; netlab teardown a")
	expect(t, judgeSandbox("a", 1, time.Hour))
	expect(t, judgeSandbox("a", 0, time.Second)) // being made
	expect(t, judgeHandmade(handmade{}, articlePlan()))
	expect(t, judgeHandmade(handmade{namespace: "ns1"}, articlePlan())) // a name alone is told by Preflight
	expect(t, judgeHandmade(handmade{namespace: "ns1", link: "veth"}, articlePlan()), "warn made-by-hand; ip link del veth; ip netns del ns1")
	lines := []string{
		"-P POSTROUTING ACCEPT", "-A POSTROUTING -s 1.1.1.0/24 -j MASQUERADE",
		`-A POSTROUTING -s 1.1.1.0/24 -m comment --comment "netlab:proxyarp" -j MASQUERADE`,
		`-A POSTROUTING -s 1.1.1.0/24 -o eth0 -m comment --comment "my own" -j MASQUERADE`,
		"-A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE", "-A POSTROUTING -s 1.1.1.0/24 -j ACCEPT", "-A POSTROUTING -j MASQUERADE",
	}
	expect(t, judgeHandmade(handmade{rules: unmarked("iptables", lines, articlePlan().Subnet)}, articlePlan()),
		"warn rule-by-hand; iptables -t nat -D POSTROUTING -s 1.1.1.0/24 -j MASQUERADE",
		"warn rule-by-hand; iptables -t nat -D POSTROUTING -s 1.1.1.0/24 -o eth0 -m comment --comment 'my own' -j MASQUERADE")
}

func TestALimitThatForbidsNamespaces(t *testing.T) {
	expect(t, judgeLimits([]machine.Knob{{Key: "user.max_net_namespaces", Value: "0", Want: "15000"}}),
		"stop no-namespaces; sysctl -w user.max_net_namespaces=15000")
	expect(t, judgeLimits(nil))
}
