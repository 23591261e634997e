package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"netlab/cmd/netlab-bench/internal/result"
)

// Terminal prints all tables.
func Terminal(w io.Writer, r *result.Results) error {
	for _, t := range []table{perPod(r), perPodCPU(r), against(r), afterwards(r), calls(r), counts(r), proxyARP(r), goals(r)} {
		if _, err := fmt.Fprintf(w, "\n%s", t.text()); err != nil {
			return err
		}
	}
	return nil
}

// text is the table in columns.
func (t table) text() string {
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			widths[i] = max(widths[i], displaywidth.String(cell))
		}
	}
	var b strings.Builder
	for _, row := range t {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-displaywidth.String(cell))
			if i == 0 {
				line.WriteString(cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
