package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// MarkerPath is the file by which a process knows what machine it is in. A
// sandbox has a /run of its own; on a host the file does not exist.
const MarkerPath = "/run/netlab/machine.json"

// KindSandbox is the Kind of a sandbox's marker.
const KindSandbox = "sandbox"

const markerVersion = 1

// Marker says what machine this is.
type Marker struct {
	Version int    `json:"version"`
	Kind    string `json:"kind"` // KindSandbox
	Name    string `json:"name"` // the sandbox's name
	// Outside is the address to try beyond the host.
	Outside netip.Addr `json:"outside"`
	// WhoAmI is where a ServeWhoAmI listens; the zero value where none does.
	WhoAmI netip.AddrPort `json:"who_am_i"`
}

// SandboxMarker is the marker of a sandbox of that name.
func SandboxMarker(name string) Marker {
	return Marker{
		Version: markerVersion,
		Kind:    KindSandbox,
		Name:    name,
		Outside: netip.MustParseAddr(Server),
		WhoAmI:  netip.MustParseAddrPort(WhoAmIAddr),
	}
}

// Here reads the marker of the machine that the calling process is in. On a
// host there is none, and it returns false. Errors wrap ErrDamaged or ErrNewer.
func Here() (Marker, bool, error) { return hereAt(MarkerPath) }

func hereAt(path string) (Marker, bool, error) {
	var m Marker
	err := readState(path, markerVersion, &m)
	// What this user may not read is the host's own root's. In a sandbox all are
	// the user who owns the marker.
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.ENOTDIR) {
		return Marker{}, false, nil
	}
	if err != nil {
		return Marker{}, false, err
	}
	return m, true, nil
}

// Write puts the marker in place, for every process that shares this mount
// namespace. Only a machine with a private /run may be marked.
func (m Marker) Write() error {
	if err := os.MkdirAll(filepath.Dir(MarkerPath), 0o700); err != nil {
		return fmt.Errorf("mark the machine: %w", err)
	}
	return writeState(MarkerPath, m)
}
