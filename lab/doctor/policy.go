package doctor

import (
	"netlab/lab"
	"netlab/lab/cause"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// policyRules looks for a rule (ip-rule(8)) by which the route to the lab's subnet
// would not be used.
func policyRules(q Question) ([]machine.Finding, error) {
	if !q.Plan.Routes || !q.Plan.Subnet.IsValid() {
		return nil, nil
	}
	host, err := q.Kernel.Namespace(kernel.Host)
	if err != nil {
		return nil, err
	}
	overruled, back, err := cause.Overruled(host, q.Plan.Subnet)
	if overruled == nil || err != nil {
		return nil, err
	}
	f := stop(PolicyRule, overruled.Repair, "subnet", overruled.Values["dst"], "found", overruled.Values["found"])
	if back != nil {
		f.Back = []lab.Command{back}
	}
	return []machine.Finding{f}, nil
}
