#!/bin/sh
# Prints the path of uv, pinned, which it installs once into the user's cache.
set -eu

UV=0.13.9

tools="${BERTOPIC_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bertopic/tools}/uv-$UV"
if [ ! -e "$tools/done" ]; then
	rm -rf "$tools"
	mkdir -p "$(dirname "$tools")"
	"${PYTHON:-python3}" -m venv "$tools"
	"$tools/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "uv==$UV" >&2
	touch "$tools/done"
fi
echo "$tools/bin/uv"
