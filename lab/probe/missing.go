// Package probe tries the network as a person would, with no arping, ping or
// nc installed: each type is a lab.Probe, a plain value that can be kept as
// JSON. A namespace is named as in lab/kernel: empty for the host.
//
// An outcome is one word, the same in every language; the doc comment of each
// probe lists its own. All addresses are IPv4.
package probe

import (
	"errors"
	"io/fs"

	"netlab/lab"
)

// outcomeMissing: a namespace or device that the probe needs is not there. It
// is an answer, not an error: before its step, that is what a check shows.
const outcomeMissing = "missing"

// missing makes an observation of the error of looking for a namespace or a
// device. Any error but its absence stays an error.
func missing(err error) (lab.Observation, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return lab.Observation{Outcome: outcomeMissing}, nil
	}
	return lab.Observation{}, err
}
