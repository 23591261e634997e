package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/measure"
)

// The documents are tested as a reader would: every command in them is run, in
// order, by bash in a fresh checkout, and every output in them is compared with
// what came. A fenced block is one of:
//
//   - ```console: commands, each behind "$ ", its further lines behind "> ".
//     They run as an ordinary user, without any right on the machine.
//   - ```console host: commands behind "# ". They run as root of a pretend host.
//   - any other, behind a comment that says what it is: output, or a picture.
//
// Comments above a block say more of it:
//
//	<!-- output of: COMMAND -->           what the command printed, when it was last run
//	<!-- output of: COMMAND | FILTER -->  the same, through a filter
//	<!-- exit: N -->                      the block's last command ends with N, not with 0
//	<!-- needs: PROGRAM -->               is left out where the program is not installed
//	<!-- interactive -->                  is left out: it needs a person
//	<!-- needs a cluster -->              is left out: it needs kind and Docker; see docs_cluster_test.go
//	<!-- as in: STAGE -->                 what netlab prints on a network made here; see docs_stages_test.go
//	<!-- picture -->                      nothing to run or compare
//
// `make docs` (go test ./cmd/netlab -run Docs -update) rewrites the outputs in
// place. The pages in docs/scenarios are made, not written: see page_test.go.

// Each document has a pretend host of its own, so a top-level test of its own.

func TestDocsREADME(t *testing.T)          { testDocument(t, "README.md", 3) }
func TestDocsREADMEinChinese(t *testing.T) { testDocument(t, "README.zh.md", 3) }
func TestDocsGettingStarted(t *testing.T)  { testDocument(t, "docs/getting-started.md", 2) }
func TestDocsHowItWorks(t *testing.T)      { testDocument(t, "docs/how-it-works.md", 0) }
func TestDocsArchitecture(t *testing.T)    { testDocument(t, "docs/architecture.md", 0) }
func TestDocsGlossary(t *testing.T)        { testDocument(t, "docs/glossary.md", 0) }
func TestDocsWorkshop(t *testing.T)        { testDocument(t, "docs/workshop.md", 3) }
func TestDocsWhatIf(t *testing.T)          { testDocument(t, "docs/what-if.md", 0) }
func TestDocsJSON(t *testing.T)            { testDocument(t, "docs/json.md", 0) }
func TestDocsPractice(t *testing.T)        { testDocument(t, "docs/practice.md", 2) }
func TestDocsChallenges(t *testing.T)      { testDocument(t, "docs/challenges.md", 1) }
func TestDocsWriting(t *testing.T)         { testDocument(t, "docs/writing-a-challenge.md", 1) }
func TestDocsRealClusters(t *testing.T)    { testDocument(t, "docs/real-clusters.md", 0) }

func TestDocsReleasing(t *testing.T) { testDocument(t, "docs/releasing.md", 0) }

func TestDocsPerformance(t *testing.T) { testDocument(t, "docs/performance.md", 0) }

func TestDocsSecurity(t *testing.T) { testDocument(t, "docs/security.md", 0) }

func TestDocsSafety(t *testing.T) { testDocument(t, "docs/safety.md", 0) }

func TestDocsWhatIfInChinese(t *testing.T) { testDocument(t, "docs/what-if.zh.md", 0) }

func TestDocsPracticeInChinese(t *testing.T) { testDocument(t, "docs/practice.zh.md", 2) }

func TestDocsChallengesInChinese(t *testing.T) { testDocument(t, "docs/challenges.zh.md", 1) }

func TestDocsRealClustersInChinese(t *testing.T) { testDocument(t, "docs/real-clusters.zh.md", 0) }

// TestDocsAreAllTested: a new document needs a line above.
func TestDocsAreAllTested(t *testing.T) {
	source, err := os.ReadFile("docs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(checkout, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if name := "docs/" + filepath.Base(path); !bytes.Contains(source, []byte(`testDocument(t, "`+name+`"`)) {
			t.Errorf("%s is not tested", name)
		}
	}
}

