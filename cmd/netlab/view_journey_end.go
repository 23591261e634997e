package main

import (
	"slices"
	"strings"

	"netlab/lab"
	"netlab/lab/trace"
	"netlab/scenarios"
)

// ending says how the journey ended, and if it did before it was back, where,
// why, and what shows it.
func (v *journeyView) ending(j lab.Journey) {
	end := j.End
	v.prose(v.in+v.endMark(end), v.outcome(j), nil)
	if end.Outcome == lab.Answered {
		return
	}
	inset := v.in + indent
	if end.Reason != "" {
		v.prose(inset, v.reason(j), nil)
	}
	if end.Drop != "" {
		v.prose(inset, v.fill("end.drop", "drop", end.Drop), nil)
	}
	if len(end.Look) > 0 {
		see := "check.see"
		if v.lab != "" {
			see = "check.see-inside"
		}
		v.prose(inset, v.fill(see, "lab", v.lab), nil)
		v.command(inset+indent, end.Look.String())
	}
	if end.DropUnread != "" && end.Outcome == lab.Lost && j.Probe != lab.ProbeARP && !v.quiet {
		v.prose(inset, v.wordFor("drop-unread.", end.DropUnread), v.dim)
	}
}

func (v *journeyView) endMark(end lab.Ending) string {
	if end.Outcome == lab.Answered {
		return v.green.Sprint("✓") + " "
	}
	return v.red.Sprint("✗") + " "
}

// outcome is the end in one sentence.
func (v *journeyView) outcome(j lab.Journey) string {
	end := j.End
	key, is := "end."+end.Outcome, map[string]string{
		"from": v.inSpace(j.From), "to": j.To.String(), "time": brief(end.RTT), "dev": end.Dev, "in": v.inSpace(end.NS),
	}
	switch {
	case end.Outcome == lab.Answered && j.Probe == lab.ProbeARP:
		if mac := answeredFrom(j); mac != "" {
			key, is["mac"] = key+".arp", mac
		}
	case end.Outcome == lab.Rejected && end.RTT == 0:
		key += ".untimed"
	case end.Outcome == lab.Lost && end.Dev != "" && j.Probe == lab.ProbeARP:
		key += ".arp"
	case end.Outcome == lab.Lost && end.Dev != "":
		key += "." + end.Leg
		if _, ok := v.catalog[key+".unseen"]; ok && !wasSeen(j, end.Leg) {
			key += ".unseen"
		}
	}
	return scenarios.Fill(v.wordFor("", key), is)
}

// wasSeen tells whether a leg's packet was seen anywhere.
func wasSeen(j lab.Journey, kind string) bool {
	return slices.ContainsFunc(j.Legs, func(l lab.Leg) bool { return l.Kind == kind && len(l.Hops) > 0 })
}

// answeredFrom is the MAC that an answer to ARP came back with.
func answeredFrom(j lab.Journey) string {
	for _, leg := range j.Legs {
		if leg.Kind == lab.LegReply && len(leg.Hops) > 0 {
			return leg.Hops[len(leg.Hops)-1].SrcMAC
		}
	}
	return ""
}

// reason says why the packet got no further.
func (v *journeyView) reason(j lab.Journey) string {
	end := j.End
	is := v.inWordsOf(end.Values)
	for name, value := range map[string]string{"dev": end.Dev, "in": v.inSpace(end.NS)} {
		if is[name] == "" {
			is[name] = value
		}
	}
	key := "reason." + end.Reason
	switch end.Reason {
	case trace.RPFilter:
		if is["back"] != "" {
			key += ".back"
		}
	case trace.Firewall:
		if is["certain"] == "no" {
			key += ".perhaps"
		}
	case trace.NobodyHas:
		if is["why"] != "" {
			key += ".router"
			is["why"] = scenarios.Fill(v.say("unproxied."+is["why"]), is)
		}
	case trace.ICMPError:
		what, ok := v.catalog["icmp."+is["type"]+"-"+is["code"]]
		if !ok {
			what = scenarios.Fill(v.say("icmp.other"), is)
		}
		is["what"] = what
	case trace.UnreachableRoute:
		is["route"] = glued(is["route"])
	}
	if name := is["key"]; !strings.Contains(name, ".") {
		is["key"] = strings.ReplaceAll(name, "/", ".")
	}
	if text, ok := v.catalog[key]; ok {
		return scenarios.Fill(text, is)
	}
	return end.Reason + " " + plainValues(end.Values)
}
