package lab_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"netlab/lab"
)

// Whatever the words are, sh reads back the same words, and runs nothing.
func FuzzCommand(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("no sh")
	}
	for _, seed := range []string{"", "a", "it's", "$(reboot)", "`x`", "a\nb", "-n", "a=b", "~", "\xff\xfe", "\\", "'\\''", "#", "!!", "{a,b}", "\x1b"} {
		f.Add(seed, "x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.ContainsRune(a+b, 0) {
			return // no word of a command can hold it
		}
		c := lab.Command{"printf", `%s\0`, a, b, "end"}
		if again, err := lab.ParseCommand(c.String()); err != nil || !slices.Equal(c, again) {
			t.Errorf("%s is read as %q, %v", c, again, err)
		}
		cmd := exec.Command(sh)
		cmd.Stdin = strings.NewReader(c.String() + "\n")
		cmd.Env = []string{"PATH=/nowhere", "x=wrong"}
		out, err := cmd.CombinedOutput()
		if want := a + "\x00" + b + "\x00end\x00"; err != nil || string(out) != want {
			t.Errorf("%s: got %q, want %q, %v", c, out, want, err)
		}
	})
}
