package kernel

import (
	"errors"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

func TestDumpIsAskedForUntilNobodyInterruptsIt(t *testing.T) {
	t.Parallel()
	left := 3
	list := func() ([]int, error) {
		if left--; left > 0 {
			return []int{1}, netlink.ErrDumpInterrupted
		}
		return []int{1, 2}, nil
	}
	if got, err := Dump(list); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	_, err := Dump(func() ([]int, error) { return nil, netlink.ErrDumpInterrupted })
	if !errors.Is(err, netlink.ErrDumpInterrupted) || !strings.Contains(err.Error(), "others keep changing it") {
		t.Errorf("always interrupted: %v", err)
	}
}
