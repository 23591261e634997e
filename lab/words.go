package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"netlab/lab/journal"
)

// kernelWords is what the kernel itself said with an errno: the text after it
// in the error, or the errno's own when it said nothing.
func kernelWords(err error, errno syscall.Errno) string {
	text := err.Error()
	if _, words, ok := strings.Cut(text, errno.Error()+": "); ok {
		return words
	}
	return errno.Error()
}

// encode makes ops into what a journal keeps.
func encode(ops []Op) ([]journal.Op, error) {
	encoded := make([]journal.Op, len(ops))
	for i, o := range ops {
		data, err := json.Marshal(o)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", o.Kind(), err)
		}
		encoded[i] = journal.Op{Kind: o.Kind(), Op: data}
	}
	return encoded, nil
}

// decode makes ops of what a journal keeps.
func decode(codec Codec, encoded []journal.Op) ([]Op, error) {
	var errs []error
	ops := make([]Op, 0, len(encoded))
	for _, e := range encoded {
		o, err := codec.Decode(e.Kind, e.Op)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ops = append(ops, o)
	}
	return ops, errors.Join(errs...)
}
