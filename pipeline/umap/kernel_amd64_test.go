package umap

import "golang.org/x/sys/cpu"

// kernels are all that this processor has, by name. Each is what switches it on,
// and returns what undoes that.
func kernels() map[string]func() (undo func()) {
	use := func(avx2, avx512 bool) func() func() {
		return func() func() {
			was2, was512 := useVectors, useAVX512
			useVectors, useAVX512 = avx2, avx512
			return func() { useVectors, useAVX512 = was2, was512 }
		}
	}
	m := map[string]func() func(){"go": use(false, false)}
	if cpu.X86.HasAVX2 {
		m["avx2"] = use(true, false)
		if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
			m["avx512"] = use(true, true)
		}
	}
	return m
}
