// Package remote asks embedding services over HTTP for vectors: it cuts texts
// into requests, keeps to rate limits, tries again what may pass, and finds the
// one text that a service refuses. What a provider's API looks like is a
// [Service]; package embedder makes an embedder program of one.
//
//	c := remote.New(remote.Options{Service: service, URL: url, Key: key, Dimension: 1536})
//	rows, err := c.Embed(ctx, []string{"one text", "another"}, nil)
//
// # What becomes of trouble
//
//	429, or 503 with Retry-After    all requests wait as long as the server says, fewer go at a time afterwards
//	5xx, time-outs, broken answers  the same again after a pause that grows, with jitter
//	400, 413, 422                   the request is halved until the refused text is alone: its row has failed
//	401, 403, 404, a bad certificate  the end, with what to do about it
//	wrong counts, indices, values   asked again; then the rows have failed, by name
//
// No answer of any kind for Options.RetryTime ends the call with an [Error] of
// KindUnavailable. Rows that were finished by then are remembered, so that the
// same call made again does not pay for them twice.
//
// A key is sent in one header and is in no error and no log: what a server says
// is searched for it first.
package remote
