package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"netlab/lab/journal"
	"netlab/lab/kernel/kerneltest"
)

// In either language, on a terminal of 60, 80 or 120 columns, no line is too
// long, and what can't be parted is not: commands, addresses, MACs.
func TestNoLineIsTooLong(t *testing.T) {
	for _, lang := range languages() {
		for _, width := range []int{60, 80, 120} {
			t.Run(fmt.Sprintf("%s %d", lang, width), func(t *testing.T) {
				if !kerneltest.Isolate(t) {
					return
				}
				pretendHost(t)
				t.Setenv("COLUMNS", strconv.Itoa(width))
				t.Setenv(languageVar, lang)
				const name = "a-name-of-thirty-letters-abcde"
				for _, command := range []string{
					"run proxyarp --dry-run -v", "run proxyarp --dry-run --nat nftables --sandbox -v",
					"run proxyarp -v --until routes --name " + name, "run proxyarp -v --name " + name,
					"run proxyarp --name " + name, "check -v",
					"trace ns1 192.0.2.1", "trace " + name + " ns1 169.254.1.1 --arp", "trace host ns1 -q", "status", "list", "teardown", "teardown", "status",
				} {
					testPrinted(t, width, command, exitDone)
				}
				testPrinted(t, width, "run proxyarp -q --name "+name, exitDone)
				sh(t, "sysctl -qw net.ipv4.conf.veth.proxy_arp=0; ip route del 1.1.1.0/24; ip -n ns1 route flush cache; ip -n ns1 neigh flush all")
				testPrinted(t, width, "check", exitFailed)
				testPrinted(t, width, "teardown", exitDone)
				testPrinted(t, width, "doctor", exitDone)
				if _, err := exec.LookPath("iptables"); err != nil {
					return
				}
				sh(t, "ip netns add ns1; ip route add 1.1.1.0/24 via 192.0.2.1; iptables -P FORWARD DROP")
				testPrinted(t, width, "doctor", exitCannot)
				testPrinted(t, width, "doctor proxyarp", exitCannot)
				testPrinted(t, width, "run bridge --until namespaces", exitDone)
				sh(t, "ip netns del ns1; ip route del 1.1.1.0/24")
				testPrinted(t, width, "run proxyarp --until namespace", exitDone)
			})
		}
	}
}

func testPrinted(t *testing.T, width int, command string, want int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := &app{
		args: strings.Fields(command), stdin: &bytes.Buffer{}, stdout: &stdout, stderr: &stderr,
		now: ticking(), labs: journal.At(labsDir),
	}
	if code := a.main(); code != want {
		t.Fatalf("%s: exit status %d\n%s%s", command, code, stdout.String(), stderr.String())
	}
	testWidth(t, width, command, stdout.String())
	// What is in two pieces would be whole if the lines were one.
	joined := regexp.MustCompile(`\n *`).ReplaceAllString(stdout.String(), "")
	for _, pattern := range []string{
		`([0-9a-f]{2}:){5}[0-9a-f]{2}`, `169\.254\.1\.1`, `1\.1\.1\.[02]/24`, `192\.0\.2\.[12]`, `net\.ipv4\.[a-z0-9._-]+`,
	} {
		whole := len(regexp.MustCompile(pattern).FindAllString(stdout.String(), -1))
		if n := len(regexp.MustCompile(pattern).FindAllString(joined, -1)); n > whole {
			t.Errorf("%s: %d of %s, of which %d are broken", command, n, pattern, n-whole)
		}
	}
	lines := strings.Split(stdout.String(), "\n")
	for i, line := range lines {
		// What goes on in the next line says so, and does go on.
		if strings.HasSuffix(line, `\`) && !strings.HasPrefix(strings.TrimLeft(lines[i+1], " "), "-") &&
			!regexp.MustCompile(`^ {6,}\S`).MatchString(lines[i+1]) {
			t.Errorf("%s: after %q comes %q", command, line, lines[i+1])
		}
	}
}

func testWidth(t *testing.T, width int, what, printed string) {
	t.Helper()
	for line := range strings.Lines(printed) {
		if n := columns(strings.TrimRight(line, "\n")); n > width {
			t.Errorf("%s: %d columns in %d: %s", what, n, width, line)
		}
	}
}

func TestNoLineOfHelpIsTooLong(t *testing.T) {
	for _, lang := range languages() {
		for _, width := range []int{60, 80, 120} {
			t.Run(fmt.Sprintf("%s %d", lang, width), func(t *testing.T) {
				t.Setenv("COLUMNS", strconv.Itoa(width))
				var stdout bytes.Buffer
				a := &app{stdin: &bytes.Buffer{}, stdout: &stdout, stderr: &stdout}
				if err := a.speak(lang); err != nil {
					t.Fatal(err)
				}
				var each func(cmd *cobra.Command)
				each = func(cmd *cobra.Command) {
					stdout.Reset()
					if err := cmd.Help(); err != nil {
						t.Fatal(err)
					}
					testWidth(t, width, cmd.CommandPath()+" --help", stdout.String())
					if lang == chinese {
						testNoEnglish(t, cmd.CommandPath()+" --help", stdout.String())
					}
					for _, c := range cmd.Commands() {
						each(c)
					}
				}
				each(a.root())
			})
		}
	}
}

// testNoEnglish looks for English sentences, such as cobra's own: three words of
// small letters in a row that are no command.
func testNoEnglish(t *testing.T, what, printed string) {
	t.Helper()
	for line := range strings.Lines(printed) {
		if !regexp.MustCompile(`\p{Han}`).MatchString(line) &&
			regexp.MustCompile(`\b[A-Za-z]+ (the|for|a|about|of|to) [a-z]+`).MatchString(line) {
			t.Errorf("%s: in English: %s", what, line)
		}
	}
}
