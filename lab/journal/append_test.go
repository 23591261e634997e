package journal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
)

// A kill can tear a record only where it goes from one page to the next.
func TestNoRecordThatFitsAPageStraddlesOne(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 2))
		d, j := create(t)
		for range 80 {
			size := 1 + rng.IntN(400)
			switch rng.IntN(6) {
			case 0:
				size = 3900 + rng.IntN(200) // about as long as a page, with what is around it
			case 1:
				size = rng.IntN(3 * pageSize)
			}
			if _, err := j.Intend(Place{Step: "one"}, sized("do", size), nil); err != nil {
				t.Fatal(err)
			}
		}
		sameOnDisk(t, d, j)
		start, longer, exact := 0, 0, 0
		for line := range bytes.SplitAfterSeq(contents(t, j.Path()), []byte("\n")) {
			end := start + len(line)
			switch {
			case len(line) > pageSize:
				longer++
			case len(line) > 0 && start/pageSize != (end-1)/pageSize:
				t.Errorf("a line of %d bytes at %d straddles a page", len(line), start)
			case end%pageSize == 0:
				exact++
			}
			start = end
		}
		if longer == 0 || exact == 0 {
			t.Errorf("seed %d: %d longer than a page, %d end with one", seed, longer, exact)
		}
	}
}

func TestARecordOfJustAPageIsWhole(t *testing.T) {
	t.Parallel()
	d, j := create(t)
	around := len(`{"intent":{"seq":1,"step":"one","op":{"kind":"do","op":}}}` + "\n")
	for seq := 1; seq <= 3; seq++ {
		if _, err := j.Intend(Place{Step: "one"}, sized("do", pageSize-around), nil); err != nil {
			t.Fatal(err)
		}
		if size := len(contents(t, j.Path())); size != (seq+1)*pageSize {
			t.Errorf("after %d records the file has %d bytes", seq, size)
		}
		sameOnDisk(t, d, j)
	}
}

// Several processes may write to one file: its lab's, and others by Take. Who
// reads meanwhile sees whole records only, long ones too.
func TestWritersDoNotMixTheirRecords(t *testing.T) {
	t.Parallel()
	d, j := create(t)
	if _, err := j.Intend(Place{Step: "one"}, sized("do", 3), nil); err != nil {
		t.Fatal(err)
	}
	const writers, records = 4, 40
	var writing, reading sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			other, err := d.Open("lab")
			if err != nil {
				t.Error(err)
				return
			}
			defer other.Close()
			rng := rand.New(rand.NewPCG(uint64(w), 3))
			for range records {
				if err := other.Take(1, "other", []Op{sized("undo", rng.IntN(3*pageSize))}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	reading.Go(func() {
		for {
			if _, err := d.Read("lab"); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	writing.Wait()
	close(done)
	reading.Wait()
	if err := j.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := len(j.Entries[0].Taken); got != writers*records {
		t.Errorf("%d records, want %d", got, writers*records)
	}
}

func TestAShortWriteOnAFullDiskIsTakenBack(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	const disk = "/run/full"
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64k,mode=700"); err != nil {
		t.Fatal(err)
	}
	d := At(filepath.Join(disk, "labs"))
	j, err := d.Create(Header{Lab: "lab", Scenario: "scenario"})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 2*pageSize), 0o600); err != nil {
		t.Fatal(err)
	}
	for err == nil { // longer than a page, so the last write falls short in the middle
		before := len(contents(t, j.Path()))
		if _, err = j.Intend(Place{Step: "one"}, sized("do", 3*pageSize), nil); err != nil {
			after := contents(t, j.Path())
			if len(after) < before || len(bytes.TrimSpace(after[before:])) > 0 {
				t.Errorf("%d bytes before, %d after", before, len(after))
			}
		}
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("got %v", err)
	}
	sameOnDisk(t, d, j)
	whole := len(j.Entries)
	if _, err := d.Create(Header{Lab: "two", Scenario: "scenario", Params: map[string]string{"long": string(make([]byte, 4*pageSize))}}); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("create on the full disk: %v", err)
	}
	onlyFiles(t, filepath.Dir(j.Path()), "lab.jsonl")

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if seq, err := j.Intend(Place{Step: "one"}, sized("do", pageSize), nil); err != nil || seq != whole+1 {
		t.Errorf("with room again: op %d, %v", seq, err)
	}
	sameOnDisk(t, d, j)
}

// What can't be taken back would make one line with whatever follows.
func TestAfterATornRecordNothingIsWritten(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe() // a write to it fails, and it can't be truncated
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	_, j := create(t)
	whole := j.file
	j.file = w
	err = j.write(0, []byte("torn"))
	if !errors.Is(err, unix.EPIPE) || !errors.Is(err, unix.EINVAL) {
		t.Errorf("a write that can't be taken back: %v", err)
	}
	j.file = whole
	if _, again := j.Intend(Place{Step: "one"}, sized("do", 3), nil); !errors.Is(again, unix.EPIPE) {
		t.Errorf("the next record: %v", again)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
