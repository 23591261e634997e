package kernel

import (
	"bytes"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"github.com/google/nftables/xt"
)

// HasComment tells whether a rule has the comment, be it nft's or a match of
// iptables. It doesn't parse the user data: the library's parser trusts it, and
// others may have written anything there.
func HasComment(r *nftables.Rule, comment string) bool {
	for _, e := range r.Exprs {
		if m, ok := e.(*expr.Match); ok && m.Name == "comment" {
			c, ok := m.Info.(*xt.Comment)
			return ok && string(*c) == comment
		}
	}
	return bytes.HasPrefix(r.UserData, userdata.AppendString(nil, userdata.TypeComment, comment))
}
