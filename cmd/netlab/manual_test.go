package main

import (
	"bytes"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// writtenManual is a directory with what the build with the tag manual writes.
func writtenManual(t *testing.T) string {
	t.Helper()
	program, dir := filepath.Join(t.TempDir(), "manual"), t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-tags", "manual", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	write := exec.Command(program, dir)
	write.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1000000000", "LC_ALL=zh_CN.UTF-8", "TZ=Asia/Shanghai")
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("manual: %v\n%s", err, out)
	}
	return dir
}

// shownTree is the commands that netlab's help shows, by the name of their page.
func shownTree(t *testing.T, lang string) map[string]*cobra.Command {
	t.Helper()
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, now: time.Now}
	if err := a.speak(lang); err != nil {
		t.Fatal(err)
	}
	root := a.root()
	root.InitDefaultHelpCmd()
	all := map[string]*cobra.Command{}
	var add func(cmd *cobra.Command)
	add = func(cmd *cobra.Command) {
		all[strings.ReplaceAll(cmd.CommandPath(), " ", "-")] = cmd
		for _, c := range cmd.Commands() {
			if !c.Hidden {
				add(c)
			}
		}
	}
	add(root)
	return all
}

func TestManual(t *testing.T) {
	t.Parallel()
	dir := writtenManual(t)
	t.Run("pages", func(t *testing.T) { testPages(t, dir) })
	t.Run("completions", func(t *testing.T) { testCompletions(t, dir) })
}

// testPages: every command has a page in every language, with its words and all
// its flags, and there are no other pages.
func testPages(t *testing.T, dir string) {
	for lang, below := range map[string]string{english: "man/man1", chinese: "man/zh_CN/man1"} {
		tree := shownTree(t, lang)
		if len(tree) < 20 {
			t.Errorf("only %d commands", len(tree))
		}
		files, err := os.ReadDir(filepath.Join(dir, below))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if _, ok := tree[strings.TrimSuffix(f.Name(), ".1")]; !ok {
				t.Errorf("%s is about no command", f.Name())
			}
		}
		for name, cmd := range tree {
			data, err := os.ReadFile(filepath.Join(dir, below, name+".1"))
			if err != nil {
				t.Errorf("%s: %v", lang, err)
				continue
			}
			page := strings.NewReplacer(`\-`, "-", `\:`, "", `\ `, " ", `\(aq`, "'", `\(dq`, `"`).Replace(string(data))
			if !strings.Contains(page, " - "+cmd.Short+"\n") {
				t.Errorf("%s, %s: it does not say %q", name, lang, cmd.Short)
			}
			if !strings.Contains(page, `.TH "`+strings.ToUpper(name)+`" "1" "2001-09-09" "netlab `) {
				t.Errorf("%s, %s: not the date of SOURCE_DATE_EPOCH, or no title:\n%.200s", name, lang, page)
			}
			cmd.InitDefaultHelpFlag()
			check := func(f *pflag.Flag) {
				if has := strings.Contains(page, "--"+f.Name+`\fR`); has == f.Hidden {
					t.Errorf("%s, %s: --%s is there: %v; hidden: %v", name, lang, f.Name, has, f.Hidden)
				}
			}
			cmd.LocalFlags().VisitAll(check)
			cmd.InheritedFlags().VisitAll(check)
		}
	}
}

// testCompletions: the scripts are the ones that netlab itself prints, and netlab
// offers each of its commands to them.
func testCompletions(t *testing.T, dir string) {
	for shell, file := range map[string]string{
		"bash": "bash-completion/completions/netlab", "zsh": "zsh/vendor-completions/_netlab",
		"fish": "fish/vendor_completions.d/netlab.fish",
	} {
		written, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		var printed, stderr bytes.Buffer
		if code := run([]string{"completion", shell}, &bytes.Buffer{}, &printed, &stderr, time.Now); code != exitDone {
			t.Errorf("completion %s: exit status %d: %s", shell, code, &stderr)
		}
		if diff := cmp.Diff(printed.String(), string(written)); diff != "" {
			t.Errorf("%s is not what netlab completion %s prints (-printed +written):\n%s", file, shell, diff)
		}
	}
	var want []string
	for name := range shownTree(t, english) {
		if command, ok := strings.CutPrefix(name, "netlab-"); ok && !strings.Contains(command, "-") {
			want = append(want, command)
		}
	}
	slices.Sort(want)
	// What all three scripts ask when Tab is pressed.
	var answer, stderr bytes.Buffer
	if code := run([]string{cobra.ShellCompNoDescRequestCmd, ""}, &bytes.Buffer{}, &answer, &stderr, time.Now); code != exitDone {
		t.Fatalf("exit status %d: %s", code, &stderr)
	}
	var got []string
	for line := range strings.Lines(answer.String()) {
		if !strings.HasPrefix(line, ":") { // the last says what the shell may add
			got = append(got, strings.TrimSpace(line))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("offered are (-netlab's commands +offered):\n%s", diff)
	}
}

// The binary asks for no interpreter and no library, so it runs where nothing
// else is.
func TestTheBinaryIsStatic(t *testing.T) {
	t.Parallel()
	file, err := elf.Open(filepath.Join(os.Getenv(binaryDir), "netlab"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	libraries, err := file.ImportedLibraries()
	if err != nil || len(libraries) > 0 {
		t.Errorf("it needs %v, %v", libraries, err)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP || segment.Type == elf.PT_DYNAMIC {
			t.Errorf("it has a segment %v", segment.Type)
		}
	}
}
