BIN := bin/netlab
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: run build test soak tools docs vet gosec fuzz bench dist dist-check vm clean

# Build netlab and run its main lab in a sandbox: no root, nothing is touched.
run: build
	$(BIN) run proxyarp --sandbox --teardown

build:
	CGO_ENABLED=0 go build -trimpath -o $(BIN) ./cmd/netlab

# All tests. The programs that they compare netlab with come from the
# distribution's packages when root may install them; without them, and without
# namespaces, tests are skipped, unless NETLAB_REQUIRE_NETNS is 1. They wait for
# the kernel more than they work, so more run at once than there are cores.
test: tools
	go test -timeout 20m -parallel 6 ./...

# What `make test` tries a few of: a fault at every third kernel call of each run
# and at every one of a teardown (NETLAB_SOAK=all: of a run, too), all that others may do
# meanwhile, and 2,000 random sequences. Takes five to eight minutes on two cores. A seed that was
# printed does the same again in NETLAB_TEST_SEED.
soak: tools
	NETLAB_SOAK=$${NETLAB_SOAK:-1} go test ./cmd/netlab -count=1 -v -parallel 8 -timeout 60m -run '$(SOAK)'

SOAK := WhateverFails|WhatOthersDo|AnyOrder|StateDirectory|HeldIptables

tools:
	.ci/tools

# Write anew what runs have printed: the pages in docs/scenarios, and the outputs
# in all other documents. `make test` says when they are stale.
docs: tools
	go test ./cmd/netlab -count=1 -run Docs -update

# Formatting, vet and staticcheck.
vet:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt'ed: $$unformatted"; exit 1; fi
	go vet ./...
	go vet -tags manual ./cmd/netlab
	GOARCH=arm64 go vet ./...
	go run $(STATICCHECK) ./...
	go run $(STATICCHECK) -tags manual ./cmd/netlab

# What gosec finds, against the answers to it; see docs/security.md.
gosec:
	.ci/gosec

# Each fuzz test for 20 s, two at once: some four minutes. FUZZTIME=5m for longer.
fuzz:
	.ci/fuzz

# Speed next to a minimal program and to all who do the same, as ratios: some six
# minutes on a quiet machine. The results, and the tables and the plot that are made of
# them, are kept in docs/. BENCH='-rounds 2 -sizes 10,100' measures less.
bench: build
	.ci/tools bench
	CGO_ENABLED=0 go build -trimpath -o $(BIN)-minimal ./cmd/netlab-bench/minimal
	go run ./cmd/netlab-bench -results docs/performance/results.json -docs docs $(BENCH)

# What is released, in dist/: static binaries, tarballs and Debian packages for
# amd64 and arm64, with man pages and completions, and their SHA256SUMS.
dist:
	.ci/dist dist

# Build all that twice and compare; install, run and read it.
dist-check:
	.ci/dist-check

# Every scenario on the real root namespace of a stock kernel: Debian's own, in a
# virtual machine emulated in software.
vm: build
	.ci/tools vm
	.ci/vm/run

clean:
	rm -rf bin dist
