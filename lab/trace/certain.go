package trace

import (
	"maps"
	"slices"
	"time"

	"netlab/lab"
)

// stillness is how long nothing new must have been seen of the probe until it is asked
// whether it is lost for certain: far longer than a packet takes from one device to
// the next.
const stillness = 100 * time.Millisecond

// lost tells whether the probe is lost for a reason that waiting can't change: the
// state of the kernel where it was seen last stops it there. What an answer by ARP may
// still change, or somebody beyond what netlab sees, is none.
func (a *run) lost(frames []raw) bool {
	if a.request.Probe == lab.ProbeARP {
		return false
	}
	b, id := *a, *a.id
	id.ways = maps.Clone(a.id.ways)
	b.id, b.sightings, b.unsent = &id, nil, nil
	var end lab.Ending
	var err error
	seen := a.scene.tentatively(func() { end, err = b.wouldEnd(slices.Clone(frames)) })
	return seen && err == nil && (end.Outcome == lab.Lost || end.Outcome == lab.Unanswered) && certain(end)
}

// wouldEnd is the ending if nothing more came.
func (a *run) wouldEnd(frames []raw) (lab.Ending, error) {
	if err := a.sort(frames); err != nil {
		return lab.Ending{}, err
	}
	legs, err := a.legs()
	if err != nil {
		return lab.Ending{}, err
	}
	return a.ending(legs)
}

// certain tells whether a reason is read from the kernel's settings alone.
func certain(end lab.Ending) bool {
	switch end.Reason {
	case NoRoute, UnreachableRoute, RefusingRule, RPFilter, ForwardingOff, Martian, LinkDown, NoCarrier, IsolatedPorts, EchoIgnored:
		return true
	case Firewall:
		return end.Values["certain"] != "no"
	}
	return false
}
