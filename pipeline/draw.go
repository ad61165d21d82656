package pipeline

import (
	"github.com/bertopic-go/bertopic/pipeline/reduce"
)

// draw places the rows on a plane: UMAP's own graph once more in two
// dimensions, or the two main directions of the reduced rows.
func (f *fit) draw() error {
	f.result.Reduced = f.spread(f.reduced)
	if len(f.placed) == 0 {
		f.result.Map = f.spread(&Dense{Rows: len(f.same.first), Cols: 2, Data: make([]float32, 2*len(f.same.first))})
		return nil
	}
	if f.plane != nil {
		m, err := f.plane()
		if err != nil {
			return err
		}
		f.result.Map = f.spread(m)
		return nil
	}
	m, err := reduce.Fit(f.ctx, f.reduced, reduce.Params{Method: reduce.PCA, NComponents: 2, Seed: f.p.Seed, Threads: f.p.Threads})
	if err != nil {
		return err
	}
	points, err := m.Transform(f.ctx, f.reduced)
	if err != nil {
		return err
	}
	plane := &Dense{Rows: points.Rows, Cols: 2, Data: make([]float32, 2*points.Rows)}
	for i := range points.Rows {
		copy(plane.Row(i), points.Row(i))
	}
	f.result.Map = f.spread(plane)
	return nil
}
