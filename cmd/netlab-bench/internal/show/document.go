package show

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netlab/cmd/netlab-bench/internal/result"
)

// The files in the directory of the documents.
const (
	documentFile = "performance.md"
	plotFile     = "performance/pods.svg"
	// ResultsFile is where the results are that both are made from.
	ResultsFile = "performance/results.json"
)

// Document writes the tables and the plot in a directory of documents anew. What
// stands around the tables stays.
func Document(dir string, r *result.Results) error {
	path := filepath.Join(dir, documentFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	filled, err := Fill(string(text), r)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(filled), 0o644); err != nil {
		return err
	}
	plot := filepath.Join(dir, plotFile)
	if err := os.MkdirAll(filepath.Dir(plot), 0o755); err != nil {
		return err
	}
	return os.WriteFile(plot, []byte(Plot(r)), 0o644)
}

// Fill puts the tables between a document's marks: `<!-- bench: goals -->` and
// `<!-- bench end -->`.
func Fill(text string, r *result.Results) (string, error) {
	const end = "<!-- bench end -->"
	tables := map[string]func(*result.Results) string{
		"goals":      func(r *result.Results) string { return goals(r).markdown() },
		"per-pod":    func(r *result.Results) string { return perPod(r).markdown() },
		"cpu":        func(r *result.Results) string { return perPodCPU(r).markdown() },
		"against":    func(r *result.Results) string { return against(r).markdown() },
		"afterwards": func(r *result.Results) string { return afterwards(r).markdown() },
		"calls":      func(r *result.Results) string { return calls(r).markdown() },
		"counts":     func(r *result.Results) string { return counts(r).markdown() },
		"proxyarp":   func(r *result.Results) string { return proxyARP(r).markdown() },
		"machine":    machine,
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "<!-- bench: ")
		out.WriteString(before)
		if !found {
			break
		}
		name, rest, found := strings.Cut(rest, " -->\n")
		table := tables[name]
		if !found || table == nil {
			return "", fmt.Errorf("no table %q", name)
		}
		_, rest, found = strings.Cut(rest, end)
		if !found {
			return "", fmt.Errorf("table %q has no end", name)
		}
		fmt.Fprintf(&out, "<!-- bench: %s -->\n%s%s", name, table(r), end)
		text = rest
		delete(tables, name)
	}
	for name := range tables {
		return "", fmt.Errorf("table %q is not shown", name)
	}
	return out.String(), nil
}

// machine is a sentence about where it was measured.
func machine(r *result.Results) string {
	m := r.Machine
	var versions []string
	for name, version := range m.Versions {
		versions = append(versions, name+" "+version)
	}
	slices.Sort(versions)
	return fmt.Sprintf("Measured on %s: %d CPUs (%s), Linux %s, %s; %s.\n",
		m.Date, m.CPUs, m.CPU, m.Kernel, m.OS, strings.Join(versions, ", "))
}
