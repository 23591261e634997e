package main

import (
	"slices"
	"strings"

	"netlab/lab"
	"netlab/scenarios"
)

// decisions says what sent the packet on, a line each, below its hop.
func (v *journeyView) decisions(all []lab.Decision, at lab.Hop) {
	in := v.in + indent + indent + indent
	for _, d := range all {
		for i, line := range wrap(v.decision(d, at), v.columns-columns(in)-len(indent)) {
			if i > 0 {
				line = indent + line // so that a new decision is seen to begin
			}
			v.line(in + line)
		}
	}
}

// decision is what one namespace decided about the packet of a hop, in words.
func (v *journeyView) decision(d lab.Decision, at lab.Hop) string {
	is := v.inWordsOf(d.Values)
	key := "decide." + d.Kind
	more := ""
	switch d.Kind {
	case lab.DecideRoute:
		is["route"] = glued(d.Values["route"])
		if is["table"] != "" {
			key += ".table"
		}
		if is["src"] != "" && !strings.Contains(d.Values["route"], " src ") {
			more = "decide.route.src"
		}
	case lab.DecideNeighbour:
		return v.neighbour(is)
	case lab.DecideNAT:
		is["what"] = v.say("nat." + strings.ReplaceAll(is["field"], "_", "-"))
	case lab.DecideBridge:
		switch {
		case is["flooded"] == "yes" && at.DstMAC == "ff:ff:ff:ff:ff:ff":
			key += ".broadcast"
		case is["flooded"] == "yes":
			key, is["mac"] = key+".flooded", at.DstMAC
		case is["how"] == "local":
			key += ".local"
		case is["how"] != "":
			more = "decide.bridge." + is["how"]
		}
	case lab.DecideLocal:
		is["addr"] = at.Dst.String()
	case lab.DecideCable:
	default: // of an engine that knows more than this view
		return d.Kind + ": " + plainValues(d.Values)
	}
	text := scenarios.Fill(v.say(key), is)
	if more != "" {
		text = scenarios.Adjoin(text, scenarios.Fill(v.say(more), is))
	}
	return text
}

// neighbour says who has the next hop's address, how that is known, and whose the
// MAC is.
func (v *journeyView) neighbour(is map[string]string) string {
	if is["mac"] == "" {
		return scenarios.Fill(v.say("decide.neighbour.none"), is)
	}
	text := scenarios.Fill(v.say("decide.neighbour"), is)
	switch {
	case is["asked"] == "yes":
		text = scenarios.Adjoin(text, v.say("decide.neighbour.asked"))
	case is["state"] != "":
		text = scenarios.Adjoin(text, scenarios.Fill(v.say("decide.neighbour.known"), is))
	}
	switch {
	case is["owner-dev"] == "":
	case is["proxy"] == "yes":
		text += scenarios.Fill(v.say("decide.neighbour.proxy"), is)
	default:
		text += scenarios.Fill(v.say("decide.neighbour.owner"), is)
	}
	return text
}

// inWordsOf is what the engine says, for use in words: the names of values as the
// catalog has them, and the host by its name in our language.
func (v *journeyView) inWordsOf(values map[string]string) map[string]string {
	is := map[string]string{}
	for name, value := range values {
		name = strings.ReplaceAll(name, "_", "-")
		if name == "in" || name == "router" || name == "ns" || name == "made-in" || strings.HasSuffix(name, "-ns") {
			value = v.inSpace(value)
		}
		is[name] = value
	}
	return is
}

// glued keeps the words of a route that are nothing without the next one on one
// line with it.
func glued(route string) string {
	var b strings.Builder
	for word := range strings.FieldsSeq(route) {
		b.WriteString(word)
		if takesValue(word) || slices.Contains([]string{"proto", "src", "table", "metric"}, word) {
			b.WriteString(scenarios.Unbroken)
		} else {
			b.WriteByte(' ')
		}
	}
	return strings.TrimSpace(b.String())
}

// plainValues are values that nobody has words for.
func plainValues(values map[string]string) string {
	var all []string
	for name, value := range values {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
