package journal

import (
	"bytes"
	"iter"

	"netlab/lab/abreast"
)

// batch is how many lines are decoded before they are taken in: the journal of a lab
// of thousands of pods has a hundred thousand, which would not all have room in memory
// twice.
const batch = 2048

// batches are the lines of a journal, so many at a time, a header by itself.
func batches(data []byte, header bool) iter.Seq[[][]byte] {
	return func(yield func([][]byte) bool) {
		var texts [][]byte
		for text := range bytes.SplitAfterSeq(data, []byte("\n")) {
			texts = append(texts, text)
			if len(texts) < batch && !header {
				continue
			}
			if !yield(texts) {
				return
			}
			texts, header = texts[:0], false
		}
		if len(texts) > 0 {
			yield(texts)
		}
	}
}

// decoded is what a line says, or why it says nothing.
type decoded struct {
	line line
	err  error
}

// decodeAll decodes lines, many of them side by side.
func decodeAll(texts [][]byte) []decoded {
	all := make([]decoded, len(texts))
	_, _ = abreast.Two(len(texts), func(i int) error { // each error is kept with its line
		all[i].err = decode(texts[i], &all[i].line)
		return nil
	})
	return all
}
