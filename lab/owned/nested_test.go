package owned

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// nestedEnv is set where the test runs in a user's user namespace within another one.
const nestedEnv = "NETLAB_TEST_NESTED"

// In a sandbox within an ordinary user's sandbox, what leads to our files is root's.
func TestRootsDirectoriesAreTrustedInASandboxWithinASandbox(t *testing.T) {
	if os.Getenv(nestedEnv) != "" {
		if !ours().hidden {
			t.Error("root of the machine is taken to have a uid here")
		}
		if err := Dir("/proc"); err != nil {
			t.Error(err)
		}
		return
	}
	t.Parallel()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = self.Close() }() // it was only read
	within := func(argv ...string) ([]byte, error) {
		cmd := exec.Command("unshare", append([]string{"-Ur", "unshare", "-Ur"}, argv...)...)
		cmd.Dir, cmd.Env = "/", append(os.Environ(), nestedEnv+"=1")
		cmd.ExtraFiles = []*os.File{self} // its path may be closed to that user
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1234, Gid: 1234}}
		}
		return cmd.CombinedOutput()
	}
	if said, err := within("true"); err != nil {
		t.Skipf("no user namespaces for an ordinary user here: %v: %s", err, said)
	}
	if said, err := within("/proc/self/fd/3", "-test.run=^"+t.Name()+"$"); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}
