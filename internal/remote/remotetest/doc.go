// Package remotetest is a stand-in for embedding services: it speaks the APIs of
// OpenAI, Azure's deployments and Cohere, its vectors are a function of the text
// alone, and it misbehaves in the ways that it is told to.
//
//	s := remotetest.Start(t, remotetest.Config{Key: "secret", Faults: []remotetest.Fault{remotetest.Storm(3)}})
//	... base_url is s.URL + "/v1"; afterwards s.Texts() says what was asked
//
// Program standin serves one by itself.
package remotetest
