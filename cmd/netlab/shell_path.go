package main

import (
	"path/filepath"
	"slices"
	"strings"
)

// withAdminDirs adds to a PATH the directories of sysctl, iptables, nft and bridge:
// some distributions leave them out for all but root. They come last, so that what
// the caller has found so far is found still. No PATH is the program's own business.
func withAdminDirs(env []string) []string {
	env = slices.Clone(env)
	for i, v := range env {
		path, ok := strings.CutPrefix(v, "PATH=")
		if !ok || path == "" {
			continue
		}
		dirs := filepath.SplitList(path)
		for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
			if !slices.Contains(dirs, dir) {
				path += string(filepath.ListSeparator) + dir
			}
		}
		env[i] = "PATH=" + path
	}
	return env
}
