package kerneltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"sort"
	"strings"
	"testing"
)

// Snapshot is the state of the host and of all named namespaces as ip, sysctl,
// iptables-save and nft show it: text to compare. What changes by itself is left
// out: counters, timers, the neighbours that the kernel has learned and forgets when
// any namespace of the machine has many (facts.md, section 9), the order of sysctl.
func Snapshot(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	spaces := []string{""}
	named, err := os.ReadDir("/run/netns") // not there: there are none
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, n := range named {
		spaces = append(spaces, n.Name())
	}
	fmt.Fprintf(&b, "# namespaces %v\n", spaces)
	for _, ns := range spaces {
		in := func(argv ...string) []string {
			if ns == "" {
				return argv
			}
			return append([]string{"ip", "netns", "exec", ns}, argv...)
		}
		for _, dump := range [][]string{{"-d", "link"}, {"-d", "addr"}, {"-d", "route", "show", "table", "all"}, {"rule"}, {"neigh", "show", "nud", "permanent"}} {
			argv := in(append([]string{"ip", "-j"}, dump...)...)
			fmt.Fprintf(&b, "## %s\n%s", strings.Join(argv, " "), settled(t, output(t, argv...)))
		}
		sysctls := strings.Split(output(t, in("sysctl", "-a", "-r", `^net\.`)...), "\n")
		sysctls = keep(sysctls, regexp.MustCompile(`conntrack_count|nf_log|\.flush|\.stable_secret|tcp_fastopen_key|icmp_msgs_|somaxconn`))
		sort.Strings(sysctls)
		fmt.Fprintf(&b, "## %s sysctl\n%s\n", ns, strings.Join(sysctls, "\n"))
		for _, argv := range [][]string{{"iptables-nft-save"}, {"iptables-legacy-save", "-t", "nat"}, {"iptables-legacy-save", "-t", "filter"}, {"nft", "list", "ruleset"}} {
			argv = in(argv...)
			fmt.Fprintf(&b, "## %s\n%s\n", strings.Join(argv, " "), uncounted(output(t, argv...)))
		}
	}
	return b.String()
}

// keep drops the lines that match.
func keep(lines []string, not *regexp.Regexp) []string {
	var kept []string
	for _, l := range lines {
		if l != "" && !not.MatchString(l) {
			kept = append(kept, l)
		}
	}
	return kept
}

// settled is ip's JSON, indented, without what passes by itself.
func settled(t *testing.T, text string) string {
	t.Helper()
	var items []map[string]any
	if strings.TrimSpace(text) != "" {
		if err := json.Unmarshal([]byte(text), &items); err != nil {
			t.Fatalf("ip -j: %v in %s", err, text)
		}
	}
	var lines []string
	for _, item := range items {
		if link, ok := item["linkinfo"].(map[string]any); ok {
			for _, kind := range []string{"info_data", "info_slave_data"} { // of a bridge, of its port
				if data, ok := link[kind].(map[string]any); ok {
					maps.DeleteFunc(data, func(key string, _ any) bool { return strings.HasSuffix(key, "_timer") })
				}
			}
		}
		pretty, err := json.MarshalIndent(item, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(pretty))
	}
	return strings.Join(lines, "\n") + "\n"
}

func uncounted(text string) string {
	text = regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`\[\d+:\d+\]`).ReplaceAllString(text, "[0:0]")
	return regexp.MustCompile(`packets \d+ bytes \d+`).ReplaceAllString(text, "packets 0 bytes 0")
}

// output is what a command prints; that it is not installed, or fails, is part
// of a snapshot too.
func output(t *testing.T, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		return fmt.Sprintf("%s(%v)\n", out, err)
	}
	return string(out)
}

// Masked replaces what is random by nature: MACs in the order they appear, and
// ifindexes. A bridge has the MAC of one of its ports, the smallest, and so by
// chance of this one or that.
func Masked(snapshot string) string {
	const address = `[0-9a-f]{2}(:[0-9a-f]{2}){5}`
	const chance = "smallest-of-its-ports"
	device := regexp.MustCompile(`(?ms)^\{$.*?^\}$`)
	snapshot = device.ReplaceAllStringFunc(snapshot, func(d string) string {
		if !strings.Contains(d, `"info_kind": "bridge"`) {
			return d
		}
		return regexp.MustCompile(`"address": "`+address).ReplaceAllString(d, `"address": "`+chance)
	})
	snapshot = regexp.MustCompile(`_id": "([0-9a-f]{4})\.[0-9a-f:]+"`).ReplaceAllString(snapshot, `_id": "$1.`+chance+`"`)
	seen := map[string]string{}
	snapshot = regexp.MustCompile(address).ReplaceAllStringFunc(snapshot, func(mac string) string {
		if mac == "00:00:00:00:00:00" || mac == "ff:ff:ff:ff:ff:ff" {
			return mac
		}
		if seen[mac] == "" {
			seen[mac] = fmt.Sprintf("mac-%d", len(seen)+1)
		}
		return seen[mac]
	})
	return regexp.MustCompile(`"(ifindex|link_index|link_netnsid)": \d+`).ReplaceAllString(snapshot, `"$1": 0`)
}
