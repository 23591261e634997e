package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What needs a cluster can't be run here: there is no kind, no Docker that may
// start containers, and no registry. So it is read instead, as far as reading goes:
// by bash, by shellcheck where that is installed, by netlab's own flags, and file
// by file. What netlab prints on real pods is proven on pods that are wired alike.

// TestDocsClusterBlocksAreWellFormed reads the blocks of each document as one script.
func TestDocsClusterBlocksAreWellFormed(t *testing.T) {
	for _, name := range []string{"docs/real-clusters.md", "docs/real-clusters.zh.md"} {
		t.Run(name, func(t *testing.T) {
			commands := clusterCommands(t, name)
			script := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(script, []byte("#!/usr/bin/env bash\n"+strings.Join(commands, "\n")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			readers := [][]string{{"bash", "-n", script}}
			if _, err := exec.LookPath("shellcheck"); err == nil {
				readers = append(readers, []string{"shellcheck", script})
			}
			for _, r := range readers {
				if out, err := exec.Command(r[0], r[1:]...).CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", r[0], err, out)
				}
			}
			for _, command := range commands {
				testClusterCommand(t, command)
			}
		})
	}
}

// clusterPrograms are what a reader has, besides those of the shell.
func clusterPrograms() []string {
	return []string{"kind", "kubectl", "docker", "make", "sudo", "crictl", "nsenter", "netlab"}
}

// testClusterCommand: it begins with a program that the page asks for, its files
// are there, and netlab takes its arguments.
func testClusterCommand(t *testing.T, command string) {
	t.Helper()
	first := regexp.MustCompile(`^(\w+=\$\()?([\w-]+)`).FindStringSubmatch(command)
	assigns := regexp.MustCompile(`^\w+=[\w-]+$`).MatchString(command)
	if !assigns && (first == nil || !slices.Contains(clusterPrograms(), first[2])) {
		t.Errorf("begins with none of %v: %s", clusterPrograms(), command)
	}
	for _, file := range regexp.MustCompile(`\bdocs/[\w./-]+`).FindAllString(command, -1) {
		if _, err := os.Stat(filepath.Join(checkout, file)); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
	_, args, ok := strings.Cut(command, "netlab trace ")
	if !ok {
		return
	}
	args = strings.NewReplacer(`"$pid"`, "4711", `"$to"`, "10.244.1.2", `"$far"`, "10.244.2.2").Replace(args)
	a := pageApp(t, english, &bytes.Buffer{})
	cmd, rest, err := a.root().Find(append([]string{"trace"}, strings.Fields(args)...))
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err != nil || cmd.Flags().NArg() != 2 || strings.Contains(args, "$") {
		t.Errorf("netlab does not take this: %s: %v", command, err)
	}
}

func clusterCommands(t *testing.T, name string) []string {
	t.Helper()
	d, err := readDocument(filepath.Join(checkout, name))
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, b := range d.blocks {
		if _, ok := b.mark(needsCluster); !ok {
			continue
		}
		for _, line := range b.text {
			command, ok := strings.CutPrefix(line, "$ ")
			if !ok {
				t.Fatalf("not a command: %s", line)
			}
			commands = append(commands, command)
		}
	}
	if len(commands) == 0 {
		t.Fatalf("%s has nothing that needs a cluster", name)
	}
	return commands
}

// TestDocsClusterFiles: the cluster and the pods are as the page says. What the
// programs that read the files would refuse, a misspelt field above all, is not
// among the fields that they know.
func TestDocsClusterFiles(t *testing.T) {
	known := strings.Fields(`kind apiVersion name networking disableDefaultCNI podSubnet nodes role image
		metadata labels app spec replicas selector matchLabels template terminationGracePeriodSeconds
		topologySpreadConstraints maxSkew topologyKey whenUnsatisfiable labelSelector containers command`)
	read := func(name string) map[string]string {
		values, err := readYAML(docText(t, "docs/real-clusters/"+name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for path := range values {
			for _, field := range regexp.MustCompile(`[^./\d][^./]*`).FindAllString(path, -1) {
				if !slices.Contains(known, field) {
					t.Errorf("%s: there is no field %q", name, field)
				}
			}
		}
		return values
	}
	is := func(values map[string]string, want map[string]string) {
		t.Helper()
		got := map[string]string{}
		for path := range want {
			got[path] = values[path]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	cluster, pods := read("kind.yaml"), read("pods.yaml")
	is(cluster, map[string]string{
		"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "name": "netlab",
		"networking.disableDefaultCNI": "true",
		"nodes.0.role":                 "control-plane", "nodes.1.role": "worker", "nodes.2.role": "worker", "nodes.3.role": "",
		"nodes.1.image": cluster["nodes.0.image"], "nodes.2.image": cluster["nodes.0.image"],
	})
	is(pods, map[string]string{
		"kind": "Deployment", "apiVersion": "apps/v1", "metadata.name": "pods", "spec.replicas": "4",
		"spec.template.metadata.labels.app":                                            pods["spec.selector.matchLabels.app"],
		"spec.template.spec.topologySpreadConstraints.0.labelSelector.matchLabels.app": pods["spec.selector.matchLabels.app"],
		"spec.template.spec.containers.0.command.0":                                    "sleep",
	})
	if pods["spec.selector.matchLabels.app"] == "" || !strings.Contains(cluster["nodes.0.image"], "@sha256:") {
		t.Errorf("no label, or no digest: %v %v", pods, cluster)
	}
}
