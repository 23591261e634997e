package machine

import (
	"slices"

	"netlab/lab"
)

// Together is one command in the place of several remedies that are the same
// command, again, with other flags. It is empty where fewer than two are. A
// sandbox is out of the reach of all the rest, so there it is the only flag.
func Together(again lab.Command, found []Finding) lab.Command {
	var flags []string
	several := 0
	for _, f := range found {
		more, ok := f.Flags(again)
		if !ok {
			continue
		}
		several++
		if slices.Contains(more, "--sandbox") {
			flags = []string{"--sandbox"}
		}
		if !slices.Contains(flags, "--sandbox") && !slices.Contains(flags, more[0]) {
			flags = append(flags, more...)
		}
	}
	if several < 2 {
		return nil
	}
	return append(slices.Clone(again), flags...)
}

// Flags are what the finding's remedy adds to the command again, if it is that.
func (f Finding) Flags(again lab.Command) ([]string, bool) {
	if len(f.Remedy) <= len(again) || !slices.Equal(f.Remedy[:len(again)], again) {
		return nil, false
	}
	return f.Remedy[len(again):], true
}
