package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/lab/cause"
	"netlab/lab/doctor"
	"netlab/lab/machine"
	"netlab/lab/trace"
	"netlab/scenarios"
)

func catalogOf(t *testing.T, lang string) catalog {
	t.Helper()
	c, err := readCatalog(lang)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Each language has every text, with the same values and the same names of
// flags' arguments in it.
func TestCatalogsSayTheSame(t *testing.T) {
	want := catalogOf(t, english)
	for _, lang := range languages() {
		got := catalogOf(t, lang)
		for key, text := range got {
			if _, ok := want[key]; !ok {
				t.Errorf("%s has %q, which English does not", lang, key)
			}
			if text == "" {
				t.Errorf("%s: %q is empty", lang, key)
			}
		}
		for key, text := range want {
			if _, ok := got[key]; !ok {
				t.Errorf("%s lacks %q: %q", lang, key, text)
				continue
			}
			for _, pattern := range []string{`\{[a-z-]+\}`, "`[A-Z]+`"} {
				if a, b := found(pattern, text), found(pattern, got[key]); !slices.Equal(a, b) {
					t.Errorf("%s: %q has %v, English %v", lang, key, b, a)
				}
			}
		}
	}
}

// found is what a pattern finds in a text: each once, sorted.
func found(pattern, text string) []string {
	all := regexp.MustCompile(pattern).FindAllString(text, -1)
	slices.Sort(all)
	return slices.Compact(all)
}

// A catalog file names each key once; JSON would take the last without a word.
func TestCatalogsNameEachKeyOnce(t *testing.T) {
	for _, lang := range languages() {
		data, err := fs.ReadFile(words, "words/"+lang+".json")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^  "([^"]+)":`).FindAllStringSubmatch(string(data), -1) {
			if seen[m[1]] {
				t.Errorf("%s has %q twice", lang, m[1])
			}
			seen[m[1]] = true
		}
		if len(seen) != len(catalogOf(t, lang)) {
			t.Errorf("%s: %d lines with keys, %d keys", lang, len(seen), len(catalogOf(t, lang)))
		}
	}
}

// What the code says, it can say; and what the catalog has, is said.
func TestCodeAndCatalogAgree(t *testing.T) {
	c := catalogOf(t, english)
	literals, families := map[string]bool{}, map[string]bool{}
	for _, file := range goFiles(t, ".") {
		ast.Inspect(file, func(n ast.Node) bool {
			if text, ok := literal(n); ok {
				literals[text] = true
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"say", "fill", "unknown"}, method.Sel.Name) {
				return true
			}
			if key, ok := literal(call.Args[0]); ok {
				if _, ok := c[key]; !ok {
					t.Errorf("the code says %q, which no catalog has", key)
				}
			}
			return true
		})
	}
	for text := range literals {
		if regexp.MustCompile(`^[a-z-]+(\.[a-z-]+)*\.$`).MatchString(text) {
			families[text] = true
		}
	}
	for key := range c {
		key = strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".found")
		used := literals[key]
		for family := range families {
			used = used || strings.HasPrefix(key, family)
		}
		if !used {
			t.Errorf("nothing says %q", key)
		}
	}
}

