// Package conformance holds the rules that every embedder program must keep and
// tries a program against them.
//
//	report, err := conformance.Run(ctx, conformance.Config{Program: "bertopic-embedder-mine"})
//	...
//	report.WriteTable(os.Stdout)
//	if !report.Conforms { ... }
//
// [Test] does the same in a Go test, `bertopic conformance` on the command line. [Rules] lists the rules; docs/conformance.md is that list
// with reasons. The program is started as the host would start it, several
// times, and spoken to over the wire, so that it may be written in any language.
//
// A rule looks at its own promise alone: a vector that is not a number breaks
// the rule on numbers and no other. Where a broken rule makes it impossible to
// judge another one, that one is skipped and says so. The folder specimens holds
// a program that can break each rule, and a test of this package shows that each
// rule notices.
package conformance
