package machine

import (
	"slices"

	"netlab/lab"
)

// With is the command again with more flags, which take the place of its own of the
// same names. All of those have values.
func With(again lab.Command, flags ...string) lab.Command {
	var c lab.Command
	for i := 0; i < len(again); i++ {
		if len(again[i]) > 2 && again[i][:2] == "--" && slices.Contains(flags, again[i]) {
			i++ // its value
			continue
		}
		c = append(c, again[i])
	}
	return append(c, flags...)
}

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
	return With(again, flags...)
}

// Flags are what the finding's remedy adds to the command again, if it is that.
func (f Finding) Flags(again lab.Command) ([]string, bool) {
	for n := len(f.Remedy) - 1; n > 0; n-- {
		if flags := f.Remedy[n:]; slices.Equal(With(again, flags...), f.Remedy) {
			return flags, true
		}
	}
	return nil, false
}
