BIN := bin/netlab

.PHONY: build
build:
	CGO_ENABLED=0 go build -trimpath -o $(BIN) ./cmd/netlab

