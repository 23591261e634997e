package kernel

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Words that iptables would write are read back; and any line has words.
func FuzzSplitRule(f *testing.F) {
	for _, seed := range []string{
		"", `-A POSTROUTING -s 1.1.1.0/24 -m comment --comment "netlab:x y" -j MASQUERADE`, `"`, `\`, `"\"`, `a"b c"d ""`, "  a  b ", "ü\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := SplitRule(line)
		var again []string
		for _, w := range words {
			if !utf8.ValidString(line) {
				return // iptables takes any bytes in a comment; they are for showing
			}
			// As xtables_save_string writes a word (iptables, libxtables/xtables.c).
			w = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w)
			again = append(again, `"`+w+`"`)
		}
		if got := SplitRule(strings.Join(again, " ")); !slices.Equal(got, words) {
			t.Errorf("%q has the words %q, and written again %q", line, words, got)
		}
	})
}

// No key leads out of /proc/sys/net.
func FuzzSysctlKey(f *testing.F) {
	for _, seed := range []string{"net/ipv4/ip_forward", "net/ipv4/conf/eth0.1/forwarding", "net/../kernel/core_pattern", "net//x", "net/", "/etc/passwd", "net/\x00", "kernel/x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if checkSysctlKey(key) != nil {
			return
		}
		path := SysctlPath(key)
		if filepath.Clean(path) != path || !strings.HasPrefix(path, "/proc/sys/net/") || strings.ContainsRune(path, 0) {
			t.Errorf("%q is the file %q", key, path)
		}
	})
}

// No name leads out of NetnsDir, or to anything but a process's namespace.
func FuzzNamespaceName(f *testing.F) {
	for _, seed := range []string{"ns1", "", ".", "..", "a/b", "pid:7", "pid:-1", "pid:7/../8", "pid:+7", "pid:07", "a\nb", "\x1b[2J", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		pid, isPid := pidOf(name)
		if !isPid && checkNetnsName(name) != nil {
			return
		}
		path := namespacePath(name)
		switch {
		case isPid && (pid <= 0 || !strings.HasSuffix(path, "/ns/net") || filepath.Dir(filepath.Dir(filepath.Dir(path))) != "/proc"):
			t.Errorf("%q is the file %q", name, path)
		case !isPid && filepath.Dir(path) != NetnsDir:
			t.Errorf("%q is the file %q", name, path)
		}
		if filepath.Clean(path) != path || strings.ContainsAny(path, "\x00\n\x1b") {
			t.Errorf("%q is the file %q", name, path)
		}
	})
}