func goFiles(t *testing.T, dir string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

func literal(n ast.Node) (string, bool) {
	l, ok := n.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// The keys that the code puts together have every end that there is.
func TestFamiliesOfKeysAreWhole(t *testing.T) {
	ends := map[string][]string{
		"machine.":   {"host", machine.KindSandbox},
		"status.":    {"host", machine.KindSandbox},
		"run.":       {lab.Up, lab.Partial, lab.Failed, lab.Interrupted},
		"undo.":      {lab.Down, lab.Failed, lab.Interrupted},
		"undo.skip.": {lab.SkipGone, lab.SkipReplaced, lab.SkipUnknown, lab.SkipChanged, lab.SkipInUse, lab.SkipHandedOver},
		"role.":      {"outside", "gateway"},
		"leg.":       {lab.LegError},
		"nat.":       {"src", "dst", "src-port", "dst-port"},
		"end.": {
			lab.Unanswered, lab.Answered, lab.Answered + ".arp", lab.Rejected, lab.Rejected + ".untimed", lab.Unsent,
			lab.Lost, lab.Lost + ".arp", lab.Lost + "." + lab.LegRequest, lab.Lost + "." + lab.LegReply,
			lab.Lost + "." + lab.LegRequest + ".unseen", lab.Lost + "." + lab.LegReply + ".unseen", lab.Lost + "." + lab.LegError,
		},
		"decide.":      {lab.DecideRoute, lab.DecideNeighbour, lab.DecideNAT, lab.DecideBridge, lab.DecideLocal, lab.DecideCable},
		"note.":        {lab.OddDuplicate, lab.OddElsewhere},
		"drop-unread.": {trace.DropNotAllowed, trace.DropUnsupported, trace.DropNotSeen},
		"pcap.": {
			trace.KindRequest, trace.KindReply, trace.KindError, trace.KindMore, trace.KindARPRequest, trace.KindARPReply,
		},
	}
	for _, probe := range []string{lab.ProbeEcho, lab.ProbeARP, lab.ProbeTCP, lab.ProbeUDP} {
		ends["leg."] = append(ends["leg."], lab.LegRequest+"."+probe, lab.LegReply+"."+probe)
	}
	for id := range trace.Known() {
		ends["reason."] = append(ends["reason."], id)
	}
	for _, m := range regexp.MustCompile(`return router, "([a-z-]+)", nil`).FindAllStringSubmatch(docText(t, "lab/trace/nobody.go"), -1) {
		ends["unproxied."] = append(ends["unproxied."], m[1])
	}
	if len(ends["unproxied."]) < 5 {
		t.Errorf("only these reasons not to answer by proxy: %v", ends["unproxied."])
	}
	for id, grade := range findings(t) {
		ends["finding."] = append(ends["finding."], id)
		if grade != "OK" {
			ends["effect."], ends["remedy."] = append(ends["effect."], id), append(ends["remedy."], id)
		}
	}
	ends["owner."] = []string{doctor.ByDocker, doctor.ByUfw, doctor.ByFirewalld, doctor.ByBoth}
	for id := range cause.Known() {
		ends["cause."] = append(ends["cause."], id)
	}
	for _, s := range scenarios.All() {
		for _, p := range s.Params {
			ends["param."+s.Name+"."] = append(ends["param."+s.Name+"."], p.Name)
		}
	}
	ends["bad."] = badValues(t)
	ends["field."], ends["state."] = mismatches(t)
	for _, lang := range languages() {
		c := catalogOf(t, lang)
		for family, all := range ends {
			for _, end := range all {
				if _, ok := c[family+end]; !ok {
					t.Errorf("%s lacks %q", lang, family+end)
				}
			}
		}
	}
}

// findings are the IDs of all findings, and what the comment behind each says of
// its grade first: "OK", "Warn", "Stop", or nothing where that depends.
func findings(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, file := range []string{"lab/machine/finding.go", "lab/doctor/finding.go", "cmd/netlab/prepare.go", "cmd/netlab/survey.go"} {
		for _, m := range regexp.MustCompile(`(?m)^\t\w+ += "([a-z-]+)" +//(?: (OK|Warn|Stop)\b)?`).FindAllStringSubmatch(docText(t, file), -1) {
			all[m[1]] = m[2]
		}
	}
	if len(all) < 50 {
		t.Errorf("only these findings: %v", all)
	}
	return all
}

// What is said of why a packet stopped has no values but those that the engine
// gives, and the place where it was.
func TestReasonsHaveTheirValues(t *testing.T) {
	always := []string{"dev", "in", "what"}
	for _, lang := range languages() {
		for key, text := range catalogOf(t, lang) {
			id, ok := strings.CutPrefix(key, "reason.")
			if !ok {
				continue
			}
			id, _, _ = strings.Cut(id, ".")
			known, ok := trace.Known()[id]
			if !ok {
				t.Errorf("%s: no packet stops for %q", lang, id)
			}
			for _, name := range found(`\{[a-z-]+\}`, text) {
				name = strings.Trim(name, "{}")
				if !slices.Contains(always, name) && !slices.Contains(known, strings.ReplaceAll(name, "-", "_")) {
					t.Errorf("%s: nothing is known of {%s} in %q", lang, name, key)
				}
			}
		}
	}
}

// badValues are the reasons that scenarios have against a value.
func badValues(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, file := range goFiles(t, filepath.Join(checkout, "scenarios")) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "badValue" {
				if why, ok := literal(call.Args[2]); ok {
					all = append(all, why)
				} else {
					t.Errorf("a reason that is no literal: %v", call.Args[2])
				}
			}
			return true
		})
	}
	if len(all) < 10 {
		t.Errorf("only these reasons: %v", all)
	}
	return all
}

// mismatches are the fields that ops read back, and the words for what they want
// and find there that are netlab's own and not the kernel's.
func mismatches(t *testing.T) (fields, states []string) {
	t.Helper()
	for _, file := range goFiles(t, filepath.Join(checkout, "lab", "op")) {
		ast.Inspect(file, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			name, _ := kv.Key.(*ast.Ident)
			text, isLiteral := literal(kv.Value)
			switch {
			case name == nil || !isLiteral || text == "in " || text == "dormant or owned":
			case name.Name == "Field":
				fields = append(fields, text)
			case name.Name == "Want", name.Name == "Found":
				states = append(states, text)
			}
			return true
		})
	}
	if len(fields) < 5 || len(states) < 5 {
		t.Errorf("only these fields and states: %v, %v", fields, states)
	}
	return fields, states
}
