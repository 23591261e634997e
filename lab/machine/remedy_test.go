package machine

import (
	"testing"

	"netlab/lab"
)

func TestSeveralFlagsMakeOneCommand(t *testing.T) {
	again := lab.Command{"netlab", "run", "proxyarp"}
	with := func(flags ...string) Finding { return Finding{Remedy: append(again[:3:3], flags...)} }
	look := Finding{Remedy: lab.Command{"ip", "link", "show", "dev", "veth"}}
	for _, tt := range []struct {
		name  string
		found []Finding
		want  string
	}{
		{"none", nil, ""},
		{"one is said already", []Finding{with("--namespace", "ns2"), look}, ""},
		{"two", []Finding{with("--namespace", "ns2"), look, with("--subnet", "10.99.0.0/24")},
			"netlab run proxyarp --namespace ns2 --subnet 10.99.0.0/24"},
		{"the same flag twice", []Finding{with("--namespace", "ns2"), with("--namespace", "ns3"), with("--nat", "nftables")},
			"netlab run proxyarp --namespace ns2 --nat nftables"},
		{"a sandbox settles the rest", []Finding{with("--namespace", "ns2"), with("--sandbox"), with("--subnet", "10.99.0.0/24")},
			"netlab run proxyarp --sandbox"},
		{"another command", []Finding{with("--namespace", "ns2"), {Remedy: lab.Command{"sudo", "netlab", "run", "proxyarp"}}}, ""},
	} {
		if got := Together(again, tt.found).String(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAFlagTakesThePlaceOfAnEarlierOne(t *testing.T) {
	again := lab.Command{"netlab", "run", "proxyarp", "--namespace", "ns7", "--nat", "iptables"}
	name, nat := Finding{Remedy: With(again, "--namespace", "ns8")}, Finding{Remedy: With(again, "--nat", "nftables")}
	if got, want := name.Remedy.String(), "netlab run proxyarp --nat iptables --namespace ns8"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if flags, ok := name.Flags(again); !ok || len(flags) != 2 {
		t.Errorf("its flags are %q, %t", flags, ok)
	}
	if got, want := Together(again, []Finding{name, nat}).String(), "netlab run proxyarp --namespace ns8 --nat nftables"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheGravestGradeCounts(t *testing.T) {
	for _, tt := range []struct {
		grades []Grade
		want   Grade
	}{
		{nil, OK},
		{[]Grade{OK, Warn, OK}, Warn},
		{[]Grade{Warn, Stop, OK}, Stop},
		{[]Grade{Grade(0)}, Stop},
	} {
		var found []Finding
		for _, g := range tt.grades {
			found = append(found, Finding{Grade: g})
		}
		if got := Worst(found); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.grades, got, tt.want)
		}
	}
}
