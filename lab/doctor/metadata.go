package doctor

import (
	"io/fs"
	"net/netip"
	"strings"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// MetadataAddr is where clouds serve what a machine may know of itself, its
// credentials among it: to whoever asks from the machine, a pod included, whose
// packets the host forwards.
const MetadataAddr = "169.254.169.254"

// cloud is what tells a cloud's machine, without asking it.
type cloud struct {
	dmi       []string // vendor, product and asset tag of the (virtual) hardware
	cloudInit bool     // cloud-init has found a data source
	routed    bool     // there is a way to MetadataAddr
	own       bool     // a route to that very address: somebody means it
}

func metadata(q Question) ([]machine.Finding, error) {
	if !q.Plan.Routes {
		return nil, nil
	}
	c := readCloud(q.Files)
	host, err := q.Kernel.Namespace(kernel.Host)
	if err != nil {
		return nil, err
	}
	c.routed, c.own, err = machine.RouteTo(host, netip.MustParseAddr(MetadataAddr))
	return judgeCloud(c, q.Plan), err
}

func readCloud(files fs.FS) cloud {
	c := cloud{cloudInit: there(files, "run/cloud-init/cloud-id") || there(files, "run/cloud-init/.ds-identify.result")}
	for _, name := range []string{"sys_vendor", "product_name", "chassis_asset_tag", "bios_vendor"} {
		c.dmi = append(c.dmi, line(files, "sys/class/dmi/id/"+name))
	}
	return c
}

// name is the cloud's, by what its machines say they are; empty: none is known.
func (c cloud) name() string {
	for _, known := range []struct{ says, name string }{
		{"Amazon EC2", "AWS"}, {"Google", "Google Cloud"},
		{"7783-7084-3265-9085-8269-3286-77", "Azure"}, // the asset tag of its machines; other Hyper-V has none
		{"OracleCloud.com", "Oracle Cloud"}, {"Alibaba Cloud", "Alibaba Cloud"}, {"Tencent Cloud", "Tencent Cloud"},
		{"DigitalOcean", "DigitalOcean"}, {"Hetzner", "Hetzner"}, {"OpenStack", "OpenStack"}, {"Vultr", "Vultr"},
		{"Scaleway", "Scaleway"}, {"Akamai", "Akamai"}, {"Linode", "Akamai"}, {"Huawei Cloud", "Huawei Cloud"}, {"Exoscale", "Exoscale"},
		{"UpCloud", "UpCloud"},
	} {
		for _, text := range c.dmi {
			if strings.Contains(text, known.says) {
				return known.name
			}
		}
	}
	return ""
}

func judgeCloud(c cloud, p machine.Plan) []machine.Finding {
	name := c.name()
	if !c.routed || name == "" && !c.cloudInit && !c.own {
		return []machine.Finding{ok(NoMetadata)}
	}
	if name == "" {
		name = "cloud"
	}
	var remedy lab.Command
	if len(p.Namespaces) > 0 {
		remedy = lab.IP(p.Namespaces[0], "route", "add", "prohibit", MetadataAddr)
	}
	return []machine.Finding{warn(Metadata, remedy, "cloud", name, "addr", MetadataAddr)}
}
