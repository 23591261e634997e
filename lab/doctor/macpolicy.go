package doctor

import (
	"io/fs"
	"path"

	"netlab/lab/machine"
)

// udev is what udevd does to the MAC address of a link that appears.
type udev struct {
	runs   bool
	policy string // MACAddressPolicy of the first .link file that matches
	file   string
}

func macPolicy(q Question) ([]machine.Finding, error) {
	return judgeUdev(readUdev(q.Files, q.Plan)), nil
}

func readUdev(files fs.FS, p machine.Plan) udev {
	u := udev{runs: there(files, "run/udev/control")}
	if !u.runs || len(p.Links) == 0 {
		return u
	}
	links := inOrder(files, ".link", "etc/systemd/network", "run/systemd/network", "usr/local/lib/systemd/network", "usr/lib/systemd/network", "lib/systemd/network")
	for _, l := range links {
		all := settingsOf(l.text)
		if len(all) == 0 || !matches(all, p.Links[0], "veth") {
			continue
		}
		u.file = "/" + l.path
		for _, dir := range []string{"usr/lib", "run", "etc"} { // the last one counts
			for _, drop := range inOrder(files, ".conf", path.Join(dir, "systemd/network", path.Base(l.path)+".d")) {
				all = append(all, settingsOf(drop.text)...)
			}
		}
		for _, s := range all {
			if s.section == "Link" && s.key == "MACAddressPolicy" {
				u.policy = s.value
			}
		}
		break
	}
	return u
}

// judgeUdev: a veth made by netlab has a MAC address drawn at random, which the
// policies persistent and random replace a moment later. Labs read MACs back and
// never rely on the first, so it is only said.
func judgeUdev(u udev) []machine.Finding {
	if !u.runs || u.policy != "persistent" && u.policy != "random" {
		return nil
	}
	return []machine.Finding{ok(MACPolicy, "policy", u.policy, "file", u.file)}
}
