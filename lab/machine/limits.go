package machine

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"netlab/lab"
)

// limits are how much of what every pod takes this machine gives, as far as it says so.
// Nothing else grows with the pods: netlab is one process, and watches none of them.
type limits struct {
	namespaces int // user.max_net_namespaces, of this user namespace
	mounts     int // fs.mount-max, of a mount namespace; one for each name
	flows      int // net.netfilter.nf_conntrack_max; one for each pod that pings
	memory     int // that may still be used, in MiB
}

// unlimited is a limit that this machine does not name.
const unlimited = math.MaxInt

// memoryOfPods is what the kernel takes for so many pods, in MiB, a third for each
// (facts.md, section 9), and something for the rest of the machine.
func memoryOfPods(pods int) int {
	const rest = 64
	return pods/3 + rest
}

// few is below how many pods no limit is looked at: any machine has room for them.
const few = 50

func readLimits() limits {
	return limits{
		namespaces: number("/proc/sys/user/max_net_namespaces"),
		mounts:     number("/proc/sys/fs/mount-max"),
		flows:      number("/proc/sys/net/netfilter/nf_conntrack_max"),
		memory:     min(available("/proc/meminfo"), allotted("/sys/fs/cgroup", "/proc/self/cgroup")),
	}
}

// judgeLimits says of which there is too little for so many pods.
func judgeLimits(pods int, l limits) []Finding {
	if pods < few {
		return nil
	}
	var found []Finding
	short := func(id string, grade Grade, want, most int, remedy lab.Command) {
		if want > most {
			found = append(found, Finding{ID: id, Grade: grade, Remedy: remedy, Values: map[string]string{
				"pods": strconv.Itoa(pods), "want": strconv.Itoa(want), "most": strconv.Itoa(most),
			}})
		}
	}
	set := func(key string, value int) lab.Command {
		return lab.Command{"sysctl", "-w", key + "=" + strconv.Itoa(value)}
	}
	short(NamespacesFew, Stop, pods, l.namespaces, set("user.max_net_namespaces", 2*pods))
	short(MountsFew, Stop, pods, l.mounts, set("fs.mount-max", 100000+2*pods))
	short(MemoryShort, Stop, memoryOfPods(pods), l.memory, lab.Command{"free", "-m"})
	short(FlowsFew, Warn, pods, l.flows, set("net.netfilter.nf_conntrack_max", 4*pods))
	return found
}

// number reads a file that holds one.
func number(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return unlimited
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return unlimited // such as "max"
	}
	return n
}

// available is MemAvailable of /proc/meminfo, in MiB.
func available(meminfo string) int {
	text, err := os.ReadFile(meminfo)
	if err != nil {
		return unlimited
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "MemAvailable:" {
			if kib, err := strconv.Atoi(words[1]); err == nil {
				return kib >> 10
			}
		}
	}
	return unlimited
}

// allotted is what our control group and those above it still may use, in MiB: kernel
// memory counts (Documentation/admin-guide/cgroup-v2.rst).
func allotted(root, own string) int {
	text, err := os.ReadFile(own)
	if err != nil {
		return unlimited
	}
	path := ""
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			path = rest
		}
	}
	least := unlimited
	for dir := filepath.Clean("/" + path); dir != "/"; dir = filepath.Dir(dir) {
		most, used := number(filepath.Join(root, dir, "memory.max")), number(filepath.Join(root, dir, "memory.current"))
		if most != unlimited && used != unlimited {
			least = min(least, max(0, most-used)>>20)
		}
	}
	return least
}