// TestDocsLinksLeadSomewhere: a link to a file leads to one.
func TestDocsLinksLeadSomewhere(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(checkout, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	readmes, err := filepath.Glob(filepath.Join(checkout, "README*.md"))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, path := range slices.Concat(found, readmes, scenarioPages(t)) {
		rel, err := filepath.Rel(checkout, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(docText(t, rel), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s: a link leads nowhere: %v", rel, err)
			}
		}
	}
}

// TestDocsNameEveryDependency: each has to earn its place in words.
func TestDocsNameEveryDependency(t *testing.T) {
	requirements, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	text := docText(t, "docs/architecture.md")
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(requirements), -1) {
		if !strings.Contains(text, "`"+m[1]+"`") {
			t.Errorf("docs/architecture.md does not say what %s is for", m[1])
		}
	}
}

// TestDocsNameEveryJSONField: the fields, and the values that netlab itself gives
// them, are documented.
func TestDocsNameEveryJSONField(t *testing.T) {
	text := docText(t, "docs/json.md")
	var names []string
	for _, file := range []string{"lab/event.go", "lab/journey.go", "lab/cause/ids.go", "lab/trace/reason.go"} {
		for _, m := range regexp.MustCompile(`= "([a-z-]+)"`).FindAllStringSubmatch(docText(t, file), -1) {
			names = append(names, m[1])
		}
	}
	for id := range findings(t) {
		names = append(names, id)
	}
	for _, of := range []reflect.Type{
		reflect.TypeFor[jsonFinding](), reflect.TypeFor[jsonDiagnosis](),
		reflect.TypeFor[jsonEvent](), reflect.TypeFor[jsonLab](), reflect.TypeFor[jsonScenario](),
		reflect.TypeFor[jsonTrace](), reflect.TypeFor[lab.Leg](), reflect.TypeFor[lab.Hop](),
		reflect.TypeFor[lab.Decision](), reflect.TypeFor[lab.Ending](),
		reflect.TypeFor[comparison](), reflect.TypeFor[comparedWay](), reflect.TypeFor[comparedFigure](),
		reflect.TypeFor[comparedNeighbour](), reflect.TypeFor[comparedHeard](), reflect.TypeFor[measure.Ratio](),
		reflect.TypeFor[whatIfRow](), reflect.TypeFor[whatIfCell](), reflect.TypeFor[whatIfRefused](),
		reflect.TypeFor[whatIfCause](), reflect.TypeFor[whatIfEnd](), reflect.TypeFor[setTo](),
	} {
		for _, field := range reflect.VisibleFields(of) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "" && name != "-" {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/json.md does not have %q", name)
		}
	}
}

func docText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkout, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const (
	checkout       = "../.."
	docPatience    = 2 * time.Minute // for one command; make builds
	updateFlag     = "update"
	ordinaryUserID = 1000

	needsCluster = "needs a cluster" // the mark of a block
)

func init() {
	if flag.Lookup(updateFlag) == nil { // other tests have outputs to rewrite as well
		flag.Bool(updateFlag, false, "rewrite the outputs in the documents")
	}
}

func updatingDocs() bool { return flag.Lookup(updateFlag).Value.String() == "true" }

