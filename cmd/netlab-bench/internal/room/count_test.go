package room

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCountsAreReadFromStracesTable(t *testing.T) {
	got := parseCounts(`    calls syscall
--------- ----------------
      204 unshare
     7462 sendto
--------- ----------------
     7666 total
`)
	if diff := cmp.Diff(map[string]int{"unshare": 204, "sendto": 7462}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
