package run

import (
	"fmt"
	"runtime/debug"

	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/internal/size"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

// MemoryError says that a run would take more memory than it may.
type MemoryError struct{ Msg string }

func (e *MemoryError) Error() string { return e.Msg }

// The parts of the memory that a fit takes, in bytes; docs/performance.md has
// the measurements that they come from.
const (
	memoryBase  = 26 << 20 // the program itself, and tiles, tables and trees of a small corpus
	memoryText  = 3        // a byte of the corpus: the texts, their words and counts
	memoryRow   = 1000     // a row: neighbours, graph, layout, tree, topics
	memoryValue = 4        // a value of vectors, in memory or mapped: float32 whatever the file holds
)

// memoryNeeded estimates the least that a fit takes at its peak in this process;
// garbage comes on top where there is room for it, and the embedder's process.
func memoryNeeded(docs *documents, dimension int, c *config.Config) int64 {
	n := int64(len(docs.rows))
	need := memoryBase + n*memoryRow + n*int64(dimension)*memoryValue
	for _, r := range docs.rows {
		need += int64(len(r.Text)) * memoryText
	}
	switch {
	case c.Reduce.Method != "umap":
		need += n * int64(dimension) * 4 // a copy
	case n <= knn.ExactRows:
		need += n * int64(dimension) * 2 // the codes of the search
	}
	return need
}

// makeRoom tells what the fit of dense vectors will take at least, refuses what [run]
// memory does not allow, and keeps the collector of garbage within it. offHeap
// says that the vectors are mapped.
func makeRoom(docs *documents, dimension int, offHeap bool, c *config.Config, env *Env) error {
	if dimension == 0 { // known after the rows are read
		return nil
	}
	need := memoryNeeded(docs, dimension, c)
	env.Log.Info("memory", "at_least", size.Rough(need), "rows", len(docs.rows), "dimension", dimension)
	limit := int64(c.Run.Memory)
	if limit == 0 {
		if need > 1<<30 { // garbage as large as what is in use would be much
			debug.SetGCPercent(50)
		}
		return nil
	}
	if need > limit {
		return &MemoryError{fmt.Sprintf("%d rows of %d values need %s at least, and [run] memory is %s: allow more, take fewer rows, or an embedder of fewer dimensions",
			len(docs.rows), dimension, size.Rough(need), size.Exact(limit))}
	}
	// What the collector doesn't see (mapped vectors, the program, stacks) has its part.
	limit -= limit / 16
	if offHeap {
		limit -= int64(len(docs.rows)) * int64(dimension) * memoryValue
	}
	debug.SetMemoryLimit(limit)
	return nil
}
