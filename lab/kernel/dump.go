package kernel

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
)

// Dump asks for a list until it was not interrupted by a change to it: the
// kernel marks a dump that others changed under way (NLM_F_DUMP_INTR), and the
// library hands it on as it is. After enough tries the error stands.
func Dump[T any](list func() ([]T, error)) ([]T, error) {
	const tries = 20
	var items []T
	var err error
	for range tries {
		items, err = list()
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return items, err
		}
	}
	return items, fmt.Errorf("interrupted %d times, others keep changing it: %w", tries, err)
}
