package lab_test

import (
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
)

func TestACommandIsQuotedOnlyWhereItMustBe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		command lab.Command
		want    string
	}{
		{nil, ""},
		{lab.Command{""}, `''`},
		{lab.IP("", "link", "show"), "ip link show"},
		{lab.IP("ns1", "route", "add", "169.254.1.1/32", "dev", "c-eth0"), "ip -n ns1 route add 169.254.1.1/32 dev c-eth0"},
		{lab.In("", "sysctl", "-w", "net.ipv4.ip_forward=1"), "sysctl -w net.ipv4.ip_forward=1"},
		{lab.In("ns1", "ping", "-c1", "::1%lo"), "ip netns exec ns1 ping -c1 ::1%lo"},
		{lab.Command{"a b", "it's", "=x", "~", "*", "$x", "#", "{a,b}", "ü"}, `'a b' 'it'\''s' '=x' '~' '*' '$x' '#' '{a,b}' 'ü'`},
		{lab.Command{"comment", `"netlab:x"`, "x\n"}, "comment '\"netlab:x\"' 'x\n'"},
	} {
		if got := tt.command.String(); got != tt.want {
			t.Errorf("%q is written as %q, want %q", []string(tt.command), got, tt.want)
		}
	}
}

// Whatever the words are, a shell reads back the same words.
func TestShellsReadBackTheWordsOfACommand(t *testing.T) {
	t.Parallel()
	const printer = `printf '%s\0' `
	rng := rand.New(rand.NewPCG(1, 7))
	var script strings.Builder
	var want []string
	for range 500 {
		command := lab.Command{}
		for range 1 + rng.IntN(5) {
			word := make([]byte, rng.IntN(8))
			for i := range word {
				word[i] = byte(1 + rng.IntN(255)) // all but NUL, valid UTF-8 or not
				if rng.IntN(2) == 0 {
					const special = "'\"\\$`!*?[]{}()<>|&;#~=%^-+ \t\n"
					word[i] = special[rng.IntN(len(special))]
				}
			}
			command = append(command, string(word))
		}
		script.WriteString(printer + "x " + command.String() + "\n")
		want = append(append(want, "x"), command...)
	}
	shells := 0
	for _, shell := range []string{"bash", "sh", "dash", "zsh", "busybox"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		shells++
		cmd := exec.Command(path)
		if shell == "busybox" {
			cmd.Args = append(cmd.Args, "sh")
		}
		cmd.Stdin = strings.NewReader(script.String())
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v", shell, err)
		}
		got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		if !slices.Equal(want, got) {
			t.Errorf("%s reads other words (-want +got):\n%s", shell, cmp.Diff(want, got))
		}
	}
	if shells == 0 {
		t.Skip("no shell")
	}
}
