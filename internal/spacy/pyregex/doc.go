// Package pyregex matches regular expressions as Python's module re does,
// look-behind, look-ahead and Unicode classes included, in time linear in the
// text for expressions without look-arounds.
//
// It is for rules that come with a model and were written for Python, which the
// package regexp can't read. A match is the one that Python finds: the first
// alternative that leads to a match wins, and of all starts the leftmost. What
// can't be done in bounded time (back-references) and what no such rule was
// seen to use (conditions, atomic groups, verbose mode, names of characters) is
// refused by Compile.
//
// Texts are code points, as in Python. A Regexp is read-only and may be used by
// several goroutines, each with a Machine of its own.
package pyregex
