package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

// soaking: tests that otherwise try a sample of many cases try them all.
func soaking() bool { return os.Getenv("NETLAB_SOAK") != "" }

// soakingAll: not even of the calls to the kernel is one left out.
func soakingAll() bool { return os.Getenv("NETLAB_SOAK") == "all" }

// seed is the one of the environment, or a new one; a test prints it.
func seed(t *testing.T) uint64 {
	t.Helper()
	const name = "NETLAB_TEST_SEED"
	if os.Getenv(name) == "" {
		t.Setenv(name, fmt.Sprint(rand.Uint32())) // for the test in its own namespaces
	}
	var s uint64
	if _, err := fmt.Sscan(os.Getenv(name), &s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}
