package umap

// kernels are all that this processor has, by name. Each is what switches it on,
// and returns what undoes that.
func kernels() map[string]func() (undo func()) {
	use := func(neon bool) func() func() {
		return func() func() {
			was := useVectors
			useVectors = neon
			return func() { useVectors = was }
		}
	}
	return map[string]func() func(){"go": use(false), "neon": use(true)}
}
