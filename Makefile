# make demo     set up, build, find the topics of 2,225 news articles
# make test     set up, build, run every test
# make help     the rest

SHELL := /bin/bash
BIN   := bin
PLUGINS := $(notdir $(patsubst %/main.go,%,$(wildcard plugins/*/main.go)))
export CGO_ENABLED ?= 1

.PHONY: help need setup build demo example-mixed test test-arm64 race lint fuzz bench bench-scale bench-sbert bench-clip bench-pictures bench-words bench-static bench-wire conformance test-python-sdk test-python proto check clean fmt

help:
	@echo "make setup   fetch corpus, model and ONNX Runtime (once, into the user's cache)"
	@echo "make build   bertopic and every embedder program into $(BIN)/"
	@echo "make demo    topics of 2,225 news articles, and a report"
	@echo "make example-mixed  topics of emoji: names, pictures and both (npm; 74 MB once)"
	@echo "make test    every test"
	@echo "make race    every test under the race detector"
	@echo "make lint    gofmt, go vet, staticcheck"
	@echo "make test-arm64  the kernels for ARM, under emulation (qemu-aarch64-static)"
	@echo "make fuzz    each fuzz target for 10 s"
	@echo "make bench   ours against BERTopic, umap-learn and hdbscan, in one run"
	@echo "make bench-sbert  our transformer embedder against sentence-transformers (6 GB of peers)"
	@echo "make bench-scale  every step alone, 10,000 to 1,000,000 rows, against its peer"
	@echo "make bench-pictures  pictures made ready, against Pillow and transformers"
	@echo "make bench-clip  the two towers of CLIP, against transformers"
	@echo "make bench-words  word vectors, against BERTopic's gensim backend"
	@echo "make bench-static  token tables, against model2vec"
	@echo "make bench-wire  the way from the host to an embedder program and back"
	@echo "make conformance  our programs and the broken specimens against the rules"
	@echo "make test-python-sdk  the Python SDK, its types too, in an environment of its own (Python 3.11)"
	@echo "make test-python  every Python library as a plugin, with conformance (9 GB, about an hour; NAMES=\"spacy use\")"
	@echo "make proto   generate the protocol's code anew"
	@echo "make check   lint, test, race"
	@echo "make clean   remove what was built and what runs left"

need:
	@command -v go >/dev/null || { echo "Go is missing: install Go 1.26 or newer"; exit 1; }
	@command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1 || { echo "Python 3 with pip is missing: it fetches the corpora and the benchmark's peers"; exit 1; }
	@command -v "$$(go env CC)" >/dev/null || { echo "a C compiler is missing ($$(go env CC)): install gcc or clang, which the binding to ONNX Runtime is built with"; exit 1; }

setup: need
	@go run ./setup

build: need
	@mkdir -p $(BIN)
	@go build -o $(BIN)/bertopic ./cmd/bertopic
	@for p in $(PLUGINS); do go build -o $(BIN)/bertopic-embedder-$$p ./plugins/$$p || exit 1; done

demo: setup build
	@$(BIN)/bertopic run bertopic.toml

example-mixed: need build
	@go run ./setup onnxruntime mixed
	@$(BIN)/bertopic run examples/mixed/mixed.toml
	@$(BIN)/bertopic transform out/mixed data/emoji/new --class folder --out out/mixed-new
	@$(BIN)/bertopic search out/mixed "a clock at night" -n 5
	@$(BIN)/bertopic search out/mixed --image data/emoji/new/flags/flag-br.png -n 5

test: setup build
	@go run ./setup glove
	@go vet ./...
	@sdk/python/test.sh
	go test ./...

# The vector code for ARM against its Go twins, where there is no such machine.
# QEMU names an emulator of programs; on ARM itself: make test-arm64 QEMU=
QEMU ?= qemu-aarch64-static
test-arm64:
	@[ -z "$(QEMU)" ] || command -v $(QEMU) >/dev/null || { echo "$(QEMU) is missing: install qemu-user-static, or name an emulator as QEMU"; exit 1; }
	CGO_ENABLED=0 GOARCH=arm64 go test $(if $(QEMU),-exec $(QEMU)) -run 'Twin|Three|Exact|Nothing|Golden' $(sort $(dir $(wildcard ./pipeline/*/*_arm64.s)))

race:
	go test -race ./...

fmt:
	gofmt -w $$(git ls-files '*.go')

lint: need
	@test -z "$$(gofmt -l $$(git ls-files '*.go') | tee /dev/stderr)" || { echo "gofmt would change the files above: make fmt"; exit 1; }
	go vet ./...
	GOOS=windows go vet ./sdk/... ./examples/embedder-go/...
	go run honnef.co/go/tools/cmd/staticcheck@v0.7.0 ./...

fuzz:
	@grep -rlE --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read pkg; do \
	  grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$pkg/*_test.go | sed 's/func //' | while read name; do \
	    echo "== $$pkg $$name"; go test $$pkg -run '^$$' -fuzz "^$$name\$$" -fuzztime 10s </dev/null || exit 1; \
	  done || exit 1; \
	done

bench: setup build
	@python3 bench/bench.py $(BENCH)

bench-sbert: setup build
	@python3 bench/sbert.py $(BENCH)

bench-scale: setup build
	@python3 bench/scale.py $(BENCH)

bench-pictures: need
	@python3 bench/pictures.py $(BENCH)

bench-clip: setup
	@python3 bench/clip_towers.py $(BENCH)

bench-words: setup build
	@go run ./setup glove
	@go run ./bench/wordvectors
	@python3 bench/words.py $(BENCH)

bench-static: setup build
	@go run ./setup wordllama
	@python3 bench/static.py $(BENCH)

bench-wire: setup build
	@python3 bench/wire.py $(BENCH)

conformance: build
	@go run ./conformance/matrix -bin $(BIN)

test-python-sdk: build
	@sdk/python/test.sh --all

test-python: build
	@plugins/python/test-all.sh $(NAMES)

proto:
	@sdk/proto/generate.sh

check: lint test race

clean:
	rm -rf $(BIN) out
