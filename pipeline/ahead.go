package pipeline

import "sync"

// background is work that is done beside the steps of a fit. What comes of it
// does not depend on when it is done.
type background struct{ running sync.WaitGroup }

// begin starts work and returns what waits for its result.
func begin[T any](b *background, work func() (T, error)) func() (T, error) {
	var (
		result   T
		err      error
		panicked any
	)
	done := make(chan struct{})
	b.running.Add(1)
	go func() {
		defer b.running.Done()
		defer close(done)
		defer func() { panicked = recover() }()
		result, err = work()
	}()
	return func() (T, error) {
		<-done
		if panicked != nil {
			panic(panicked)
		}
		return result, err
	}
}
