package machine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestMain makes the test binary answer as netlab does: as a sandbox's holder,
// and as the program that Netlab runs inside.
func TestMain(m *testing.M) {
	if err := Arrive(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if len(os.Args) > 2 && os.Args[1] == HoldVerb {
		if err := Hold(context.Background(), os.Args[2], Parent()); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == TryVerb {
		if err := RunTrial(os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 2 && os.Args[1] == "start-and-wait" {
		if err := startAndWait(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == "wait-inside" {
		fmt.Print("!")
		time.Sleep(time.Minute) // until it is killed
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == "look-around" {
		if err := lookAround(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv("GORACE") == "" { // else each child process ends with a second of sleep
		os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	os.Exit(m.Run())
}

// around is what lookAround prints.
type around struct {
	Sandbox  string
	Dir      string
	Children string // which of the files 3 to 6 a child of ours sees
	Env      bool   // the arrival is still marked
}

func lookAround() error {
	m, _, err := Here()
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	out, err := exec.Command("/bin/sh", "-c", "for n in 3 4 5 6; do test -e /proc/$$/fd/$n && echo $n; done; true").Output()
	if err != nil {
		return err
	}
	_, env := os.LookupEnv(arrivalEnv)
	return json.NewEncoder(os.Stdout).Encode(around{m.Name, dir, string(out), env})
}
