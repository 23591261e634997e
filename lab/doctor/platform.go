package doctor

import (
	"io/fs"
	"strings"

	"netlab/lab"
	"netlab/lab/machine"
)

// kind is what sort of machine this is.
type kind struct {
	release   string // of the kernel, as uname -r has it
	container string // what runs it as a container, such as "docker"; empty: none that is known
}

func readPlatform(files fs.FS) kind {
	k := kind{release: line(files, "proc/sys/kernel/osrelease")}
	// systemd writes down what it was told ("container_env(5)"); Docker and Podman
	// leave a mark.
	switch {
	case line(files, "run/systemd/container") != "":
		k.container = line(files, "run/systemd/container")
	case there(files, ".dockerenv"):
		k.container = "docker"
	case there(files, "run/.containerenv"):
		k.container = "podman"
	default:
		// Only root may read it.
		environ, err := fs.ReadFile(files, "proc/1/environ")
		if err != nil {
			break
		}
		for word := range strings.SplitSeq(string(environ), "\x00") {
			if name, ok := strings.CutPrefix(word, "container="); ok {
				k.container = name
			}
		}
	}
	return k
}

// wsl is the version of the Windows Subsystem for Linux, by the names that its
// kernels have: "4.4.0-19041-Microsoft" is no Linux, "…-microsoft-standard-WSL2" is.
func (k kind) wsl() int {
	switch {
	case strings.HasSuffix(k.release, "-Microsoft"):
		return 1
	case strings.Contains(k.release, "microsoft-standard"), strings.Contains(k.release, "WSL2"):
		return 2
	}
	return 0
}

func judgePlatform(k kind) []machine.Finding {
	var found []machine.Finding
	switch k.wsl() {
	case 1:
		found = append(found, stop(WSL1, lab.Command{"wsl.exe", "--set-version", "DISTRO", "2"}, "release", k.release))
	case 2:
		found = append(found, ok(WSL2, "release", k.release))
	}
	if k.container != "" {
		found = append(found, ok(Container, "kind", k.container))
	}
	return found
}

// judgeRights: what is missing on the machine itself is in the way of nobody
// whose labs run in a sandbox.
func judgeRights(root bool, missing []string) []machine.Finding {
	switch {
	case root && len(missing) == 0:
		return []machine.Finding{ok(Rights)}
	case root: // Preflight says so
	case len(missing) > 0: // else the lab always runs in a sandbox
		return []machine.Finding{ok(NoRights, "missing", strings.Join(missing, ", "))}
	}
	return nil
}
