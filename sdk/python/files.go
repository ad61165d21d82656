// Package python holds the sources of bertopic_sdk, the Python package that an
// embedder's author imports, for the programs that install it.
package python

import "embed"

// Files is the Python project: pyproject.toml, README.md and src/bertopic_sdk.
//
//go:embed pyproject.toml README.md src/bertopic_sdk/*.py src/bertopic_sdk/py.typed src/bertopic_sdk/_proto/*.py
var Files embed.FS
