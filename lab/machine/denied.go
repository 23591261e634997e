package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// ErrNoUserNamespaces: this machine does not let this user make a sandbox's
// namespaces, or not with the rights that go with them.
var ErrNoUserNamespaces = errors.New("this machine lets you make no user namespaces")

// ErrReadOnlySysctl: /proc/sys is mounted read-only, which a sandbox inherits, so that
// nothing can be set in it either.
var ErrReadOnlySysctl = errors.New("/proc/sys is read-only")

// NamespacesError is an ErrNoUserNamespaces with its likely causes.
type NamespacesError struct {
	// Knobs are the sysctls that stand in the way; none where the cause is
	// another, such as the seccomp filter of a container.
	Knobs []Knob
	Err   error
}

// Knob is a sysctl and the value that would let a sandbox be made.
type Knob struct {
	Key   string // as sysctl(8) writes it
	Value string // as it is
	Want  string // as it would have to be
}

func (e *NamespacesError) Error() string {
	var causes []string
	for _, k := range e.Knobs {
		causes = append(causes, k.Key+" is "+k.Value)
	}
	switch {
	case causes != nil:
	case errors.Is(e.Err, syscall.ENOSPC):
		causes = []string{"as many as a user.max_…_namespaces sysctl allows are there already"}
	default:
		causes = []string{"no sysctl forbids it; in a container, its security profile may"}
	}
	return fmt.Sprintf("%v: %v (%s)", ErrNoUserNamespaces, e.Err, strings.Join(causes, ", "))
}

// Unwrap gives ErrNoUserNamespaces and what was refused.
func (e *NamespacesError) Unwrap() []error { return []error{ErrNoUserNamespaces, e.Err} }

// refusals are how the kernel refuses a new namespace, or what its owner should
// be able to do in it: EPERM by a knob, a seccomp filter or a chroot, EACCES by
// AppArmor (Ubuntu 24.04 and later let the namespace be made, without its
// capabilities: facts.md, section 6), ENOSPC and EUSERS by a limit.
func refusals() []syscall.Errno {
	return []syscall.Errno{syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EUSERS}
}

// obstacles reads the knobs below procSys that forbid a sandbox.
func obstacles(procSys string) []Knob {
	var found []Knob
	for _, k := range []struct{ key, forbids, want string }{
		{"kernel.unprivileged_userns_clone", "0", "1"}, // Debian's
		{"kernel.apparmor_restrict_unprivileged_userns", "1", "0"},
		{"user.max_user_namespaces", "0", "15000"},
		{"user.max_mnt_namespaces", "0", "15000"},
		{"user.max_net_namespaces", "0", "15000"},
	} {
		b, err := os.ReadFile(filepath.Join(procSys, strings.ReplaceAll(k.key, ".", "/")))
		if value := strings.TrimSpace(string(b)); err == nil && value == k.forbids {
			found = append(found, Knob{k.key, value, k.want})
		}
	}
	return found
}

// Forbidden are the knobs that keep even root from making the namespaces of a lab.
func Forbidden() []Knob {
	return slices.DeleteFunc(obstacles("/proc/sys"), func(k Knob) bool {
		return k.Key != "user.max_net_namespaces" && k.Key != "user.max_mnt_namespaces"
	})
}

// denied makes a *NamespacesError of a refusal, those of more included, and an
// ErrReadOnlySysctl of EROFS, as nothing else is written where it could be; it leaves
// other errors alone.
func denied(err error, more ...syscall.Errno) error {
	if errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w: %w", ErrReadOnlySysctl, err)
	}
	for _, errno := range append(refusals(), more...) {
		if errors.Is(err, errno) {
			return &NamespacesError{Knobs: obstacles("/proc/sys"), Err: err}
		}
	}
	return err
}
