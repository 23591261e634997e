package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/coreos/go-iptables/iptables"
)

// lockWait is for how many seconds a program waits for the xtables lock.
const lockWait = 5

// IPTables is one iptables program, for IPv4. All its methods run the program,
// 3 to 6 ms each, and the first one also `iptables --version`.
type IPTables struct {
	Path string
	// NFT: the program speaks to nftables. Otherwise it is the legacy variant.
	NFT bool

	once    sync.Once
	program *iptables.IPTables
	err     error
}

// IPTables is what `iptables` is on this machine. It is looked for in the
// system's own directories only, never in $PATH. An error wraps fs.ErrNotExist
// when there is none.
func (f *Firewall) IPTables() (*IPTables, error) {
	return f.findIPTables(func(*IPTables) bool { return true }, "iptables")
}

// IPTablesOf is the program of that variant: `iptables` where it is of that
// variant, otherwise `iptables-nft` or `iptables-legacy`.
func (f *Firewall) IPTablesOf(nft bool) (*IPTables, error) {
	other := "iptables-legacy"
	if nft {
		other = "iptables-nft"
	}
	return f.findIPTables(func(t *IPTables) bool { return t.NFT == nft }, "iptables", other)
}

func (f *Firewall) findIPTables(fits func(*IPTables) bool, names ...string) (*IPTables, error) {
	f.finding.Lock()
	defer f.finding.Unlock()
	dirs := f.dirs
	if dirs == nil {
		dirs = programDirs()
	}
	for _, name := range names {
		t, err := f.program(dirs, name)
		if err != nil {
			return nil, err
		}
		if t != nil && fits(t) {
			return t, nil
		}
	}
	return nil, fmt.Errorf("no %s in %s: %w",
		names[len(names)-1], strings.Join(dirs, ":"), fs.ErrNotExist)
}

// program is the first program of that name, looked for until it is found once, or nil.
func (f *Firewall) program(dirs []string, name string) (*IPTables, error) {
	if t := f.named[name]; t != nil {
		return t, nil
	}
	for _, dir := range dirs {
		path, err := FindProgram(name, dir)
		if err != nil {
			continue
		}
		nft, err := isNFT(path)
		if err != nil {
			return nil, err
		}
		if f.named == nil {
			f.named = map[string]*IPTables{}
		}
		f.named[name] = &IPTables{Path: path, NFT: nft}
		return f.named[name], nil
	}
	return nil, nil
}

// programDirs is where distributions install iptables.
func programDirs() []string {
	return []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"}
}

// isNFT tells the variant by the program behind the links (xtables-nft-multi or
// xtables-legacy-multi), and where that says nothing, by asking it.
func isNFT(path string) (bool, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		switch filepath.Base(real) {
		case "xtables-nft-multi":
			return true, nil
		case "xtables-legacy-multi":
			return false, nil
		}
	}
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return false, fmt.Errorf("ask %s for its version: %w", path, err)
	}
	return strings.Contains(string(out), "nf_tables"), nil
}

func (t *IPTables) run() (*iptables.IPTables, error) {
	t.once.Do(func() {
		t.program, t.err = iptables.New(iptables.Path(t.Path), iptables.Timeout(lockWait))
	})
	if t.err != nil {
		return nil, fmt.Errorf("run %s: %w", t.Path, t.err)
	}
	return t.program, nil
}

// Check tells whether the rule is there, and by that whether iptables works
// here for such a rule: when it does not, the error has iptables' own words. A
// chain that is not there counts as one without the rule, and the legacy variant
// doesn't ask whether the kernel has the target. It changes nothing with the nft
// variant; the legacy variant registers the table in the namespace, for good
// (see LegacyTable).
func (t *IPTables) Check(table, chain string, rule ...string) (bool, error) {
	program, err := t.run()
	if err != nil {
		return false, err
	}
	// Status 1 is "no such rule", or no such chain, in both variants; what the
	// program doesn't understand or isn't allowed has other numbers.
	found, err := program.Exists(table, chain, rule...)
	if err != nil {
		return false, fmt.Errorf("check for a rule in %s %s: %w", table, chain, err)
	}
	return found, nil
}

// Append adds the rule at the chain's end.
func (t *IPTables) Append(table, chain string, rule ...string) error {
	program, err := t.run()
	if err != nil {
		return err
	}
	if err := program.Append(table, chain, rule...); err != nil {
		return fmt.Errorf("add a rule to %s %s: %w", table, chain, err)
	}
	return nil
}

// Insert adds the rule before all others of the chain.
func (t *IPTables) Insert(table, chain string, rule ...string) error {
	program, err := t.run()
	if err != nil {
		return err
	}
	if err := program.Insert(table, chain, 1, rule...); err != nil {
		return fmt.Errorf("insert a rule into %s %s: %w", table, chain, err)
	}
	return nil
}

// SetPolicy sets what becomes of packets that no rule of a built-in chain decides on.
func (t *IPTables) SetPolicy(table, chain, policy string) error {
	program, err := t.run()
	if err != nil {
		return err
	}
	if err := program.ChangePolicy(table, chain, policy); err != nil {
		return fmt.Errorf("set the policy of %s %s: %w", table, chain, err)
	}
	return nil
}

// Delete deletes the first such rule. Where there is none, the error wraps
// fs.ErrNotExist.
func (t *IPTables) Delete(table, chain string, rule ...string) error {
	program, err := t.run()
	if err != nil {
		return err
	}
	err = program.Delete(table, chain, rule...)
	if noSuch(err) {
		return fmt.Errorf("delete a rule of %s %s: %w", table, chain, fs.ErrNotExist)
	}
	if err != nil {
		return fmt.Errorf("delete a rule of %s %s: %w", table, chain, err)
	}
	return nil
}

// noSuch tells whether the program found no such rule or chain. Its other
// refusals, such as of a target that it doesn't know, have other numbers.
func noSuch(err error) bool {
	var refused *iptables.Error
	return errors.As(err, &refused) && refused.ExitStatus() == 1 && refused.IsNotExist()
}

// List reads a chain as `iptables -S CHAIN` prints it, one rule a string. For a
// chain that is not there the error wraps fs.ErrNotExist.
func (t *IPTables) List(table, chain string) ([]string, error) {
	program, err := t.run()
	if err != nil {
		return nil, err
	}
	rules, err := program.List(table, chain)
	if noSuch(err) {
		return nil, fmt.Errorf("list the rules of %s %s: %w", table, chain, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("list the rules of %s %s: %w", table, chain, err)
	}
	return rules, nil
}

// LegacyTable tells whether a table of the legacy variant is registered in the
// host's namespace; of another's it says no. The kernel registers one the first time that any program
// asks for it, even to read, and keeps it as long as the namespace. In a user
// namespace the list may be unreadable: the answer is then true.
func (f *Firewall) LegacyTable(table string) (bool, error) {
	if f.space != nil {
		return false, nil
	}
	names, err := os.ReadFile("/proc/net/ip_tables_names")
	switch {
	case errors.Is(err, fs.ErrNotExist): // ip_tables is not loaded
		return false, nil
	case errors.Is(err, fs.ErrPermission):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("list the legacy iptables tables: %w", err)
	}
	for name := range strings.FieldsSeq(string(names)) {
		if name == table {
			return true, nil
		}
	}
	return false, nil
}
