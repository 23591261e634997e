package machine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// TryVerb is the hidden argument with which Try runs this program again. Every
// program that calls Try must answer it with RunTrial, a test binary in its
// TestMain.
const TryVerb = "try"

// Features are what a trial tries, in this order.
const (
	TrySysctl        = "sysctl"         // write a setting of one's own network namespace
	TryVeth          = "veth"           // make a veth pair
	TryBridge        = "bridge"         // make a bridge
	TryNftables      = "nf_tables"      // make a table
	TryNftMasquerade = "nft-masquerade" // make a nat chain with a rule that masquerades
	TryIptables      = "iptables"       // the same by the program iptables; not tried where there is none
)

// Tried is what came of a trial: what the kernel said of each feature that was
// tried, empty where it worked.
type Tried map[string]string

// tryPatience is how long a trial may take; it takes some 20 ms.
const tryPatience = 5 * time.Second

// Try tries what labs ask of the kernel, in namespaces that are thrown away: with
// a user namespace, as a sandbox has it, or without, as root has it on a host.
// A machine that refuses the namespaces is a *NamespacesError. Nothing outlasts
// it but modules that the kernel loads to answer, as it would for the lab.
func Try(ctx context.Context, sandbox bool) (Tried, error) {
	if os.Getenv(holderEnv) != "" {
		return nil, fmt.Errorf("this program was started for a trial and does not answer %q", TryVerb)
	}
	outside, err := ownNamespaces()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, tryPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", TryVerb)
	cmd.Args[0] = "netlab"
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), holderEnv+"="+strings.Join(outside, " "))
	var said bytes.Buffer
	cmd.Stdout = &said
	cmd.SysProcAttr = holderAttr()
	cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
	if !sandbox {
		cmd.SysProcAttr.Cloneflags &^= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings, cmd.SysProcAttr.GidMappings = nil, nil
	}
	// It is to die with this process, and Pdeathsig means the thread that started it:
	// Go ends one that has visited a namespace (see kernel.Scratch).
	runtime.LockOSThread()
	err = cmd.Run()
	runtime.UnlockOSThread()
	if err != nil {
		return nil, denied(fmt.Errorf("try the kernel: %w", err), unix.EINVAL, unix.ENOSYS)
	}
	var r trialReport
	if err := json.Unmarshal(said.Bytes(), &r); err != nil {
		return nil, fmt.Errorf("try the kernel: %w", err)
	}
	if r.Text != "" {
		return nil, denied(held{r.report})
	}
	return r.Tried, nil
}

// trialReport is what a trial writes to its parent: why it could not begin, or
// what came of it.
type trialReport struct {
	report
	Tried Tried `json:"tried"`
}

// RunTrial is the trial's own side: it must be called in a process that Try has
// made. It refuses to try anything in namespaces that are not its own.
func RunTrial(to io.Writer) error {
	outside := strings.Fields(os.Getenv(holderEnv))
	inside, err := ownNamespaces()
	if err != nil {
		return err
	}
	if len(outside) != len(inside) {
		return ErrNoHolder
	}
	for i, ns := range inside {
		if outside[i] == ns {
			return fmt.Errorf("in the namespace %s of who called: %w", ns, ErrNoHolder)
		}
	}
	if err := apart("mnt", "net"); err != nil { // whatever a variable says
		return err
	}
	var r trialReport
	if err := privateMounts(); err != nil {
		r.Text = err.Error()
		errors.As(err, &r.Errno)
	} else {
		k := kernel.Open()
		r.Tried = try(k)
		if err := k.Close(); err != nil {
			return err
		}
	}
	return json.NewEncoder(to).Encode(r)
}

// ownNamespaces names those of this process that a trial must not share with who
// asks for it. A child in a user namespace of its own can't read its parent's.
func ownNamespaces() ([]string, error) {
	var names []string
	for _, kind := range []string{"mnt", "net"} {
		name, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			return nil, fmt.Errorf("look at our namespaces: %w", err)
		}
		names = append(names, name)
	}
	return names, nil
}

// try tries each feature in the calling process's network namespace.
func try(k *kernel.Kernel) Tried {
	tried := Tried{}
	note := func(feature string, err error) {
		tried[feature] = ""
		if err != nil {
			tried[feature] = err.Error()
		}
	}
	host, err := k.Namespace(kernel.Host)
	if err != nil {
		note(TrySysctl, err)
		return tried
	}
	add := func(l netlink.Link) error {
		return host.Change(func(h *netlink.Handle) error { return h.LinkAdd(l) })
	}
	note(TrySysctl, host.SetSysctl("net/ipv4/ip_forward", "1"))
	note(TryVeth, add(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "try0"}, PeerName: "try1"}))
	note(TryBridge, add(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "try2"}}))
	const table = "netlab-try"
	note(TryNftables, k.Firewall().AddNftTable("ip", table))
	if tried[TryNftables] == "" {
		note(TryNftMasquerade, tryNftMasquerade(k.Firewall(), table))
	}
	iptables, err := k.Firewall().IPTables()
	if errors.Is(err, fs.ErrNotExist) {
		return tried
	}
	if err == nil {
		err = iptables.Append("nat", "POSTROUTING", "-j", "MASQUERADE")
	}
	note(TryIptables, err)
	return tried
}

func tryNftMasquerade(f *kernel.Firewall, table string) error {
	t := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: table}
	chain := &nftables.Chain{
		Table: t, Name: "postrouting", Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	}
	if err := f.AddNftChain(chain); err != nil {
		return err
	}
	return f.AddNftRule(&nftables.Rule{Table: t, Chain: chain, Exprs: []expr.Any{&expr.Masq{}}})
}
