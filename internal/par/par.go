// Package par runs loops on several cores such that the result never depends
// on how many.
package par

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Threads resolves a thread count from a configuration: 0 or less means as
// many as GOMAXPROCS allows.
func Threads(n int) int {
	if n <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// Blocks cuts 0..n into blocks of size grain (the last may be shorter) and
// calls f once for each, on up to threads goroutines. block counts from 0.
//
// The cut depends on n and grain alone. A caller that keeps one partial result
// a block and joins them in block order therefore gets the same bits on any
// number of threads. A panic in f is raised again in the caller.
func Blocks(threads, n, grain int, f func(block, lo, hi int)) {
	if n <= 0 {
		return
	}
	if grain <= 0 {
		panic("par: the block size must be positive")
	}
	blocks := (n + grain - 1) / grain
	threads = min(Threads(threads), blocks)
	run := func(b int) { f(b, b*grain, min(n, (b+1)*grain)) }
	if threads <= 1 {
		for b := range blocks {
			run(b)
		}
		return
	}
	var (
		next     atomic.Int64
		wg       sync.WaitGroup
		once     sync.Once
		panicked any
	)
	for range threads {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() {
				if r := recover(); r != nil {
					once.Do(func() { panicked = r })
					next.Store(int64(blocks))
				}
			}()
			for {
				b := int(next.Add(1)) - 1
				if b >= blocks {
					return
				}
				run(b)
			}
		}()
	}
	wg.Wait()
	if panicked != nil {
		panic(panicked)
	}
}
