package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/term"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/owned"
	"netlab/lab/trace"
)

// pcapFile is where a trace keeps its frames. A nil one keeps nothing.
type pcapFile struct {
	*owned.File // nil: standard output
	app         *app
}

// toStdout is the name of standard output where a file is named.
const toStdout = "-"

// sectionHeader is what a pcapng file begins with (draft-ietf-opsawg-pcapng, 4.1).
func sectionHeader() []byte { return []byte{0x0a, 0x0d, 0x0d, 0x0a} }

// openPcap makes the file, before anything is sent. What an earlier trace has kept
// in it stays, and this one's comes after it, as a section of its own; a file of
// any other kind is left alone.
func (a *app) openPcap(path string) (*pcapFile, error) {
	if path == "" {
		return nil, nil
	}
	if path == toStdout {
		return &pcapFile{nil, a}, nil
	}
	f, err := owned.Append(path, 0o644)
	if err != nil {
		return nil, &usageError{Text: fmt.Sprintf("--pcap: %v", err)}
	}
	begins := make([]byte, len(sectionHeader()))
	n, err := f.ReadAt(begins, 0)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return &pcapFile{f, a}, nil
	case !bytes.Equal(begins, sectionHeader()):
		return nil, errors.Join(&usageError{Text: a.fill("trace.pcap-other", "file", path)}, f.Close())
	}
	return &pcapFile{f, a}, nil
}

// pcapOnStdout tells whether standard output can take the frames: not a terminal,
// and not where something else is written.
func (a *app) pcapOnStdout(path, next string) error {
	if path != toStdout {
		return nil
	}
	if a.output == "json" {
		return &usageError{Text: a.say("trace.pcap-stdout-json"), Next: next}
	}
	if f, ok := a.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &usageError{Text: a.say("trace.pcap-terminal"), Next: next}
	}
	return nil
}

// keep writes what came of a trace and closes the file, which goes again where
// nothing came of it: err is why, and is handed on.
func (f *pcapFile) keep(r trace.Result, err error) error {
	if f == nil {
		return err
	}
	if f.File == nil {
		if err == nil {
			err = trace.WritePcapng(f.app.stdout, r, f.app.frameComment)
		}
		return err
	}
	if err == nil {
		err = trace.WritePcapng(f, r, f.app.frameComment)
	} else if f.New {
		return errors.Join(err, f.Remove())
	}
	return errors.Join(err, f.Close())
}

// frameComment says in our language what a frame is.
func (a *app) frameComment(f trace.Frame) string {
	h := f.Hop
	in := h.NS
	if in == kernel.Host {
		in = a.say("the-host")
	}
	where := "pcap.out"
	if f.Dir == lab.DirIn {
		where = "pcap.in"
	}
	said := []string{
		a.fill("pcap."+f.Kind, "src", h.Src.String(), "dst", h.Dst.String(), "mac", h.SrcMAC),
		a.fill(where, "dev", h.Dev, "in", in),
	}
	switch {
	case f.Kind == trace.KindError:
		said = append(said, a.icmpError(strconv.Itoa(f.Type), strconv.Itoa(f.Code)))
	case f.Flags != "":
		said = append(said, f.Flags)
	}
	if len(h.Changed) > 0 {
		said = append(said, a.fill("pcap.changed", "names", a.list(changedColumns(h.Changed))))
	}
	switch {
	case f.Summed:
		said = append(said, a.say("pcap.summed"))
	case f.Unsummed:
		said = append(said, a.say("pcap.unsummed"))
	}
	return strings.Join(said, a.say("list.and"))
}

// reachedInside tells whether a file can be reached by its name from inside a
// sandbox, whose /run is its own.
func (a *app) reachedInside(file string) error {
	if file == "" || file == toStdout {
		return nil
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(dir, filepath.Base(path))
	}
	if strings.HasPrefix(path, "/run/") {
		return &usageError{Text: a.fill("trace.pcap-run", "file", file)}
	}
	return nil
}
