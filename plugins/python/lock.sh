#!/bin/sh
# Writes each plugin's requirements*.txt from its requirements*.in and from
# sdk/python/requirements.in: every package, for every platform, with its hashes;
# and requirements.txt here from the latter alone, for embedders of the user's; and
# sdk/python/requirements-test.txt.
# The head of a .in file, its comment lines, is kept. Names on the command line
# say which plugins; without any, all.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
uv=$("$here/uv.sh")
cd "$here"
lock() { # output, head, options and inputs of uv
	out=$1 head=$2
	shift 2
	{
		grep '^#' "$head" || true
		echo "# Written by lock.sh from $head."
		"$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header "$@"
	} > "$out.new"
	mv "$out.new" "$out"
}
lock requirements.txt ../../sdk/python/requirements.in ../../sdk/python/requirements.in
lock ../../sdk/python/requirements-test.txt ../../sdk/python/requirements-test.in ../../sdk/python/requirements-test.in
[ $# -gt 0 ] || set -- *
for name in "$@"; do
	for in in "$name"/requirements*.in; do
		[ -e "$in" ] || continue
		if [ -e "$name/overrides.txt" ]; then
			lock "${in%.in}.txt" "$in" --override "$name/overrides.txt" "$in" ../../sdk/python/requirements.in
		else
			lock "${in%.in}.txt" "$in" "$in" ../../sdk/python/requirements.in
		fi
	done
done
