package op

import (
	"testing"

	"netlab/lab"
)

// Every op that a scenario or a challenge may do is about something.
func TestEveryOpHasAnAspect(t *testing.T) {
	for _, o := range []lab.Op{
		NetnsAdd{}, NetnsDel{}, VethAdd{}, BridgeAdd{}, LinkDel{}, LinkSetUp{}, LinkSetNetns{}, AddrAdd{}, AddrDel{},
		RouteAdd{}, RouteDel{}, NeighAdd{}, NeighDel{}, SysctlSet{}, SysctlRestore{}, IptablesAppend{}, IptablesPolicy{}, NftTableAdd{}, NftRuleAdd{},
	} {
		if Aspect(o) == "" {
			t.Errorf("%s is about nothing", o.Kind())
		}
	}
}
