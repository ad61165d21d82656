#!/bin/sh
# Tests every plugin of this folder as a user has it: `bertopic plugins install
# python:NAME` makes its environment, the tests of its folder compare it bit for
# bit with the library called directly, and `bertopic conformance` tries it. Names
# on the command line say which, as in `test-all.sh use 'spacy[transformers]'`;
# without any, all. 11 GB on disk, in the user's cache, and an hour.
#
# uv does the work of pip, so that what several environments have is stored once.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
command="${BERTOPIC_COMMAND:-$root/bin/bertopic}"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/bertopic/python-plugins"
[ -x "$command" ] || { echo "$command is not there: make build" >&2; exit 1; }

[ $# -gt 0 ] || set -- sklearn gensim spacy 'spacy[transformers]' sentence-transformers transformers flair use bertopic multimodal
mkdir -p "$cache"

# What runs the tests, beside the environments and not in them.
runner="$cache/pytest"
if [ ! -e "$runner/done" ]; then
	rm -rf "$runner"
	"${PYTHON:-python3}" -m pip install --quiet --disable-pip-version-check --no-input --target "$runner" pytest==9.2.0
	touch "$runner/done"
fi

uv=$("$here/uv.sh")
mkdir -p "$cache/bin"
ln -sf "$uv" "$cache/bin/uv"
export PATH="$cache/bin:$PATH"
export UV_COMPILE_BYTECODE=0 # that of what the tests import is made as they run
unset PYTHONDONTWRITEBYTECODE
outcome="$cache/outcome.txt"
: > "$outcome"

failed=
for name in "$@"; do
	plugin=${name%%\[*}
	folder="$cache/$name"
	program="$folder/bertopic-embedder-python-$plugin"
	echo "== python:$name"
	start=$(date +%s)
	if ! "$command" plugins install "python:$name" --uv --to "$folder" ${PYTHON:+--python "$PYTHON"}; then
		failed="$failed $name"
		continue
	fi
	echo "   $(du -sh "$program.d" | cut -f1), $(($(date +%s) - start)) s"
	start=$(date +%s)
	# The SDK and the embedder are those of the installed program.
	case $name in
	*\[*) files="$here/$plugin/test_transformers.py" ;;
	*) files="$here/$plugin" ;;
	esac
	if (cd "$root" && PYTHONPATH="$program.d:$runner" BERTOPIC_COMMAND="$command" BERTOPIC_PROGRAM="$program" BERTOPIC_OUTCOME="$outcome" \
		"$program.d/venv/bin/python" -m pytest -c sdk/python/pyproject.toml --rootdir "$root" -rs --durations 4 "$files"); then
		echo "   passed, $(($(date +%s) - start)) s"
	else
		failed="$failed $name"
	fi
done
cat "$outcome"
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
echo "all passed"
