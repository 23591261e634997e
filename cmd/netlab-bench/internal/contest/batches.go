package contest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// batches are the same commands in as few processes as ip and sysctl allow: those
// on the host through one `ip -batch` and one `sysctl -p`, those in a pod through
// one `ip netns exec`, which writes the pod's settings and has ip read the rest.
type batches struct {
	ip       []string // on the host
	settings []string // on the host, KEY=VALUE
	pods     []string // in the order they were named
	inside   map[string]*pod
}

// pod is what is done inside one.
type pod struct {
	settings []string
	ip       []string
}

// newBatches sorts a script's commands. One that it does not know is an error, so
// that none is left out.
func newBatches(script string) (*batches, error) {
	b := &batches{inside: map[string]*pod{}}
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		words := strings.Fields(line)
		switch {
		case line == "" || line[0] == '#', line == "set -e":
		case strings.HasPrefix(line, "was="), strings.HasPrefix(line, "mkdir "), strings.Contains(line, `>> "$was"`):
			// Notes for the undoing, which is not asked of it.
		case strings.HasPrefix(line, "ip netns exec ") && len(words) == 7 && words[4] == "sysctl":
			p := b.pod(words[3])
			p.settings = append(p.settings, words[6])
		case strings.HasPrefix(line, "ip -n "):
			p := b.pod(words[2])
			p.ip = append(p.ip, strings.Join(words[3:], " "))
		case strings.HasPrefix(line, "ip netns add "), words[0] == "ip" && words[1] != "netns" && !strings.HasPrefix(words[1], "-"):
			b.ip = append(b.ip, strings.Join(words[1:], " "))
		case strings.HasPrefix(line, "sysctl -w "):
			b.settings = append(b.settings, words[2])
		default:
			return nil, fmt.Errorf("ip -batch: what is to be done about %q?", line)
		}
	}
	return b, nil
}

func (b *batches) pod(name string) *pod {
	if b.inside[name] == nil {
		b.inside[name] = &pod{}
		b.pods = append(b.pods, name)
	}
	return b.inside[name]
}

// write writes the batches into a directory, and a script that runs them.
func (b *batches) write(dir, script string) error {
	var s strings.Builder
	fmt.Fprintf(&s, "set -e\ncd %s\nip -batch host\nsysctl -qp host.conf\n", dir)
	files := map[string][]string{"host": b.ip, "host.conf": b.settings}
	for _, name := range b.pods {
		p := b.inside[name]
		files[name] = p.ip
		var inside strings.Builder
		for _, setting := range p.settings {
			key, value, _ := strings.Cut(setting, "=")
			fmt.Fprintf(&inside, "echo %s >/proc/sys/%s; ", value, strings.ReplaceAll(key, ".", "/"))
		}
		fmt.Fprintf(&s, "ip netns exec %s sh -ec '%sexec ip -batch %s'\n", name, inside.String(), name)
	}
	for name, lines := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(script, []byte(s.String()), 0o600)
}
