package machine

import (
	"os"
	"slices"
	"strings"
)

// keptPrefix begins the name of a variable that Scrub has put away.
const keptPrefix = "NETLAB_CALLERS_"

// programPath is the PATH for what netlab runs on its own account. It runs nothing
// by it; a program that it runs might.
const programPath = "/usr/sbin:/usr/bin:/sbin:/bin"

// Scrub puts away all variables of the environment but those that netlab reads
// itself. What it runs for its own ends, such as iptables, may run as root: there
// LD_PRELOAD, XTABLES_LIBDIR, PATH and their like would be the caller's way in.
// They go on under another name, through a sandbox's door too, to Callers.
func Scrub() {
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		if harmless(name, value) {
			continue
		}
		// From a netlab outside: PATH is ours, and the caller's is put away already.
		if _, there := os.LookupEnv(keptPrefix + name); !there {
			_ = os.Setenv(keptPrefix+name, value) // both were in the environment: they can be
		}
		_ = os.Unsetenv(name)
	}
	_ = os.Setenv("PATH", programPath)
}

// harmless tells whether netlab reads the variable itself, and a program that it
// runs can take no harm from it.
func harmless(name, value string) bool {
	switch name {
	case "LANG", "LANGUAGE", "TERM", "COLUMNS", "NO_COLOR", "XDG_RUNTIME_DIR", "SOURCE_DATE_EPOCH", "GOCOVERDIR":
		return true
	case "TZ": // a zone, and not a file (tzset(3))
		return !strings.HasPrefix(value, ":") && !strings.HasPrefix(value, "/") && !strings.Contains(value, "..")
	}
	return strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "NETLAB_")
}

// Callers is the environment as netlab's caller has it, for what runs because the
// caller asked for it.
func Callers() []string {
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		_, put := os.LookupEnv(keptPrefix + name)
		switch was, ok := strings.CutPrefix(v, keptPrefix); {
		case ok:
			env = append(env, was)
		case put, name == holderEnv, name == arrivalEnv: // ours
		default:
			env = append(env, v)
		}
	}
	slices.Sort(env)
	return env
}
