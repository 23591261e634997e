package probe

import "slices"

// ringSilent is of how many windows silence may be for want of room. More, and it is
// the pods'.
const ringSilent = 4

// pingAgain has windows with a silent pod ping once more, one window at a time: of so many
// pods, some may have found no room in the table of neighbours, which others on this
// machine fill, too, and whose oldest entries are dropped after a few seconds. A lab of
// one window is not asked twice.
func pingAgain(all [][]*ringMember, ping func(window int) error) error {
	var silent []int
	for i, members := range all {
		if slices.ContainsFunc(members, func(m *ringMember) bool { return m.problem == noAnswer }) {
			silent = append(silent, i)
		}
	}
	if len(all) == 1 || len(silent) > ringSilent {
		return nil
	}
	for _, i := range silent {
		if err := ping(i); err != nil {
			return err
		}
	}
	return nil
}
