package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"netlab/lab/owned"
)

// shells are what a practice's shell reads: it has the shell read the learner's own
// files, and look before each prompt.
//
//go:embed shells
var shells embed.FS

// shellsDir is where they stand in a sandbox.
const shellsDir = practiceDir + "/shells"

// practiceShell becomes the learner's shell, on the sandbox's host.
func (a *app) practiceShell(_ context.Context, x *exercise) error {
	if err := layShells(); err != nil {
		return err
	}
	program, err := ownProgram()
	if err != nil {
		return err
	}
	argv, env := shellThatLooks(callersShell())
	env = append(env, "NETLAB_PROGRAM="+program, "NETLAB_SHELLS="+shellsDir)
	if filepath.Base(callersShell()) != filepath.Base(argv[0]) {
		a.errPaper().line(a.fill("practice.other-shell", "shell", callersShell(), "instead", argv[0]))
	}
	return a.execWith(x.lab, hostName, argv, env)
}

// shellThatLooks is how a shell is run so that it reads ours: the one that was asked for,
// if it is one of those that we know, and else sh.
func shellThatLooks(shell string) (argv, env []string) {
	switch strings.TrimLeft(filepath.Base(shell), "-r") {
	case "bash":
		return []string{shell, "--rcfile", filepath.Join(shellsDir, "practice.bash"), "-i"}, nil
	case "zsh":
		return []string{shell, "-i"}, []string{"ZDOTDIR=" + shellsDir, "NETLAB_ZDOTDIR=" + callersVariable("ZDOTDIR")}
	case "fish":
		return []string{shell, "-i", "-C", "source " + filepath.Join(shellsDir, "practice.fish")}, nil
	case "sh", "dash", "ash", "ksh", "ksh93", "mksh", "busybox":
	default:
		shell = "/bin/sh"
	}
	argv = []string{shell, "-i"}
	if filepath.Base(shell) == "busybox" {
		argv = []string{shell, "ash", "-i"}
	}
	return argv, []string{"ENV=" + filepath.Join(shellsDir, "practice.env"), "NETLAB_ENV=" + callersVariable("ENV")}
}

// ownProgram is a path by which this program can be run in the sandbox. Where it was
// removed, or is not to be seen there, that is a copy.
func ownProgram() (string, error) {
	path, err := os.Executable()
	if err == nil && unix.Access(path, unix.X_OK) == nil {
		return path, nil
	}
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return "", fmt.Errorf("read own program: %w", err)
	}
	path = filepath.Join(shellsDir, "netlab")
	if err := owned.Replace(path, data, 0o700); err != nil {
		return "", fmt.Errorf("keep own program: %w", err)
	}
	return path, nil
}

// layShells writes the files. They are the same each time.
func layShells() error {
	if err := owned.MakeDirs(shellsDir); err != nil {
		return fmt.Errorf("prepare the shell: %w", err)
	}
	return fs.WalkDir(shells, "shells", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(shells, path)
		if err != nil {
			return fmt.Errorf("prepare the shell: %w", err)
		}
		name := filepath.Base(path)
		if strings.HasPrefix(name, "zsh") { // embed leaves out what begins with a dot
			name = "." + name
		}
		if err := owned.Replace(filepath.Join(shellsDir, name), data, 0o600); err != nil {
			return fmt.Errorf("prepare the shell: %w", err)
		}
		return nil
	})
}
