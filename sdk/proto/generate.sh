#!/bin/sh
# Makes embedder.pb.go and embedder_grpc.pb.go from embedder.proto, with tools
# of pinned versions that live in the user's cache folder:
#
#   protoc               from the Python wheel grpcio-tools
#   protoc-gen-go        the version of google.golang.org/protobuf in go.mod
#   protoc-gen-go-grpc   pinned below
#
# Needs go and python3 with venv. The same input gives the same bytes.
set -eu

GRPCIO_TOOLS=1.85.1
PROTOC_GEN_GO_GRPC=v1.6.2

cd "$(dirname "$0")/../.."
protobuf=$(go list -m -f '{{.Version}}' google.golang.org/protobuf)
tools="${BERTOPIC_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bertopic/tools}/proto-$GRPCIO_TOOLS-$protobuf-$PROTOC_GEN_GO_GRPC"

if [ ! -e "$tools/done" ]; then
	rm -rf "$tools"
	mkdir -p "$tools"
	python3 -m venv "$tools/venv"
	"$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check "grpcio-tools==$GRPCIO_TOOLS"
	# Outside the module, so that neither tool enters go.mod.
	(cd "$tools" &&
		GOFLAGS= GOBIN="$tools" go install "google.golang.org/protobuf/cmd/protoc-gen-go@$protobuf" &&
		GOFLAGS= GOBIN="$tools" go install "google.golang.org/grpc/cmd/protoc-gen-go-grpc@$PROTOC_GEN_GO_GRPC")
	touch "$tools/done"
fi

"$tools/venv/bin/python" -m grpc_tools.protoc --proto_path=. \
	--plugin=protoc-gen-go="$tools/protoc-gen-go" --go_out=. --go_opt=paths=source_relative \
	--plugin=protoc-gen-go-grpc="$tools/protoc-gen-go-grpc" --go-grpc_out=. --go-grpc_opt=paths=source_relative \
	sdk/proto/embedder.proto
