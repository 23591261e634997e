package op

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"netlab/lab"
)

// Codec decodes every op of this package. The zero value is ready for use.
type Codec struct{}

// kinds has the zero value of every op.
func kinds() []lab.Op {
	return append(firewallKinds(),
		NetnsAdd{}, NetnsDel{},
		VethAdd{}, BridgeAdd{}, LinkDel{}, LinkSetNetns{}, LinkSetUp{}, LinkSetMaster{}, LinkSetAddress{}, LinkSetMTU{},
		AddrAdd{}, AddrDel{}, AddrRestore{},
		RouteAdd{}, RouteDel{}, RouteDelAny{}, RouteRestore{},
		NeighAdd{}, NeighDel{},
		SysctlSet{}, SysctlRestore{},
	)
}

// Decode makes the op of that kind from its JSON. Unknown kinds and fields are
// errors: what was written by another version must not be undone by halves.
func (Codec) Decode(kind string, data json.RawMessage) (lab.Op, error) {
	for _, zero := range kinds() {
		if zero.Kind() != kind {
			continue
		}
		if bytes.Equal(bytes.TrimSpace(data), []byte("null")) { // would be the zero op
			return nil, fmt.Errorf("decode %s: there is none", kind)
		}
		into := reflect.New(reflect.TypeOf(zero))
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(into.Interface()); err != nil {
			return nil, fmt.Errorf("decode %s: %w", kind, err)
		}
		if _, err := dec.Token(); !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("decode %s: there is more after it", kind)
		}
		return into.Elem().Interface().(lab.Op), nil
	}
	return nil, fmt.Errorf("unknown kind of op %q", kind)
}