// testDocument runs a document's commands and compares its outputs. interactive
// is how many blocks are left out because they need a person.
func testDocument(t *testing.T, name string, interactive int) {
	goProgram, err := exec.LookPath("go") // while PATH is the caller's
	if err != nil {
		t.Fatal(err)
	}
	if !kerneltest.Isolate(t) {
		return
	}
	t.Setenv("PATH", filepath.Dir(goProgram)+":"+os.Getenv("PATH"))
	pretendHost(t)
	d, err := readDocument(filepath.Join(checkout, name))
	if err != nil {
		t.Fatal(err)
	}
	r := &docRun{T: t, document: d, dir: copyCheckout(t), printed: map[string]string{}}
	r.user, r.root = startDocShell(t, r.dir, true), startDocShell(t, r.dir, false)
	r.differs = whyOutputsDiffer(t)
	for i := range d.blocks {
		r.block(&d.blocks[i])
	}
	for _, s := range []*docShell{r.user, r.root} {
		if out, _ := s.run("netlab status -o json"); out != "" {
			t.Errorf("%s leaves a lab up: %s", name, out)
		}
	}
	if r.skipped != interactive {
		t.Errorf("%s: %d interactive blocks, want %d", name, r.skipped, interactive)
	}
	if updatingDocs() {
		if err := d.write(); err != nil {
			t.Error(err)
		}
	}
}

// docBlock is a fenced block of a document.
type docBlock struct {
	info     string
	marks    []string // the comments above it
	from, to int      // its lines in the document, without the fences
	text     []string // those lines
}

func (b docBlock) mark(name string) (value string, ok bool) {
	for _, m := range b.marks {
		if m == name {
			return "", true
		}
		if value, ok := strings.CutPrefix(m, name+": "); ok {
			return value, true
		}
	}
	return "", false
}

type document struct {
	path   string
	lines  []string
	blocks []docBlock
}

func readDocument(path string) (*document, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseDocument(path, string(text))
}

func parseDocument(path, text string) (*document, error) {
	d := &document{path: path, lines: strings.Split(text, "\n")}
	var marks []string
	for i := 0; i < len(d.lines); i++ {
		line := strings.TrimSpace(d.lines[i])
		if comment, ok := strings.CutPrefix(line, "<!-- "); ok {
			marks = append(marks, strings.TrimSuffix(comment, " -->"))
			continue
		}
		info, fenced := strings.CutPrefix(line, "```")
		if !fenced {
			if line != "" {
				marks = nil
			}
			continue
		}
		b := docBlock{info: info, marks: marks, from: i + 1}
		for i++; i < len(d.lines) && strings.TrimSpace(d.lines[i]) != "```"; i++ {
			b.text = append(b.text, d.lines[i])
		}
		if i == len(d.lines) {
			return nil, fmt.Errorf("%s:%d: a block without an end", path, b.from)
		}
		b.to, marks = i, nil
		d.blocks = append(d.blocks, b)
	}
	return d, nil
}

// write puts the blocks' text in the document again.
func (d *document) write() error {
	lines := slices.Clone(d.lines)
	for _, b := range slices.Backward(d.blocks) {
		lines = slices.Replace(lines, b.from, b.to, b.text...)
	}
	return os.WriteFile(d.path, []byte(strings.Join(lines, "\n")), 0o644)
}

// docRun is one run through a document.
type docRun struct {
	*testing.T
	document   *document
	dir        string
	user, root *docShell
	printed    map[string]string // by command, what it printed last
	differs    string            // why outputs can't be compared here; empty: they can
	skipped    int
}

func (r *docRun) block(b *docBlock) {
	where := fmt.Sprintf("%s:%d", r.document.path, b.from)
	if _, ok := b.mark("interactive"); ok {
		r.skipped++
		return
	}
	if _, ok := b.mark("picture"); ok {
		return
	}
	if _, ok := b.mark(needsCluster); ok {
		return
	}
	if stage, ok := b.mark("as in"); ok {
		out, missing := onStage(r.T, stage, documentLanguage(r.document.path))
		if missing != "" {
			r.Logf("%s: left out: no %s here", where, missing)
			return
		}
		r.compare(where, b, stage, out)
		return
	}
	if program, ok := b.mark("needs"); ok {
		if _, err := exec.LookPath(program); err != nil {
			r.Logf("%s: left out: no %s here", where, program)
			return
		}
	}
	switch of, isOutput := b.mark("output of"); {
	case isOutput:
		r.output(where, b, of)
	case b.info == "console":
		r.commands(where, b, r.user, "$ ")
	case b.info == "console host":
		r.commands(where, b, r.root, "# ")
	default:
		r.Errorf("%s: nothing says what this block is", where)
	}
}

