package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestObstaclesAreTheKnobsThatForbid(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []Knob
	}{
		{"none are there", nil, nil},
		{"all allow", map[string]string{
			"kernel/unprivileged_userns_clone":             "1\n",
			"kernel/apparmor_restrict_unprivileged_userns": "0\n",
			"user/max_user_namespaces":                     "15000\n",
		}, nil},
		{"Ubuntu 24.04", map[string]string{"kernel/apparmor_restrict_unprivileged_userns": "1\n"},
			[]Knob{{"kernel.apparmor_restrict_unprivileged_userns", "1", "0"}}},
		{"a hardened Debian", map[string]string{"kernel/unprivileged_userns_clone": "0\n", "user/max_user_namespaces": "0\n"},
			[]Knob{{"kernel.unprivileged_userns_clone", "0", "1"}, {"user.max_user_namespaces", "0", "15000"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			for name, value := range tt.files {
				path := filepath.Join(root, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(value), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, obstacles(root)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNamespacesErrorSaysWhatAndWhy(t *testing.T) {
	err := error(&NamespacesError{
		Knobs: []Knob{{"user.max_user_namespaces", "0", "15000"}},
		Err:   fmt.Errorf("clone: %w", syscall.ENOSPC),
	})
	for _, target := range []error{ErrNoUserNamespaces, syscall.ENOSPC} {
		if !errors.Is(err, target) {
			t.Errorf("it does not wrap %v", target)
		}
	}
	if text := err.Error(); !strings.Contains(text, "user.max_user_namespaces is 0") {
		t.Error(text)
	}
}

func TestOnlyRefusalsAreDenials(t *testing.T) {
	for _, tt := range []struct {
		err  error
		more []syscall.Errno
		want bool
	}{
		{fmt.Errorf("mount: %w", syscall.EACCES), nil, true},
		{syscall.EINVAL, nil, false},
		{syscall.EINVAL, []syscall.Errno{syscall.EINVAL}, true},
		{fs.ErrNotExist, nil, false},
		{nil, nil, false},
	} {
		if got := denied(tt.err, tt.more...); errors.Is(got, ErrNoUserNamespaces) != tt.want {
			t.Errorf("%v becomes %v", tt.err, got)
		}
	}
}
