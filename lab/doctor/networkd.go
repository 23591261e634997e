package doctor

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"netlab/lab"
	"netlab/lab/machine"
)

// manager is systemd-networkd, as far as it concerns links that it did not make.
type manager struct {
	runs     bool
	networks []namedFile // .network files, in the order in which the first that matches counts
	foreign  bool        // ManageForeignRoutes: routes that it did not add are removed from links that it takes
}

func networkd(q Question) ([]machine.Finding, error) {
	return judgeNetworkd(readNetworkd(q.Files), q.Plan), nil
}

func readNetworkd(files fs.FS) manager {
	m := manager{runs: unitRuns(files, "systemd-networkd.service"), foreign: true}
	if !m.runs {
		return m
	}
	dirs := []string{"etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd", "lib/systemd"}
	var networks, drops []string
	for _, dir := range dirs {
		networks = append(networks, path.Join(dir, "network"))
		drops = append(drops, path.Join(dir, "networkd.conf.d"))
	}
	m.networks = inOrder(files, ".network", networks...)
	for i, n := range m.networks { // with their drop-ins
		if len(settingsOf(n.text)) == 0 {
			continue // masked, with what would be added to it
		}
		var added []string
		for _, dir := range networks {
			added = append(added, path.Join(dir, path.Base(n.path)+".d"))
		}
		for _, a := range inOrder(files, ".conf", added...) {
			m.networks[i].text = slices.Concat(m.networks[i].text, []byte("\n"), a.text)
		}
	}
	var confs []namedFile
	for _, dir := range dirs { // the first that is there is the main file
		if text, err := fs.ReadFile(files, path.Join(dir, "networkd.conf")); err == nil {
			confs = append(confs, namedFile{path.Join(dir, "networkd.conf"), text})
			break
		}
	}
	for _, conf := range append(confs, inOrder(files, ".conf", drops...)...) {
		for _, s := range settingsOf(conf.text) {
			if s.section == "Network" && s.key == "ManageForeignRoutes" {
				m.foreign = !slices.Contains([]string{"no", "false", "0", "off"}, strings.ToLower(s.value))
			}
		}
	}
	return m
}

// judgeNetworkd: a link that no file matches is left alone (systemd.network(5)).
func judgeNetworkd(m manager, p machine.Plan) []machine.Finding {
	if !m.runs {
		return nil
	}
	for _, link := range p.Links {
		if link == "" {
			continue
		}
		driver := "veth"
		if p.Bridges && link == p.Links[0] {
			driver = "bridge"
		}
		file := m.takes(link, driver)
		if file == "" {
			continue
		}
		id := NetworkdTakes
		if m.foreign {
			id = NetworkdTakesRoutes
		}
		const left = "/run/systemd/network/00-netlab.network"
		f := warn(id, lab.Command{"mkdir", "-p", path.Dir(left)}, "dev", link, "file", "/"+file)
		f.More = []lab.Command{
			{"sh", "-c", `printf "[Match]\nName=` + link + `\n[Link]\nUnmanaged=yes\n" > ` + left}, {"networkctl", "reload"},
		}
		f.Back = []lab.Command{{"rm", left}, {"networkctl", "reload"}}
		return []machine.Finding{f}
	}
	return []machine.Finding{ok(Networkd)}
}

// takes is the file by which networkd would configure a new device; empty: none.
func (m manager) takes(link, driver string) string {
	for _, n := range m.networks {
		all := settingsOf(n.text)
		if len(all) == 0 || !matches(all, link, driver) { // an empty file masks others
			continue
		}
		for _, s := range all {
			if s.section == "Link" && s.key == "Unmanaged" && slices.Contains([]string{"yes", "true", "1", "on"}, strings.ToLower(s.value)) {
				return ""
			}
		}
		return n.path
	}
	return ""
}

// matches tells whether a file's [Match] fits a virtual device just made, which
// has no path and no permanent MAC address. Conditions on the machine, such as
// Host=, are taken to be met.
func matches(all []setting, link, driver string) bool {
	for _, s := range all {
		if s.section != "Match" || s.value == "" {
			continue
		}
		fits := true
		switch s.key {
		case "Name", "OriginalName":
			fits = globbed(s.value, link)
		case "Type":
			fits = globbed(s.value, "ether")
		case "Driver", "Kind":
			fits = globbed(s.value, driver)
		case "Path", "PermanentMACAddress", "MACAddress", "SSID", "BSSID", "WLANInterfaceType", "Property":
			fits = false
		}
		if !fits {
			return false
		}
	}
	return true
}

// globbed tells whether one of several patterns matches, or, where they begin
// with a !, that none does.
func globbed(patterns, name string) bool {
	patterns, negated := strings.CutPrefix(patterns, "!")
	for p := range strings.FieldsSeq(patterns) {
		if ok, err := path.Match(p, name); err == nil && ok {
			return !negated
		}
	}
	return negated
}
