package doctor

import (
	"maps"
	"testing"
	"testing/fstest"
)

const (
	networkdRuns       = "sys/fs/cgroup/system.slice/systemd-networkd.service/cgroup.procs"
	networkManagerRuns = "sys/fs/cgroup/system.slice/NetworkManager.service/cgroup.procs"
)

// tree is a machine's files: pairs of a path and what stands there.
func tree(pairs ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i := 0; i+1 < len(pairs); i += 2 {
		files[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return files
}

func both(a, b fstest.MapFS) fstest.MapFS {
	c := maps.Clone(a)
	maps.Copy(c, b)
	return c
}

func TestWhatNetworkdTakes(t *testing.T) {
	const leave = `; mkdir -p /run/systemd/network; sh -c 'printf "[Match]\nName=veth\n[Link]\nUnmanaged=yes\n" > /run/systemd/network/00-netlab.network'; networkctl reload`
	runs := tree(networkdRuns, "271\n")
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  []string
	}{
		{"it does not run", tree("etc/systemd/network/10-all.network", "[Match]\nName=*\n"), nil},
		{"it has ended", tree(networkdRuns, "", "etc/systemd/network/10-all.network", "[Match]\nName=*\n"), nil},
		{"nothing is configured", runs, []string{"ok networkd"}},
		{"a server's own links", both(runs, tree("etc/systemd/network/10-lan.network", "[Match]\nName=en* eth*\n")), []string{"ok networkd"}},
		{"by permanent address", both(runs, tree("run/systemd/network/10-netplan-eth0.network", "[Match]\nPermanentMACAddress=02:00:00:00:00:01\nName=*\n")), []string{"ok networkd"}},
		{"everything", both(runs, tree("etc/systemd/network/10-all.network", "[Match]\nName=*\n[Network]\nDHCP=yes\n")), []string{"warn networkd-takes-all" + leave}},
		{"every Ethernet link", both(runs, tree("etc/systemd/network/ether.network", "[Match]\nType=ether\n")), []string{"warn networkd-takes-all" + leave}},
		{"every one with a driver", both(runs, tree("etc/systemd/network/ether.network", "[Match]\nType=ether\nKind=!*\n")), []string{"ok networkd"}},
		{"all but veths", both(runs, tree("etc/systemd/network/ether.network", "[Match]\nName=!veth* c-eth0\n")), []string{"ok networkd"}},
		{"every veth", both(runs, tree("etc/systemd/network/v.network", "# comment\n[Match]\nDriver=veth\n")), []string{"warn networkd-takes-all" + leave}},
		{"everything, and foreign routes stay", both(runs, tree(
			"etc/systemd/network/10-all.network", "[Match]\nName=*\n",
			"etc/systemd/networkd.conf", "[Network]\nManageForeignRoutes=yes\n",
			"etc/systemd/networkd.conf.d/10.conf", "[Network]\nManageForeignRoutes=no\n")), []string{"warn networkd-takes" + leave}},
		{"an earlier file leaves it alone", both(runs, tree(
			"etc/systemd/network/05-veth.network", "[Match]\nName=veth c-eth0\n[Link]\nUnmanaged=yes\n",
			"usr/lib/systemd/network/10-all.network", "[Match]\nName=*\n")), []string{"ok networkd"}},
		{"the administrator masks the distribution's", both(runs, tree(
			"etc/systemd/network/10-all.network", "",
			"usr/lib/systemd/network/10-all.network", "[Match]\nName=*\n")), []string{"ok networkd"}},
		{"what is added to a file leaves it alone", both(runs, tree(
			"usr/lib/systemd/network/10-all.network", "[Match]\nName=*\n",
			"etc/systemd/network/10-all.network.d/labs.conf", "[Link]\nUnmanaged=yes\n")), []string{"ok networkd"}},
		{"by version 1 of cgroups", tree("sys/fs/cgroup/systemd/system.slice/systemd-networkd.service/cgroup.procs", "9\n"), []string{"ok networkd"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			expect(t, judgeNetworkd(readNetworkd(tt.files), articlePlan()), tt.want...)
		})
	}
	t.Run("a bridge", func(t *testing.T) {
		found := judgeNetworkd(readNetworkd(both(runs, tree("etc/systemd/network/br.network", "[Match]\nKind=bridge\n"))), bridgePlan())
		if len(found) != 1 || found[0].Values["dev"] != "br0" || found[0].Values["file"] != "/etc/systemd/network/br.network" {
			t.Errorf("got %v", found)
		}
	})
}

func TestWhatNetworkManagerTakes(t *testing.T) {
	runs := tree(networkManagerRuns, "300\n")
	const rule = "usr/lib/udev/rules.d/85-nm-unmanaged.rules"
	const byRule = "# comment\nENV{ID_NET_DRIVER}==\"veth\", ENV{INTERFACE}!=\"eth[0-9]*\", ENV{NM_UNMANAGED}=\"1\"\n"
	const taken = "warn networkmanager-takes; nmcli device set veth managed no"
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  []string
	}{
		{"it does not run", tree(rule, byRule), nil},
		{"its rule for udev", both(runs, tree(rule, byRule)), []string{"ok networkmanager"}},
		{"no rule", runs, []string{taken}},
		{"the rule is commented out", both(runs, tree(rule, "#"+byRule[10:])), []string{taken}},
		{"the administrator masks the rule", both(runs, tree(rule, byRule, "etc/udev/rules.d/85-nm-unmanaged.rules", "")), []string{taken}},
		{"told by name", both(runs, tree("etc/NetworkManager/conf.d/a.conf", "[keyfile]\nunmanaged-devices=interface-name:veth*;interface-name:c-*\n")), []string{"ok networkmanager"}},
		{"told by driver", both(runs, tree("etc/NetworkManager/NetworkManager.conf", "[keyfile]\nunmanaged-devices=driver:veth\n")), []string{"ok networkmanager"}},
		{"told all but", both(runs, tree("etc/NetworkManager/NetworkManager.conf", "[keyfile]\nunmanaged-devices=*,except:interface-name:veth\n")), []string{taken}},
		{"told of others", both(runs, tree("etc/NetworkManager/NetworkManager.conf", "[keyfile]\nunmanaged-devices=interface-name:docker*\n")), []string{taken}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			expect(t, judgeNetworkManager(readNetworkManager(tt.files), articlePlan()), tt.want...)
		})
	}
	expect(t, judgeNetworkManager(desk{runs: true, byUdev: true}, bridgePlan()), "ok networkmanager")
}

func TestWhatUdevDoesToMACs(t *testing.T) {
	const file = "usr/lib/systemd/network/99-default.link"
	const persistent = "[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=persistent\n"
	runs := tree("run/udev/control", "")
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  []string
	}{
		{"no udev", tree(file, persistent), nil},
		{"the default", both(runs, tree(file, persistent)), []string{"ok mac-policy"}},
		{"no policy", both(runs, tree(file, "[Match]\nOriginalName=*\n[Link]\nNamePolicy=keep\n")), nil},
		{"a drop-in", both(runs, tree(file, persistent, "etc/systemd/network/99-default.link.d/mac.conf", "[Link]\nMACAddressPolicy=none\n")), nil},
		{"an earlier file for veths", both(runs, tree(file, persistent, "etc/systemd/network/50-veth.link", "[Match]\nDriver=veth\n[Link]\nMACAddressPolicy=none\n")), nil},
	} {
		t.Run(tt.name, func(t *testing.T) { expect(t, judgeUdev(readUdev(tt.files, articlePlan())), tt.want...) })
	}
}
