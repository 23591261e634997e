package doctor

import (
	"strconv"

	"netlab/lab"
	"netlab/lab/machine"
)

// settings says what the host is set to, where labs depend on it. The labs know
// what to do in each case, so none is in the way.
func settings(q Question) ([]machine.Finding, error) {
	return judgeSettings(q.Facts, q.Plan), nil
}

func judgeSettings(f lab.Facts, p machine.Plan) []machine.Finding {
	var found []machine.Finding
	if f.Uplink != "" {
		found = append(found, ok(DefaultRoute, "dev", f.Uplink))
	}
	if p.Routes {
		id := ForwardingOff
		if f.IPForward {
			id = ForwardingOn
		}
		found = append(found, ok(id))
		if f.RPFilter == 0 {
			found = append(found, ok(RPFilterOff))
		} else {
			found = append(found, ok(RPFilter, "value", strconv.Itoa(f.RPFilter)))
		}
	}
	if p.Bridges && f.BridgeFirewall {
		found = append(found, ok(BridgeCalls))
	}
	return found
}
