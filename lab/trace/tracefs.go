package trace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// tracepoint is one of the kernel's, as tracefs describes it.
type tracepoint struct {
	id      uint64
	fields  map[string]field
	reasons map[uint64]string // of skb:kfree_skb
}

// field is where a value stands in an event, in bytes.
type field struct{ offset, size int }

// tracepoints reads the descriptions of the named ones, such as "skb/kfree_skb".
// Where tracefs is not mounted, it is, for the reading thread alone. Nothing is
// switched on in it, so nobody else's tracing is disturbed.
func tracepoints(names ...string) ([]tracepoint, error) {
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		points, err := readTracepoints(dir, names)
		if !errors.Is(err, fs.ErrNotExist) {
			return points, err
		}
	}
	var points []tracepoint
	err := kernel.OwnMounts(func() (err error) {
		const dir = "/sys/kernel/tracing"
		if err := unix.Mount("tracefs", dir, "tracefs", 0, ""); err != nil {
			return fmt.Errorf("mount tracefs: %w", err)
		}
		points, err = readTracepoints(dir, names)
		return err
	})
	return points, err
}

func readTracepoints(dir string, names []string) ([]tracepoint, error) {
	var points []tracepoint
	for _, name := range names {
		format, err := os.ReadFile(dir + "/events/" + name + "/format")
		if err != nil {
			return nil, fmt.Errorf("read the format of a tracepoint: %w", err)
		}
		p, err := parseFormat(string(format))
		if err != nil {
			return nil, fmt.Errorf("read the format of %s: %w", name, err)
		}
		points = append(points, p)
	}
	return points, nil
}

// parseFormat reads a tracepoint's format file (Documentation/trace/events.rst).
func parseFormat(text string) (tracepoint, error) {
	p := tracepoint{fields: map[string]field{}, reasons: map[uint64]string{}}
	id := regexp.MustCompile(`(?m)^ID: (\d+)$`).FindStringSubmatch(text)
	if id == nil {
		return p, errors.New("it has no ID")
	}
	var err error
	if p.id, err = strconv.ParseUint(id[1], 10, 16); err != nil { // common_type is 16 bits wide
		return p, err
	}
	fields := regexp.MustCompile(`(?m)^\s*field:.*?(\w+)(?:\[\w*\])?;\s*offset:(\d+);\s*size:(\d+);`)
	for _, f := range fields.FindAllStringSubmatch(text, -1) {
		offset, err := strconv.ParseUint(f[2], 10, 16)
		size, sizeErr := strconv.ParseUint(f[3], 10, 16)
		if err = errors.Join(err, sizeErr); err != nil {
			return p, err
		}
		p.fields[f[1]] = field{int(offset), int(size)}
	}
	symbols := regexp.MustCompile(`\{ (\d+|0x[0-9a-f]+), "(\w+)" \}`)
	for _, s := range symbols.FindAllStringSubmatch(text, -1) {
		number, err := strconv.ParseUint(s[1], 0, 32)
		if err != nil {
			return p, err
		}
		p.reasons[number] = s[2]
	}
	return p, nil
}

// number is a field's value in an event; !ok: the event has no such field.
func (p tracepoint) number(event []byte, name string) (value uint64, ok bool) {
	f, ok := p.fields[name]
	if !ok || f.offset+f.size > len(event) {
		return 0, false
	}
	return nativeNumber(event[f.offset : f.offset+f.size])
}

// words is the text of a field of type __data_loc: its place and length stand in
// the field, the text after the fields.
func (p tracepoint) words(event []byte, name string) (string, bool) {
	at, ok := p.number(event, name)
	offset, size := int(at&0xffff), int(at>>16&0xffff)
	if !ok || size == 0 || offset+size > len(event) {
		return "", false
	}
	return unix.ByteSliceToString(event[offset : offset+size]), true
}
