package contest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"netlab/lab/kernel"
)

// pluginDir is where Debian's package containernetworking-plugins puts them.
const pluginDir = "/usr/lib/cni"

// plugin is the CNI plugin ptp, as a container runtime runs it: once for each pod,
// whose namespace the runtime has made.
type plugin struct {
	Bed
	config string
}

func (p *plugin) Prepare() error {
	config, err := json.Marshal(map[string]any{
		"cniVersion": "0.4.0", "name": "lab", "type": "ptp", "ipMasq": false,
		"ipam": map[string]any{
			"type": "host-local", "dataDir": p.Dir,
			"ranges": [][]map[string]string{{{"subnet": "10.1.0.0/16"}}},
			"routes": []map[string]string{{"dst": "0.0.0.0/0"}},
		},
	})
	p.config = string(config)
	return err
}

func (p *plugin) Build() (Usage, error) {
	k := kernel.Open()
	defer k.Close()
	var sum Usage
	for i := range p.Pods {
		name := "pod" + strconv.Itoa(i+1)
		if err := k.AddNetns(name); err != nil {
			return sum, err
		}
		cmd := exec.Command(filepath.Join(pluginDir, "ptp"))
		cmd.Stdin = strings.NewReader(p.config)
		cmd.Env = append(os.Environ(), "CNI_PATH="+pluginDir, "CNI_COMMAND=ADD", "CNI_IFNAME=eth0",
			"CNI_CONTAINERID="+name, "CNI_NETNS="+filepath.Join(kernel.NetnsDir, name))
		if out, err := cmd.CombinedOutput(); err != nil {
			return sum, fmt.Errorf("ptp: %w: %s", err, last(out))
		}
		one := usage(cmd.ProcessState)
		sum.CPU, sum.RSS = sum.CPU+one.CPU, max(sum.RSS, one.RSS)
	}
	return sum, nil
}

// Undo leaves it to whoever drops the bed.
func (p *plugin) Undo() error { return nil }
