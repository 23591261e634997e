package doctor

import (
	"io/fs"
	"path"
	"strings"

	"netlab/lab"
	"netlab/lab/machine"
)

// desk is NetworkManager, as far as it concerns veth devices.
type desk struct {
	runs      bool
	byUdev    bool   // its own rule for udev leaves them alone, as it does since 1.0
	unmanaged string // unmanaged-devices of its configuration
}

func networkManager(q Question) ([]machine.Finding, error) {
	return judgeNetworkManager(readNetworkManager(q.Files), q.Plan), nil
}

func readNetworkManager(files fs.FS) desk {
	d := desk{runs: unitRuns(files, "NetworkManager.service")}
	if !d.runs {
		return d
	}
	for _, rules := range inOrder(files, ".rules", "etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d") {
		for l := range strings.Lines(string(rules.text)) {
			l = strings.TrimSpace(l)
			if !strings.HasPrefix(l, "#") && strings.Contains(l, `"veth"`) && strings.Contains(l, "NM_UNMANAGED") {
				d.byUdev = true
			}
		}
	}
	var confs []namedFile
	if text, err := fs.ReadFile(files, "etc/NetworkManager/NetworkManager.conf"); err == nil {
		confs = append(confs, namedFile{"", text})
	}
	confs = append(inOrder(files, ".conf", "run/NetworkManager/conf.d", "usr/lib/NetworkManager/conf.d", "lib/NetworkManager/conf.d"), confs...)
	for _, conf := range append(confs, inOrder(files, ".conf", "etc/NetworkManager/conf.d")...) {
		for _, s := range settingsOf(conf.text) {
			switch s.key {
			case "unmanaged-devices":
				d.unmanaged = s.value
			case "unmanaged-devices+":
				d.unmanaged += ";" + s.value
			}
		}
	}
	return d
}

func judgeNetworkManager(d desk, p machine.Plan) []machine.Finding {
	if !d.runs {
		return nil
	}
	for _, link := range p.Links {
		if link == "" || p.Bridges && link == p.Links[0] { // a bridge made by others is left to them
			continue
		}
		if d.byUdev && !strings.HasPrefix(link, "eth") || d.leaves(link) {
			continue
		}
		return []machine.Finding{warn(NetworkManagerTakes, lab.Command{"nmcli", "device", "set", link, "managed", "no"}, "dev", link)}
	}
	return []machine.Finding{ok(NetworkManager)}
}

// leaves tells whether the configuration names the device among those to leave
// alone (NetworkManager.conf(5), "Device List Format").
func (d desk) leaves(link string) bool {
	left := false
	for spec := range strings.SplitSeq(strings.ReplaceAll(d.unmanaged, ",", ";"), ";") {
		spec = strings.TrimSpace(spec)
		spec, except := strings.CutPrefix(spec, "except:")
		name, isName := strings.CutPrefix(spec, "interface-name:")
		fits := spec == "*" || spec == "type:veth" || spec == "driver:veth" || spec == "type:ethernet"
		if isName {
			fits, _ = path.Match(strings.TrimPrefix(name, "="), link)
		}
		if fits && except {
			return false
		}
		left = left || fits
	}
	return left
}
