#!/bin/sh
# Makes src/bertopic_sdk/_proto/embedder_pb2.py and .pyi from
# sdk/proto/embedder.proto, with the protoc of the wheel grpcio-tools, pinned, in
# the user's cache. The same input gives the same bytes.
set -eu

GRPCIO_TOOLS=1.85.1

cd "$(dirname "$0")/../.."
tools="${BERTOPIC_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bertopic/tools}/proto-python-$GRPCIO_TOOLS"
if [ ! -e "$tools/done" ]; then
	rm -rf "$tools"
	mkdir -p "$(dirname "$tools")"
	python3 -m venv "$tools"
	"$tools/bin/python" -m pip install --quiet --disable-pip-version-check "grpcio-tools==$GRPCIO_TOOLS"
	touch "$tools/done"
fi
"$tools/bin/python" -m grpc_tools.protoc --proto_path=bertopic_sdk/_proto=sdk/proto \
	--python_out=sdk/python/src --pyi_out=sdk/python/src bertopic_sdk/_proto/embedder.proto
