package machine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLimitsAreFoundBeforeTheyAreMet(t *testing.T) {
	plenty := limits{namespaces: unlimited, mounts: unlimited, flows: unlimited, memory: unlimited}
	for _, tt := range []struct {
		name string
		pods int
		set  func(*limits)
		want []string // ID, grade, what is wanted, what there is, remedy
	}{
		{"plenty", 4000, func(*limits) {}, nil},
		{"a few pods", 3, func(l *limits) { *l = limits{} }, nil},
		{"namespaces", 1000, func(l *limits) { l.namespaces = 999 },
			[]string{NamespacesFew, "stop", "1000", "999", "sysctl -w user.max_net_namespaces=2000"}},
		{"just enough", 1000, func(l *limits) { l.namespaces, l.mounts, l.flows, l.memory = 1000, 1000, 1000, 397 }, nil},
		{"mounts", 1000, func(l *limits) { l.mounts = 10 }, []string{MountsFew, "stop", "1000", "10", "sysctl -w fs.mount-max=102000"}},
		{"memory", 1000, func(l *limits) { l.memory = 300 }, []string{MemoryShort, "stop", "397", "300", "free -m"}},
		{"flows", 1000, func(l *limits) { l.flows = 512 },
			[]string{FlowsFew, "warn", "1000", "512", "sysctl -w net.netfilter.nf_conntrack_max=4000"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := plenty
			tt.set(&l)
			var got []string
			for _, f := range judgeLimits(tt.pods, l) {
				got = append(got, f.ID, f.Grade.String(), f.Values["want"], f.Values["most"], f.Remedy.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMemoryIsWhatTheControlGroupsLeave(t *testing.T) {
	root := t.TempDir()
	write := func(path, text string) string {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own := write("own", "1:net_cls:/x\n0::/a/b\n")
	write("a/memory.max", "104857600\n")
	write("a/memory.current", "52428800\n")
	write("a/b/memory.max", "max\n")
	write("a/b/memory.current", "52428800\n")
	if got := allotted(root, own); got != 50 {
		t.Errorf("%d MiB are left, want 50", got)
	}
	if got := available(write("meminfo", "MemTotal: 4096 kB\nMemAvailable: 2048 kB\n")); got != 2 {
		t.Errorf("%d MiB are available, want 2", got)
	}
	if allotted(root, root+"/none") != unlimited || available(root+"/none") != unlimited || number(root+"/none") != unlimited {
		t.Error("what is not said is taken for a limit")
	}
}
