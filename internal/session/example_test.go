package session_test

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/session"
)

// A text tower is made, kept beside others, and run on one batch.
func Example() {
	ctx := context.Background()
	from := session.Source{Dir: "graphs", Key: "hash-of-the-model-text", Build: func(ctx context.Context) (*encoder.Model, error) {
		c, err := encoder.BuildCLIP(ctx, encoder.CLIPSpec{Dir: filepath.Join("models", "clip"), Only: encoder.TextTower})
		if err != nil {
			return nil, err
		}
		return c.Text, nil
	}}
	p, on, noGPU, err := session.Place(session.Device{Kind: session.Auto}, func(on session.Device) (*session.Pool, error) {
		return session.Load(ctx, from, on, 0)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	if noGPU != nil {
		fmt.Println("the CPU is used, since the GPU can't be:", noGPU)
	}
	vectors := make([]float32, 2*p.Graph().Dimension)
	ids := []int64{49406, 320, 1125, 49407, 49406, 320, 2368, 49407}
	err = p.Run(ctx, []session.Tensor{session.Ints(ids, 2, 4)}, vectors)
	fmt.Println(on, vectors[:3], err)
}
