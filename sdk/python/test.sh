#!/bin/sh
# Tests sdk/python, examples/embedder-python and plugins/python, the latter two
# also through bin/bertopic where `make build` has made it. Arguments go to
# pytest. The environment lives in the user's cache and is made once for each
# requirements-test.txt and version of python3.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
sum=$(cksum < "$here/requirements-test.txt" | tr -d ' ')
venv="${BERTOPIC_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bertopic/tools}/python-sdk-$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')-$sum"
if [ ! -e "$venv/done" ]; then
	rm -rf "$venv"
	mkdir -p "$(dirname "$venv")"
	python3 -m venv "$venv"
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$here/requirements-test.txt"
	touch "$venv/done"
fi
# Not an editable install: the tests are of what a user installs.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --force-reinstall "$here"
if [ "${BERTOPIC_MYPY:-1}" = 1 ]; then
	(cd "$here" && "$venv/bin/python" -m mypy --cache-dir "$venv/mypy" src/bertopic_sdk)
fi
cd "$root"
[ $# -gt 0 ] || set -- sdk/python/tests examples/embedder-python plugins/python
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" -m pytest -c "$here/pyproject.toml" --rootdir "$root" "$@"
