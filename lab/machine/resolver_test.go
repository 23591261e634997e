package machine

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResolversOfTheFilesThatExist(t *testing.T) {
	dir := t.TempDir()
	stub, real := filepath.Join(dir, "stub"), filepath.Join(dir, "real")
	for path, text := range map[string]string{
		stub: "# nameserver 9.9.9.9\nnameserver 127.0.0.53\noptions edns0 trust-ad\n",
		real: "search lan\nnameserver 1.1.1.1\n\tnameserver\t8.8.8.8 # the other\n" +
			"nameserver 1.1.1.1\nnameserver fe80::1%eth0\nnameserver\nnameserver nonsense\nnameserver ::ffff:9.9.9.9",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readResolvers([]string{stub, filepath.Join(dir, "none"), real})
	if err != nil {
		t.Fatal(err)
	}
	want := []resolver{
		{netip.MustParseAddr("127.0.0.53"), stub},
		{netip.MustParseAddr("1.1.1.1"), real},
		{netip.MustParseAddr("8.8.8.8"), real},
		{netip.MustParseAddr("9.9.9.9"), real},
	}
	equal := cmp.Comparer(func(a, b resolver) bool { return a == b })
	if diff := cmp.Diff(want, got, equal); diff != "" {
		t.Error(diff)
	}
}
