package show

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/cmd/netlab-bench/internal/result"
)

const docs = "../../../../docs"

// What the document and the plot show is what was measured: both are made of the
// results that are kept beside them.
func TestDocumentShowsTheKeptResults(t *testing.T) {
	r, err := result.Read(filepath.Join(docs, ResultsFile))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(docs, documentFile))
	if err != nil {
		t.Fatal(err)
	}
	want, err := Fill(string(text), r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("docs/%s is not of the results; go run ./cmd/netlab-bench -from docs/%s -docs docs\n%s", documentFile, ResultsFile, diff)
	}
	plot, err := os.ReadFile(filepath.Join(docs, plotFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Plot(r), string(plot)); diff != "" {
		t.Errorf("docs/%s is not of the results:\n%s", plotFile, diff)
	}
}

func TestFillWantsEachTableOnceAndClosed(t *testing.T) {
	r := &result.Results{}
	for _, text := range []string{
		"no tables at all",
		"<!-- bench: goals -->\nnot closed",
		"<!-- bench: gaols -->\n<!-- bench end -->",
	} {
		if filled, err := Fill(text, r); err == nil {
			t.Errorf("%q became %q", text, filled)
		}
	}
}

func TestPlotIsWellFormedWhateverThereIs(t *testing.T) {
	round := func(contestant, lab string, pods int, ms float64) result.Round {
		return result.Round{Contestant: contestant, Lab: lab, Pods: pods, Build: ms}
	}
	for name, rounds := range map[string][]result.Round{
		"nothing":  nil,
		"one size": {round(result.Netlab, result.Calico, 3, 12)},
		"two": {
			round(result.Netlab, result.Calico, 10, 12), round(result.Netlab, result.Calico, 4000, 4000),
			round(result.Mininet, result.Switch, 10, 350),
		},
	} {
		plot := Plot(&result.Results{Rounds: rounds})
		if strings.Contains(plot, "NaN") || strings.Contains(plot, "Inf") {
			t.Errorf("%s: a point that is nowhere:\n%s", name, plot)
		}
		for d := xml.NewDecoder(strings.NewReader(plot)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
	}
}
