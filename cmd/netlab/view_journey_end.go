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
	inset := v.in + indent
	for _, note := range end.Notes {
		v.prose(inset, v.fillAll("note."+note.Kind, v.inWordsOf(note.Values)), nil)
	}
	if end.Outcome == lab.Answered {
		return
	}
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
	if end.DropUnread != "" && (end.Outcome == lab.Lost || end.Outcome == lab.Unanswered) && j.Probe != lab.ProbeARP && !v.quiet {
		key := "drop-unread." + end.DropUnread
		if _, ok := v.catalog[key+".inside"]; ok && v.lab != "" {
			key += ".inside"
		}
		v.prose(inset, v.wordFor("", key), v.dim)
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
	case trace.NobodyHas, trace.NoNeighbour:
		if is["why"] != "" {
			is["route"] = glued(is["route"])
			key += ".router"
			is["why"] = scenarios.Fill(v.say("unproxied."+is["why"]), is)
		}
	case trace.Martian:
		if is["dst"] != "" {
			key += ".dst"
		}
	case trace.TTLExceeded:
		if is["from"] == "" {
			key += ".here"
		}
	case trace.TCPReset:
		if _, ok := end.Values["made_in"]; ok {
			key += ".made"
		}
	case trace.ICMPError:
		is["what"] = v.icmpError(is["type"], is["code"])
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

// icmpError is what an ICMP error says, by its type and code.
func (a *app) icmpError(kind, code string) string {
	if what, ok := a.catalog["icmp."+kind+"-"+code]; ok {
		return what
	}
	return a.fill("icmp.other", "type", kind, "code", code)
}

// fillAll is a sentence of the catalog with values in it.
func (v *journeyView) fillAll(key string, is map[string]string) string {
	return scenarios.Fill(v.say(key), is)
}
