package op

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// firewallKinds has the zero value of every op on the firewall.
func firewallKinds() []lab.Op {
	return []lab.Op{
		IptablesAppend{}, IptablesInsert{}, IptablesDelete{}, IptablesRestore{}, IptablesDelChain{}, IptablesPolicy{},
		NftTableAdd{}, NftTableDel{}, NftChainAdd{}, NftChainDel{}, NftRuleAdd{}, NftRuleDel{},
	}
}

// nftShared names a table for lab.Sharer.
func nftShared(family, table string) string { return "nft " + family + " " + table }

// vacant turns the error of reading an object into that of a place to fill.
func vacant(err error, object string) error {
	switch {
	case err == nil:
		return fmt.Errorf("%s: %w", object, lab.ErrTaken)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// missing turns the error of reading an object into the read-back of its making.
func missing(err error, object string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &lab.Mismatch{Object: object, Field: "name", Want: "there", Found: "missing", Err: err}
	}
	return err
}

// undone turns the error of a deletion into what an undo returns.
func undone(err error, object string) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", object, lab.ErrGone)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%s: %w", object, lab.ErrInUse)
	}
	return err
}

// absent turns the error of reading an object into the read-back of its deletion.
func absent(err error, object string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return &lab.Mismatch{Object: object, Field: "name", Want: "gone", Found: "there"}
}

// commented lists the rules of a chain that have the comment, be it nft's or a
// match of iptables. No chain, no rules.
func commented(k *kernel.Kernel, family, table, chain, comment string) ([]*nftables.Rule, error) {
	rules, err := k.Firewall().NftRules(family, table, chain)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rules, func(r *nftables.Rule) bool { return !kernel.HasComment(r, comment) }), nil
}

// sameRule compares comment and expressions, whatever has been counted.
func sameRule(a, b *nftables.Rule) bool {
	return bytes.Equal(a.UserData, b.UserData) && reflect.DeepEqual(uncounted(a.Exprs), uncounted(b.Exprs))
}

func uncounted(exprs []expr.Any) []expr.Any {
	same := make([]expr.Any, len(exprs))
	for i, e := range exprs {
		if _, ok := e.(*expr.Counter); ok {
			e = &expr.Counter{}
		}
		same[i] = e
	}
	return same
}
