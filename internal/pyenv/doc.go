// Package pyenv installs embedder programs that are written in Python.
//
// A program of NAME becomes two things in the folder of plugins:
//
//	bertopic-embedder-NAME       a shell script of a few lines, the program file
//	bertopic-embedder-NAME.d/    all that belongs to it
//	    install.json             what was installed, and from what
//	    launch.py                starts the embedder
//	    embedder.py              the embedder's code
//	    bertopic_sdk/            the SDK
//	    venv/                    a virtual environment with the libraries
//
// The script finds the folder beside itself, so the two may be moved together,
// and Python looks nowhere else but in its own standard library.
//
// Everything is built under a hidden name in the same folder and takes its place
// at the end, in one step where the system can. Whatever fails before leaves the
// folder as it was.
package pyenv
