package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whatever stands in the file of a sandbox or in a marker: it is refused with a
// reason, or it says something that can be written and read again.
func FuzzState(f *testing.F) {
	for _, seed := range []any{
		entry{Version: 1, PID: 7, StartTime: 9, BootID: "b", Created: time.Unix(0, 0).UTC()},
		SandboxMarker("proxyarp"), map[string]int{"version": 2}, []int{1}, nil, "x",
	} {
		text, err := json.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, empty := range []func() any{func() any { return &entry{} }, func() any { return &Marker{} }} {
			read := empty()
			err := parseState(data, 1, read)
			if err != nil {
				if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
					t.Fatalf("an error without a kind: %v", err)
				}
				continue
			}
			written, err := json.Marshal(read)
			if err != nil {
				t.Fatalf("%s can't be written again: %v", data, err)
			}
			again := empty()
			if err := parseState(written, 1, again); err != nil {
				t.Fatalf("%s, written again as %s: %v", data, written, err)
			}
			if a, b := fmt.Sprint(read), fmt.Sprint(again); a != b {
				t.Fatalf("%s says %s, and written again %s", data, a, b)
			}
		}
	})
}

// A sandbox's name is a file's, a word of a command line and a line of a status.
func FuzzSandboxName(f *testing.F) {
	for _, seed := range []string{"proxyarp", "", ".", "..", "a/b", "-x", "a\nb", "a\x00", "ü", "a..", strings.Repeat("a", 65)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if checkName(name) != nil {
			return
		}
		r := registry{"/run/netlab/sandboxes"}
		if path := r.path(name); filepath.Clean(path) != path || filepath.Dir(path) != r.dir || len(filepath.Base(path)) > 255 {
			t.Errorf("%q would be the file %s", name, path)
		}
		for _, c := range name {
			if c <= ' ' || c > '~' || strings.ContainsRune(`'"$&;|<>()*?[]{}~#!\`+"`", c) {
				t.Errorf("%q has %q in it", name, c)
			}
		}
		if name[0] == '-' || name[0] == '.' {
			t.Errorf("%q begins with %q", name, name[0])
		}
	})
}

func FuzzStat(f *testing.F) {
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Add([]byte("1 (a) b (c)) S" + strings.Repeat(" 1", 19)))
	f.Fuzz(func(t *testing.T, stat []byte) {
		state, start, err := parseStat(stat)
		if err != nil {
			return
		}
		// A name of any kind changes nothing.
		named := append([]byte("1 (x) Z 9 (y)"), stat[strings.LastIndexByte(string(stat), ')'):]...)
		if s, n, err := parseStat(named); err != nil || s != state || n != start {
			t.Errorf("%q: %s %d, named otherwise %s %d %v", stat, state, start, s, n, err)
		}
	})
}

func FuzzResolvers(f *testing.F) {
	for _, seed := range []string{"", "nameserver 1.1.1.1\n", "nameserver\t::ffff:1.2.3.4 # x\n#nameserver 1.1.1.1", "nameserver fe80::1%eth0\r\n", "NAMESERVER 1.1.1.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found := parseResolvers(text)
		var again strings.Builder
		for _, addr := range found {
			if !addr.Is4() {
				t.Errorf("%q: found %s", text, addr)
			}
			fmt.Fprintf(&again, "nameserver %s\n", addr)
		}
		if got := parseResolvers(again.String()); len(got) != len(found) {
			t.Errorf("%q: found %v, and in what they say again %v", text, found, got)
		}
		if got := parseResolvers(text + "\nnameserver 192.0.2.7\n"); len(got) == 0 || got[len(got)-1] != netip.MustParseAddr("192.0.2.7") {
			t.Errorf("%q hides the line that follows", text)
		}
	})
}
