package kernel

import (
	"bytes"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"github.com/google/nftables/xt"
)

// Comment is a rule's, as HasComment knows it; empty: it has none.
func Comment(r *nftables.Rule) string {
	for _, e := range r.Exprs {
		if m, ok := e.(*expr.Match); ok && m.Name == "comment" {
			if c, ok := m.Info.(*xt.Comment); ok {
				return string(*c)
			}
			return ""
		}
	}
	data := r.UserData // each a type, a length, and so many bytes
	for len(data) >= 2 && len(data) >= 2+int(data[1]) {
		value := data[2 : 2+int(data[1])]
		if userdata.Type(data[0]) == userdata.TypeComment {
			return string(bytes.TrimRight(value, "\x00"))
		}
		data = data[2+len(value):]
	}
	return ""
}

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
