package doctor

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// ruleMark begins the comment of a lab's rules in tables of others, tableMark the
// name of a table of its own; the lab's name ends both.
const (
	ruleMark  = "netlab:"
	tableMark = "netlab-"
)

// orphans are what bears the mark of a lab, by the lab's name: the commands that
// delete each.
type orphans map[string][]lab.Command

// orphanRules looks for firewall rules of labs that no journal speaks of, as a boot
// leaves them that clears /run and restores a saved ruleset.
func orphanRules(q Question) ([]machine.Finding, error) {
	known, err := journal.At(q.Labs).Labs()
	if err != nil {
		return nil, nil // which is said elsewhere
	}
	marked, err := readMarked(q)
	for _, name := range known {
		delete(marked, name)
	}
	return judgeOrphans(marked, q.Own), err
}

func readMarked(q Question) (orphans, error) {
	f, found := q.Kernel.Firewall(), orphans{}
	chains, err := f.NftChains()
	if err != nil {
		return nil, err
	}
	for _, name := range q.Own { // it may have no chain
		if _, err := f.NftTable("ip", tableMark+name); err == nil {
			found.table("ip", tableMark+name)
		}
	}
	for _, c := range chains {
		if strings.HasPrefix(c.Table.Name, tableMark) {
			found.table(kernel.FamilyOf(c), c.Table.Name)
			continue
		}
		if !ofIptables(c) {
			continue
		}
		if err := found.ofChain(f, c.Table.Name, c.Name); err != nil {
			return nil, err
		}
	}
	for _, c := range []struct{ table, name string }{{"nat", "POSTROUTING"}, {"filter", "FORWARD"}, {"filter", "DOCKER-USER"}} {
		lines, err := q.legacyRules(c.table, c.name)
		if err != nil {
			return nil, err
		}
		found.lines(nameOf(f, false), c.table, lines)
	}
	return found, nil
}

func (o orphans) table(family, name string) {
	owner := strings.TrimPrefix(name, tableMark)
	drop := lab.Command{"nft", "delete", "table", family, name}
	if family == "" || slices.ContainsFunc(o[owner], func(c lab.Command) bool { return slices.Equal(c, drop) }) {
		return
	}
	o[owner] = append(o[owner], drop)
}

// ofChain reads a chain as iptables prints it where a rule of it is marked. Without
// that program the rules are named by their handles.
func (o orphans) ofChain(f *kernel.Firewall, table, chain string) error {
	rules, err := f.NftRules("ip", table, chain)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	byHandle := orphans{}
	for _, r := range rules {
		if owner, ok := strings.CutPrefix(kernel.Comment(r), ruleMark); ok {
			byHandle[owner] = append(byHandle[owner],
				lab.Command{"nft", "delete", "rule", "ip", table, chain, "handle", strconv.FormatUint(r.Handle, 10)})
		}
	}
	if len(byHandle) == 0 {
		return nil
	}
	t, err := f.IPTablesOf(true)
	if errors.Is(err, fs.ErrNotExist) {
		for owner, commands := range byHandle {
			o[owner] = append(o[owner], commands...)
		}
		return nil
	}
	if err != nil {
		return err
	}
	lines, err := t.List(table, chain)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	o.lines(nameOf(f, true), table, lines)
	return err
}

// lines takes the marked ones of those that `iptables -S` has printed.
func (o orphans) lines(program, table string, lines []string) {
	for _, l := range lines {
		words := kernel.SplitRule(l)
		at := slices.Index(words, "--comment") + 1
		if at == 0 || at == len(words) || words[0] != "-A" {
			continue
		}
		owner, ok := strings.CutPrefix(words[at], ruleMark)
		if !ok {
			continue
		}
		c := lab.Command{program}
		if table != "filter" {
			c = append(c, "-t", table)
		}
		o[owner] = append(o[owner], append(append(c, "-D"), words[1:]...))
	}
}

// judgeOrphans: those of a lab that is about to be built would pass for its own.
func judgeOrphans(marked orphans, own []string) []machine.Finding {
	var found []machine.Finding
	for _, owner := range slices.Sorted(maps.Keys(marked)) {
		grade := machine.Warn
		if slices.Contains(own, owner) {
			grade = machine.Stop
		}
		commands := marked[owner]
		f := graded(grade, OrphanRules, commands[0], []string{"lab", owner, "count", strconv.Itoa(len(commands))})
		f.More = commands[1:]
		found = append(found, f)
	}
	return found
}
