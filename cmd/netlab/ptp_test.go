package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
)

// cniPlugins is where Debian's package containernetworking-plugins puts them.
const cniPlugins = "/usr/lib/cni"

// The lab ptp leaves the kernel in the state in which the real plugin leaves it,
// but for what normalized says.
func TestPTPIsWhatThePluginMakes(t *testing.T) {
	if _, err := os.Stat(cniPlugins + "/ptp"); err != nil {
		if os.Getenv("NETLAB_REQUIRE_NETNS") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	before, links := settle(t), sh(t, "ip -br link")
	pods := []string{"pod1", "pod2", "pod-watch"}
	leases := t.TempDir()

	for _, pod := range pods {
		sh(t, "ip netns add "+pod+"; ip netns exec "+pod+" sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
		cni(t, "ADD", pod, leases)
	}
	sh(t, "ip netns exec pod1 ping -c1 -W2 10.1.1.3")
	byPlugin := normalized(t, pods)
	for _, pod := range pods {
		cni(t, "DEL", pod, leases)
		sh(t, "ip netns del "+pod)
	}
	// What the plugin leaves on, and what the kernel has changed along with it.
	sh(t, "sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.all.accept_redirects=0")
	waitFor(t, "the plugin's pods to go", func() bool { return sh(t, "ip -br link") == links })
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Fatalf("after the plugin (-before +after):\n%s", diff)
	}

	sh(t, "netlab run ptp")
	if diff := cmp.Diff(byPlugin, normalized(t, pods)); diff != "" {
		t.Errorf("-plugin +netlab:\n%s", diff)
	}
}

// cni runs the plugin for a pod, as a container runtime would.
func cni(t *testing.T, command, pod, leases string) {
	t.Helper()
	conf, err := json.Marshal(map[string]any{
		"cniVersion": "0.4.0", "name": "lab", "type": "ptp", "ipMasq": false,
		"ipam": map[string]any{
			"type": "host-local", "dataDir": leases,
			"ranges": [][]map[string]string{{{"subnet": "10.1.1.0/24"}}},
			"routes": []map[string]string{{"dst": "0.0.0.0/0"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(cniPlugins + "/ptp")
	cmd.Stdin = strings.NewReader(string(conf))
	cmd.Env = append(os.Environ(), "CNI_PATH="+cniPlugins, "CNI_COMMAND="+command, "CNI_IFNAME=eth0",
		"CNI_CONTAINERID="+pod, "CNI_NETNS=/run/netns/"+pod)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ptp %s: %v\n%s", command, err, out)
	}
}

// normalized is the state, less what is random or must differ:
//
//   - MACs, ifindexes and the names of the host's ends, which the plugin draws
//   - the switch that keeps IPv6 off the plugin's devices in a pod: it leaves that
//     to whoever made the namespace, and the lab to nobody
//   - the length of a queue that a veth doesn't use: some versions of the plugin
//     ask for 0 instead of the kernel's 1000
func normalized(t *testing.T, pods []string) []string {
	t.Helper()
	snapshot := regexp.MustCompile(`,\s+"txqlen": \d+`).ReplaceAllString(kerneltest.Snapshot(t), "")
	for _, pod := range pods {
		end := regexp.MustCompile(`\b` + hostEnd(t, pod) + `\b`)
		snapshot = end.ReplaceAllString(snapshot, "end-of-"+pod)
	}
	differs := regexp.MustCompile(`ipv6\.conf\.default\.disable_ipv6 `)
	var lines, sysctls []string
	for _, line := range append(state(snapshot), "## end") {
		switch {
		case differs.MatchString(line):
		case strings.HasPrefix(line, "net."): // sorted by the names that were
			sysctls = append(sysctls, line)
		default:
			slices.Sort(sysctls)
			lines = append(append(lines, sysctls...), line)
			sysctls = nil
		}
	}
	return lines
}

// hostEnd is the name of the other end of a pod's cable.
func hostEnd(t *testing.T, pod string) string {
	t.Helper()
	links := func(command string) (found []struct {
		Name  string `json:"ifname"`
		Index int    `json:"ifindex"`
		Peer  int    `json:"link_index"`
	}) {
		if err := json.Unmarshal([]byte(sh(t, command)), &found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	end := links("ip -n " + pod + " -j link show eth0")
	for _, link := range links("ip -j link") {
		if link.Index == end[0].Peer {
			return link.Name
		}
	}
	t.Fatalf("%s has no end on the host", pod)
	return ""
}
