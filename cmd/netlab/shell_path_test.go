package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
)

func TestAdminDirsComeLast(t *testing.T) {
	t.Parallel()
	for was, want := range map[string]string{
		"PATH=/usr/bin:/bin":                      "PATH=/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
		"PATH=/sbin:/bin":                         "PATH=/sbin:/bin:/usr/local/sbin:/usr/sbin",
		"PATH=/usr/sbin:/x:/sbin:/usr/local/sbin": "PATH=/usr/sbin:/x:/sbin:/usr/local/sbin",
		"PATH=":       "PATH=",
		"MYPATH=/bin": "MYPATH=/bin",
	} {
		env := []string{"A=b", was}
		if diff := cmp.Diff([]string{"A=b", want}, withAdminDirs(env)); diff != "" || env[1] != was {
			t.Errorf("%s: %s", was, diff)
		}
	}
}

// An ordinary user's PATH may lack what administers a network, in a shell too.
func TestCommandsAreFoundWithAnOrdinaryPath(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	challengeHost(t)
	const ordinary = `own=$(command -v netlab); PATH=/usr/bin:/bin; `
	said(t, 0, ordinary+"$own challenge loose-plug", "is alone")
	said(t, 0, ordinary+"$own exec host -- sysctl -n net.ipv4.ip_forward", "0")
	said(t, 0, ordinary+"echo 'sysctl -n net.ipv4.ip_forward && bridge link && nft list tables' | SHELL=/bin/sh $own shell loose-plug host", "master br0", "~not found")
	said(t, 0, ordinary+"$own challenge leave")
}
