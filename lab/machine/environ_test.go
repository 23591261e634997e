package machine

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScrubLeavesNothingThatAProgramWouldObey(t *testing.T) {
	callers := []string{
		"BASH_ENV=/tmp/evil", "GCONV_PATH=/tmp", "IFS=x", "LANG=C", "LC_ALL=C.UTF-8", "LD_PRELOAD=/tmp/evil.so", "NETLAB_LANG=zh",
		"PATH=/tmp/evil:.", "SHELL=/bin/zsh", "TZ=Europe/Berlin", "XTABLES_LIBDIR=/tmp/evil",
	}
	setEnviron(t, callers)
	for range 2 { // a netlab inside does it again
		Scrub()
		for _, name := range []string{"LD_PRELOAD", "XTABLES_LIBDIR", "BASH_ENV", "GCONV_PATH", "IFS", "SHELL"} {
			if value, ok := os.LookupEnv(name); ok {
				t.Errorf("%s=%s is left", name, value)
			}
		}
		if got := os.Getenv("PATH"); got != programPath {
			t.Errorf("PATH is %s", got)
		}
		if got := os.Getenv("NETLAB_LANG") + os.Getenv("LC_ALL") + os.Getenv("TZ"); got != "zhC.UTF-8Europe/Berlin" {
			t.Errorf("of what netlab reads is left %s", got)
		}
		if diff := cmp.Diff(callers, Callers()); diff != "" {
			t.Errorf("what the caller asked for has another environment (-want +got):\n%s", diff)
		}
	}
}

func TestScrubWithoutAPath(t *testing.T) {
	setEnviron(t, []string{"TZ=:/etc/shadow"})
	Scrub()
	if got := os.Getenv("TZ"); got != "" {
		t.Errorf("TZ is %s", got)
	}
	if got, want := Callers(), []string{"PATH=" + programPath, "TZ=:/etc/shadow"}; !slices.Equal(got, want) {
		t.Errorf("the caller's environment is %q, want %q", got, want)
	}
}

// setEnviron makes these all variables there are, for the length of a test.
func setEnviron(t *testing.T, env []string) {
	t.Helper()
	was := os.Environ()
	put := func(env []string) {
		os.Clearenv()
		for _, v := range env {
			for i := range v {
				if v[i] == '=' {
					os.Setenv(v[:i], v[i+1:])
					break
				}
			}
		}
	}
	t.Cleanup(func() { put(was) })
	put(env)
}
