// Package host finds, starts, watches and restarts embedder programs, hands
// them rows in batches and keeps what they answer.
//
// An embedder is a separate program named bertopic-embedder-NAME. The host holds
// it to what it promises (package sdk) and trusts it with nothing: it may crash,
// hang, leak, lie or print nonsense, and the run either ends with the right
// vectors or with an [Error] that names what went wrong, in which program, at
// which rows.
//
//	e, err := host.Open(ctx, host.Spec{Plugin: "tfidf"})
//	...
//	defer e.Close()
//	if e.Info().NeedsFit {
//		err = e.Fit(ctx, rows)
//	}
//	result, err := e.Embed(ctx, batch, store)
//
// # What never changes a result
//
// Answers are placed by the index of their row, so that neither the number of
// workers nor the batch size nor a restart changes a bit of a program that is
// batch invariant (Info.BatchInvariant). For one that is not, batches are cut by
// index alone and a batch is taken from the [Store] whole or not at all, so that
// workers and interruptions change nothing; a batch that had to be made smaller,
// since the program ran out of memory or failed at it, may change the bits of its
// rows.
//
// # What becomes of trouble
//
//	the process dies             restart, the unanswered batches alone once more; if one ends it again, smaller and smaller
//	                             parts of them, until the row is found that does it: it is marked failed
//	no answer, no progress       the process is killed; then smaller parts as above
//	the batch fails              halves of it, until the row is found that fails twice alone: it is marked failed
//	out of memory                halves of it, and smaller batches from then on
//	a service can't be reached   the same again after a pause that grows, a bounded number of times
//	an answer breaks a promise   the end: KindLied
//
// More than Spec.MaxRestarts deaths that no row explains end the run with
// KindKillLimit. So do a few bad ends in a row, batches above suspicion among
// them, and more failed rows than Spec.MaxRestarts and one in twenty of those
// embedded: then it is the program that is ill and not the rows. What was
// finished by then is in the [Store].
//
// # Safety
//
// A program gets an allow-list of environment variables, /dev/null for standard
// input, a socket in a folder that only this user may enter, and mutual TLS if it
// can. Its checksum is held against bertopic.lock where that file exists, when it
// is found and, if the file has changed, before each start; between the check and
// the start lies a moment, so that a folder which others may write to is no place
// for programs. On
// Linux it dies with the host whatever the host dies of; programs of the SDK do
// so on every Unix.
package host
