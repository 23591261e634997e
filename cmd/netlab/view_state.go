package main

import (
	"strings"

	"netlab/lab"
	"netlab/lab/kernel"
)

// differs says which field is not as it was set.
func (v *textView) differs(e lab.Event) string {
	if e.Values["field"] == "name" && e.Values["found"] == "missing" {
		object, want := v.object(e.Values["object"]), e.Values["want"]
		if strings.HasPrefix(want, "in ") {
			return v.fill("op.missing-in", "object", object, "where", v.state(want))
		}
		return v.fill("op.missing", "object", object)
	}
	return v.fill("op.differs",
		"object", v.object(e.Values["object"]), "field", v.wordFor("field.", e.Values["field"]),
		"want", v.state(e.Values["want"]), "found", v.state(e.Values["found"]))
}

// object is what was read: as iproute2 would name it, but for routes.
func (v *textView) object(object string) string {
	route, ok := strings.CutPrefix(object, "route to ")
	if !ok {
		return object
	}
	dst, in, placed := strings.Cut(route, " in ")
	if !placed {
		return v.fill("object.route", "dst", dst)
	}
	return v.fill("object.route-in", "dst", dst, "in", v.placed(map[string]string{"in": in})["in"])
}

// state is what a read-back wanted or found, in our language where it is a word
// of netlab's and not the kernel's.
func (v *textView) state(word string) string {
	if in, ok := strings.CutPrefix(word, "in "); ok {
		return v.fill("state.in", "in", v.placed(map[string]string{"in": in})["in"])
	}
	return v.wordFor("state.", word)
}

// wordFor is the text of a key that may not be there: then the word itself.
func (a *app) wordFor(family, word string) string {
	if text, ok := a.catalog[family+word]; ok {
		return text
	}
	return word
}

// placed is an event's values with the host named in our language.
func (v *textView) placed(values map[string]string) map[string]string {
	host := (&kernel.Namespace{Name: kernel.Host}).String()
	placed := map[string]string{}
	for name, value := range values {
		if value == host {
			value = v.say("the-host")
		}
		placed[name] = value
	}
	return placed
}
