package trace

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket/pcapgo"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func TestTheCaptureFileIsReadByOthers(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, routed)
	r := follow(t, k, Request{From: "pod1", To: addr("10.244.1.2"), Probe: lab.ProbeTCP, Port: 81})
	var b bytes.Buffer
	if err := WritePcapng(&b, r, nil); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "trace.pcapng")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}

	ng, err := pcapgo.NewNgReader(&b, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	unsummed := 0
	for i, f := range r.Frames {
		if f.Unsummed {
			unsummed++
		}
		f = f.filledIn(r.Points[f.Point].Ethernet)
		data, ci, options, err := ng.ReadPacketDataWithOptions()
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if diff := cmp.Diff(f.Data, data); diff != "" {
			t.Errorf("frame %d:\n%s", i, diff)
		}
		if !ci.Timestamp.Equal(f.Time) {
			t.Errorf("frame %d: at %v, want %v", i, ci.Timestamp, f.Time)
		}
		in, err := ng.Interface(ci.InterfaceIndex)
		if err != nil || in.Name != r.Points[f.Point].Name() {
			t.Errorf("frame %d: on %q (%v), want %q", i, in.Name, err, r.Points[f.Point].Name())
		}
		if len(options.Comments) == 0 || options.Comments[0] != f.Says() {
			t.Errorf("frame %d: comments %q", i, options.Comments)
		}
		want := pcapgo.NgEpbFlagDirectionInbound
		if f.Dir == lab.DirOut {
			want = pcapgo.NgEpbFlagDirectionOutbound
		}
		if options.Flags == nil || options.Flags.Direction != want {
			t.Errorf("frame %d: flags %+v", i, options.Flags)
		}
	}
	if _, _, err := ng.ReadPacketData(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last frame: %v", err)
	}

	if unsummed == 0 {
		t.Error("no checksum was left to a device: nothing is shown of filling it in")
	}

	for program, argv := range map[string][]string{
		"tcpdump":  {"-Z", "root", "-nn", "-r", file},
		"tshark":   {"-n", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-r", file},
		"capinfos": {file},
	} {
		if program == "tcpdump" && !dropsRights() {
			continue
		}
		if _, err := exec.LookPath(program); err != nil {
			t.Logf("%s is not installed", program)
			continue
		}
		cmd := exec.Command(program, argv...)
		var out, said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &said
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v\n%s", program, err, said.String())
		}
		if strings.Contains(out.String(), "CHECKSUM INCORRECT") { // tshark's word for it
			t.Errorf("%s: a checksum is wrong:\n%s", program, out.String())
		}
		if lines := strings.Count(out.String(), "\n"); program != "capinfos" && lines != len(r.Frames) {
			t.Errorf("%s shows %d lines of %d frames:\n%s", program, lines, len(r.Frames), out.String())
		}
	}
}

func TestACaptureFileOfNothingIsOneStill(t *testing.T) {
	var b bytes.Buffer
	if err := WritePcapng(&b, Result{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := pcapgo.NewNgReader(&b, pcapgo.DefaultNgReaderOptions); err != nil {
		t.Error(err)
	}
}
