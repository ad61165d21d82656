#!/bin/sh
# Tests sdk/python, examples/embedder-python and the plugins with small wheels:
# scikit-learn, gensim and spaCy; also through bin/bertopic, where `make build` has
# made it. With --all it also checks types and runs the slow tests: `bertopic
# conformance` on each. Further arguments go to pytest.
#
# The environment lives in the user's cache and is made once for each
# requirements-test.txt and version of Python, which is the first on the PATH that
# suits, or $PYTHON. Where there is none, or no package can be fetched, one
# sentence says so and nothing is tested; with BERTOPIC_PYTHON_TESTS=must, or CI,
# that is a failure.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
all=
if [ "${1:-}" = --all ]; then
	all=1
	shift
fi

skip() {
	echo "The Python SDK and its plugins are not tested: $1" >&2
	[ "${BERTOPIC_PYTHON_TESTS:-}" != must ] && [ "${CI:-}" != true ] || exit 1
	exit 0
}

# The line "# requires-python: >=3.11,<3.14" of requirements-test.txt.
suits='import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'
python=
for p in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
	if "$p" -c "$suits" >/dev/null 2>&1; then
		python=$p
		break
	fi
done
[ -n "$python" ] || skip "they need Python 3.11 to 3.13 with the module venv, and there is none on the PATH (python3 is $(python3 --version 2>&1 | tail -n 1)); PYTHON=... names one"

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
sum=$(cksum < "$here/requirements-test.txt" | tr -d ' ')
venv="${BERTOPIC_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bertopic/tools}/python-sdk-$version-$sum"
if [ ! -e "$venv/done" ]; then
	rm -rf "$venv"
	mkdir -p "$(dirname "$venv")"
	echo "Python $version: an environment for the tests is made, once (0.6 GB)" >&2
	"$python" -m venv "$venv"
	# uv is faster; pip also knows the user's mirrors.
	if ! { uv=$(PYTHON=$python "$root/plugins/python/uv.sh") &&
		"$uv" pip install --quiet --no-config --python "$venv/bin/python" --no-deps --require-hashes -r "$here/requirements-test.txt"; } &&
		! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes -r "$here/requirements-test.txt"; then
		rm -rf "$venv"
		skip "neither uv nor pip can fetch what they need; their messages are above"
	fi
	touch "$venv/done"
fi
# Not an editable install: the tests are of what a user installs.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --force-reinstall "$here"
if [ "$all" ]; then
	(cd "$here" && "$venv/bin/python" -m mypy --cache-dir "$venv/mypy" src/bertopic_sdk)
else
	set -- -m "not slow" "$@"
fi
cd "$root"
case "$*" in
*/*) ;; # files are named
*) set -- "$@" sdk/python/tests examples/embedder-python plugins/python/sklearn plugins/python/gensim plugins/python/spacy ;;
esac
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" -m pytest -c "$here/pyproject.toml" --rootdir "$root" "$@"
