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

// Every command has a page in every language, with its words and all its flags;
// there are no other pages.
func TestEveryCommandHasAManPage(t *testing.T) {
	t.Parallel()
	dir := writtenManual(t)
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

// The scripts complete each of netlab's commands: bash asks the real netlab. And
// they are the ones that netlab itself prints.
func TestCompletionScriptsCompleteEveryCommand(t *testing.T) {
	t.Parallel()
	dir := writtenManual(t)
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
	bash := exec.Command("bash", "--norc", "-c", `source "$1"
		COMP_WORDS=(netlab "") COMP_CWORD=1 COMP_LINE="netlab " COMP_POINT=7 COMP_TYPE=37 COMP_KEY=9
		__start_netlab
		printf '%s\n' "${COMPREPLY[@]}"`, "-", filepath.Join(dir, "bash-completion/completions/netlab"))
	bash.Env = append(os.Environ(), "PATH="+os.Getenv(binaryDir)+":"+os.Getenv("PATH"))
	out, err := bash.CombinedOutput()
	if err != nil {
		t.Fatalf("bash: %v\n%s", err, out)
	}
	got := strings.Fields(string(out))
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bash offers (-netlab's commands +offered):\n%s", diff)
	}
}

// The binary asks for no interpreter and no library, so it runs where nothing
// else is.
func TestTheBinaryIsStatic(t *testing.T) {
	t.Parallel()
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		path := filepath.Join(t.TempDir(), "netlab")
		build := exec.Command("go", "build", "-trimpath", "-o", path, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
		file, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		libraries, err := file.ImportedLibraries()
		if err != nil || len(libraries) > 0 {
			t.Errorf("%s: needs %v, %v", arch, libraries, err)
		}
		if file.Machine != machine {
			t.Errorf("%s: the binary is for %v", arch, file.Machine)
		}
		for _, segment := range file.Progs {
			if segment.Type == elf.PT_INTERP || segment.Type == elf.PT_DYNAMIC {
				t.Errorf("%s: has a segment %v", arch, segment.Type)
			}
		}
	}
}