func (r *docRun) commands(where string, b *docBlock, shell *docShell, prompt string) {
	var commands []string
	for _, line := range b.text {
		if command, ok := strings.CutPrefix(line, prompt); ok {
			commands = append(commands, strings.TrimPrefix(command, "sudo "))
		} else if more, ok := strings.CutPrefix(line, ">"); ok && len(commands) > 0 {
			commands[len(commands)-1] += "\n" + strings.TrimPrefix(more, " ")
		} else {
			r.Fatalf("%s: not a command behind %q: %s", where, prompt, line)
		}
	}
	for i, command := range commands {
		want := 0
		if value, ok := b.mark("exit"); ok && i == len(commands)-1 {
			var err error
			if want, err = strconv.Atoi(value); err != nil {
				r.Fatalf("%s: %v", where, err)
			}
		}
		typed := command
		switch command {
		case "make test": // this test is part of it: look only whether it is there
			typed = "make -n test"
		case "make dist", "make dist-check", // they need git's history, and .ci/run has them run
			"make bench": // it takes minutes
			typed = "make -n " + strings.TrimPrefix(command, "make ")
		}
		out, code := shell.run(typed)
		if code != want {
			r.Fatalf("%s: exit %d, want %d\n$ %s\n%s", where, code, want, command, out)
		}
		if testing.Verbose() {
			r.Logf("%s\n$ %s\n%s", where, command, out)
		}
		r.printed[command] = out
	}
}

// output compares a block with what its command printed.
func (r *docRun) output(where string, b *docBlock, of string) {
	command := of
	for _, ok := r.printed[command]; !ok; _, ok = r.printed[command] {
		cut := strings.LastIndex(command, " | ")
		if cut < 0 {
			r.Fatalf("%s: no such command was run before: %s", where, of)
		}
		command = command[:cut]
	}
	out := r.printed[command]
	if filter := strings.TrimPrefix(of[len(command):], " | "); filter != "" {
		cmd := exec.Command("bash", "-c", filter)
		cmd.Stdin = strings.NewReader(out)
		filtered, err := cmd.Output()
		if err != nil {
			r.Fatalf("%s: %s: %v", where, filter, err)
		}
		out = string(filtered)
	}
	r.compare(where, b, of, out)
}

// compare compares a block with what was printed, or puts that in its place.
func (r *docRun) compare(where string, b *docBlock, of, out string) {
	var printed []string
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "go: downloading ") { // the first time only
			printed = append(printed, strings.TrimRight(line, " \n"))
		}
	}
	printed = strings.Split(strings.Trim(strings.Join(printed, "\n"), "\n"), "\n")
	got, want := normalDocOutput(printed), normalDocOutput(b.text)
	switch {
	case got == want:
	case r.differs != "":
		r.Logf("%s: not compared: %s", where, r.differs)
	case updatingDocs():
		b.text = printed
	default:
		r.Errorf("%s: this is not what is printed now; -update rewrites it\n$ %s\nprinted:\n%s\nwritten:\n%s", where, of, got, want)
	}
}

// normalDocOutput is an output without what is different each time: MAC
// addresses, process ids, times, namespace cookies, and where a long line was
// broken because of the length of those.
func normalDocOutput(lines []string) string {
	text := strings.Join(lines, "\n")
	for _, r := range []struct{ pattern, by string }{
		{`\n {8,}`, " "},
		{`([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}`, "MAC"},
		{`\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)`, "TIME"},
		{`\d{4}-\d\d-\d\d \d\d:\d\d`, "DATE"},
		{`,"elapsed_ms":[0-9.]+`, ""},
		{`\b\d+(\.\d+)? (ms|s|min)\b`, "DURATION"},
		{`\bpid \d+`, "pid N"},
		{`"holder_pid":\d+`, `"holder_pid":N`},
		{`"cookie":\d+`, `"cookie":N`},
		{`"(after|rtt)_ns":\d+`, `"${1}_ns":N`},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.by)
	}
	return text
}

// whyOutputsDiffer tells whether a run's output is another here than where the
// documents were written.
func whyOutputsDiffer(t *testing.T) string {
	k := kernel.Open()
	defer k.Close()
	iptables, err := k.Firewall().IPTables()
	if err != nil || !iptables.NFT {
		return "the documents show the nft variant of iptables"
	}
	if _, err := os.Stat(kernel.SysctlPath("net/ipv6/conf")); errors.Is(err, fs.ErrNotExist) {
		return "the documents show a kernel with IPv6"
	}
	return ""
}

// copyCheckout copies the checkout, less what was built in it, so that the
// documents' commands change nothing here.
func copyCheckout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	err := filepath.WalkDir(checkout, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(checkout, path)
		if err != nil || rel == "." {
			return err
		}
		if rel == ".git" || rel == "bin" || rel == "dist" {
			return fs.SkipDir
		}
		if d.IsDir() {
			return os.Mkdir(filepath.Join(dir, rel), 0o755)
		}
		if !d.Type().IsRegular() || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, rel), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// docShell is a bash that runs a document's commands one after the other, so
// that a variable set by one is there for the next.
type docShell struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Reader
}

// startDocShell starts a bash in a directory: as root of the pretend host, or as
// an ordinary user of it, who has no rights there.
func startDocShell(t *testing.T, dir string, ordinary bool) *docShell {
	t.Helper()
	s := &docShell{t: t, cmd: exec.Command("bash", "--norc", "--noprofile")}
	s.cmd.Dir = dir
	// A make that runs this test must not speak to the make in it.
	s.cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "MFLAGS=", "SHELL=/bin/sh")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	state := t.TempDir() // nobody's own progress
	s.cmd.Env = append(s.cmd.Env, "XDG_STATE_HOME="+state)
	if ordinary {
		// There is but one user in the test's namespace. In one below it that user
		// has another number and, by the next exec, no capabilities.
		s.cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER
		s.cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: ordinaryUserID, HostID: os.Geteuid(), Size: 1}}
		s.cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: ordinaryUserID, HostID: os.Getegid(), Size: 1}}
		own := t.TempDir()
		if err := os.Chmod(own, 0o700); err != nil {
			t.Fatal(err)
		}
		s.cmd.Env = append(s.cmd.Env, "XDG_RUNTIME_DIR="+own)
	}
	in, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = s.cmd.Stdout // one pipe: in the order printed
	s.in, s.out = in, bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start bash: %v", err)
	}
	t.Cleanup(func() {
		_, _ = s.run("netlab teardown --all") // of a document that failed half-way
		_ = in.Close()
		_ = s.cmd.Wait()
	})
	return s
}

// run runs a command, which finds nothing on its stdin, and returns what it
// printed and its exit code: -1 when it did not end.
func (s *docShell) run(command string) (string, int) {
	const end = "netlab-docs-test: the command has ended with "
	patience := time.AfterFunc(docPatience, func() { _ = unix.Kill(-s.cmd.Process.Pid, unix.SIGKILL) })
	defer patience.Stop()
	if _, err := fmt.Fprintf(s.in, "{\n%s\n} </dev/null\necho \"%s$?\"\n", command, end); err != nil {
		return err.Error(), -1
	}
	var printed strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		before, code, ended := strings.Cut(line, end)
		printed.WriteString(before)
		if ended {
			n, err := strconv.Atoi(strings.TrimSpace(code))
			if err != nil {
				s.t.Fatal(err)
			}
			return printed.String(), n
		}
		if err != nil {
			return printed.String() + "\n(bash has ended)", -1
		}
	}
}
