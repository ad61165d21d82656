package conformance

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/bertopic-go/bertopic/sdk"
	pb "github.com/bertopic-go/bertopic/sdk/proto"
)

// unitTolerance is how far from 1 the norm of a unit vector may be; the host
// allows as much.
const unitTolerance = 2e-3

// full is the size of the batch that rules compare with: the host's own.
const full = 32

// batches are what the probe asks: a full batch, one row, a few, the full batch
// again, and other rows of the sample.
func (s *suite) batches() [][]sdk.Row {
	b := s.first(full)
	return [][]sdk.Row{b, b[:1], b[3:11], b, s.first(2 * full)[full:]}
}

// answers is EMB-020.
func answers(ctx context.Context, s *suite) (string, error) {
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	b := s.batches()
	s.probe, err = s.ask(ctx, p, false, b...)
	if err != nil {
		return "", fmt.Errorf("after %d of %d batches: %w", len(s.probe), len(b), err)
	}
	if len(s.probe) < len(b) {
		return "", fmt.Errorf("the stream ended after %d of %d answers", len(s.probe), len(b))
	}
	return "", nil
}

// keepsOrder is EMB-021.
func keepsOrder(_ context.Context, s *suite) (string, error) {
	var have []uint64
	for _, a := range s.probe {
		have = append(have, a.sequence)
	}
	for i, n := range have {
		if n != uint64(i+1) || i >= len(s.batches()) {
			return "", fmt.Errorf("to the batches 1 to %d it answers %d", len(s.batches()), have)
		}
	}
	return "", nil
}

// wellFormed is EMB-022.
func wellFormed(_ context.Context, s *suite) (string, error) {
	return "", s.eachAnswer(func(a *answer, _ []sdk.Row) error { return a.form })
}

// countsRows is EMB-023.
func countsRows(_ context.Context, s *suite) (string, error) {
	return "", s.eachAnswer(func(a *answer, rows []sdk.Row) error {
		if a.rows != len(rows) {
			return fmt.Errorf("%d rows for a batch of %d", a.rows, len(rows))
		}
		return nil
	})
}

// hasDimension is EMB-024.
func hasDimension(_ context.Context, s *suite) (string, error) {
	return "", s.eachAnswer(func(a *answer, _ []sdk.Row) error {
		if a.columns != s.info.Dimension {
			return fmt.Errorf("%d columns where the dimension is %d", a.columns, s.info.Dimension)
		}
		return nil
	})
}

// finite is EMB-025.
func finite(_ context.Context, s *suite) (string, error) {
	return "", s.eachRow(func(a *answer, i int) error {
		for j, x := range a.values[i] {
			if y := float64(x); math.IsNaN(y) || math.IsInf(y, 0) {
				return fmt.Errorf("value %d is %v", j, x)
			}
		}
		return nil
	})
}

// soundStatuses is EMB-026.
func soundStatuses(_ context.Context, s *suite) (string, error) {
	err := s.eachAnswer(func(a *answer, rows []sdk.Row) error { return checkStatuses(a.v.GetStatuses(), len(rows)) })
	if err != nil {
		return "", err
	}
	return "", s.eachRow(func(a *answer, i int) error {
		switch sum := a.square(i); {
		case a.without(i) && sum != 0:
			return errors.New("a vector, though its status says that it has none")
		case !a.without(i) && sum == 0 && s.info.Metric != sdk.Euclidean:
			return fmt.Errorf("all zeros, which has no %s distance: it needs the status empty, oov or failed", s.info.Metric)
		}
		return nil
	})
}

func checkStatuses(statuses []*pb.RowStatus, n int) error {
	seen := make([]bool, n)
	for _, s := range statuses {
		i := int(s.GetRow())
		switch {
		case i >= n:
			return fmt.Errorf("a status of row %d in a batch of %d", i, n)
		case seen[i]:
			return fmt.Errorf("two statuses of row %d", i)
		case s.GetStatus() < 0 || s.GetStatus() > pb.Status_STATUS_FAILED:
			return fmt.Errorf("row %d has the unknown status %d", i, s.GetStatus())
		case s.GetStatus() == pb.Status_STATUS_FAILED && s.GetReason() == "":
			return fmt.Errorf("row %d failed without a reason", i)
		}
		seen[i] = true
	}
	return nil
}

// unitLength is EMB-027.
func unitLength(_ context.Context, s *suite) (string, error) {
	if !s.info.UnitLength {
		return "", notApplicable("it does not promise unit length")
	}
	return "", s.eachRow(func(a *answer, i int) error {
		norm := math.Sqrt(a.square(i))
		if norm > 0 && !math.IsInf(norm, 0) && !a.without(i) && math.Abs(norm-1) > unitTolerance {
			return fmt.Errorf("the norm is %.4g", norm)
		}
		return nil
	})
}

// notNegative is EMB-028.
func notNegative(_ context.Context, s *suite) (string, error) {
	if s.info.Metric != sdk.Hellinger {
		return "", notApplicable("its metric is " + string(s.info.Metric))
	}
	return "", s.eachRow(func(a *answer, i int) error {
		for j, x := range a.values[i] {
			if x < 0 {
				return fmt.Errorf("value %d is %v", j, x)
			}
		}
		return nil
	})
}

// embedsMost is EMB-029.
func embedsMost(_ context.Context, s *suite) (string, error) {
	a, n := s.probe[0], 0
	reason := ""
	for i := range a.rows {
		if st := a.status(i); st.Status == sdk.Failed || st.Status == sdk.Empty {
			n++
			reason = st.Reason
		}
	}
	if 2*n > a.rows {
		return "", fmt.Errorf("%d of %d plain rows have no vector: %s", n, a.rows, reason)
	}
	return "", nil
}

// placesRows is EMB-031.
func placesRows(ctx context.Context, s *suite) (string, error) {
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	rows := s.first(full)
	slices.Reverse(rows)
	back, err := s.embed(ctx, p, rows)
	if err != nil {
		return "", err
	}
	a := s.probe[0]
	for i := range full {
		if distance(a, i, back, full-1-i) <= 1e-3 {
			continue
		}
		for j := range full {
			if distance(a, i, back, full-1-j) <= 1e-3 {
				return "", fmt.Errorf("with the batch the other way round, row %d gets the vector of row %d", i, j)
			}
		}
	}
	return "", nil
}

// eachAnswer calls f for the answers of the probe with the rows that were asked.
func (s *suite) eachAnswer(f func(*answer, []sdk.Row) error) error {
	b := s.batches()
	for i, a := range s.probe {
		if err := f(a, b[i]); err != nil {
			return fmt.Errorf("batch %d: %w", i+1, err)
		}
	}
	return nil
}

// eachRow calls f for the rows of the probe's answers.
func (s *suite) eachRow(f func(a *answer, i int) error) error {
	return s.eachAnswer(func(a *answer, _ []sdk.Row) error {
		for i := range a.rows {
			if err := f(a, i); err != nil {
				return fmt.Errorf("row %d: %w", i, err)
			}
		}
		return nil
	})
}

// odd embeds rows that are out of the ordinary, with an ordinary one before and
// after each of them, and checks nothing but that the answer is sound.
func (s *suite) odd(ctx context.Context, rows ...sdk.Row) (a *answer, at func(int) int, err error) {
	p, err := s.again(ctx)
	if err != nil {
		return nil, nil, err
	}
	plain := s.first(len(rows) + 1)
	batch := []sdk.Row{plain[0]}
	for i, r := range rows {
		batch = append(batch, r, plain[i+1])
	}
	if a, err = s.embed(ctx, p, batch); err == nil {
		err = checkStatuses(a.v.GetStatuses(), len(batch))
	}
	return a, func(i int) int { return 2*i + 1 }, err
}

// emptyRows is EMB-032.
func emptyRows(ctx context.Context, s *suite) (string, error) {
	rows := []sdk.Row{{}}
	if s.takes(sdk.Text) {
		rows = append(rows, text(""))
	}
	a, at, err := s.odd(ctx, rows...)
	if err != nil {
		return "", err
	}
	for i, what := range []string{"a row without text and picture", "the empty text"}[:len(rows)] {
		if st := a.status(at(i)).Status; st != sdk.Empty && st != sdk.OOV {
			return "", fmt.Errorf("%s has the status %s, not empty", what, pb.Status(st))
		}
	}
	if !s.takes(sdk.Text) {
		return "", nil
	}
	_, _, err = s.odd(ctx, text(" "), text("\t\n \u00a0\u3000"))
	if err != nil {
		return "", fmt.Errorf("white space: %w", err)
	}
	return "", nil
}

// longRows is EMB-033.
func longRows(ctx context.Context, s *suite) (string, error) {
	if !s.takes(sdk.Text) {
		return "", notApplicable("it takes no text")
	}
	_, _, err := s.odd(ctx, text(longText(longBegin, 1<<20)))
	return "", err
}

// hardRows is EMB-034.
func hardRows(ctx context.Context, s *suite) (string, error) {
	if !s.takes(sdk.Text) {
		return "", notApplicable("it takes no text")
	}
	rows := make([]sdk.Row, len(hardTexts))
	for i, t := range hardTexts {
		rows[i] = text(t)
	}
	_, _, err := s.odd(ctx, rows...)
	return "", err
}

// missingPictures is EMB-035.
func missingPictures(ctx context.Context, s *suite) (string, error) {
	broken, what, err := s.broken()
	if err != nil {
		return "", err
	}
	a, at, err := s.odd(ctx, broken...)
	if err != nil {
		return "", err
	}
	for i := range broken {
		if st := a.status(at(i)).Status; st != sdk.Failed {
			return "", fmt.Errorf("a row with %s has the status %s, not failed", what[i], pb.Status(st))
		}
	}
	return "", nil
}

// broken are rows whose picture can't be had, and what each of them is.
func (s *suite) broken() (rows []sdk.Row, what []string, err error) {
	add := func(name string, source sdk.ImageSource) {
		rows, what = append(rows, sdk.Row{Images: []sdk.ImageSource{source}}), append(what, name)
	}
	add("the path of no picture", sdk.ImageSource{Path: filepath.Join(s.sockets, "no-such-picture.png")})
	add("bytes that are no picture", sdk.ImageSource{Data: []byte("this is no picture")})
	if !s.takes(sdk.Image) {
		return rows, what, nil
	}
	empty := filepath.Join(s.sockets, "empty.png")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		return nil, nil, err
	}
	add("an empty file for a picture", sdk.ImageSource{Path: empty})
	add("a folder for a picture", sdk.ImageSource{Path: s.sockets})
	whole, err := picture(64, 64, png.DefaultCompression, func(x, y int) color.RGBA { return color.RGBA{uint8(x * y), uint8(x ^ y), uint8(7 * x), 255} })
	if err != nil {
		return nil, nil, err
	}
	half, err := cut(whole)
	if err != nil {
		return nil, nil, err
	}
	add("half of a picture", half.Images[0])
	return rows, what, nil
}

// sparesNeighbours is EMB-036.
func sparesNeighbours(ctx context.Context, s *suite) (string, error) {
	broken, _, err := s.broken()
	if err != nil {
		return "", err
	}
	rows := append([]sdk.Row{{}}, broken...)
	a, _, err := s.odd(ctx, rows...)
	if err != nil {
		return "", err
	}
	for i := range len(rows) + 1 {
		if have, want := a.status(2*i), s.probe[0].status(i); have.Status != want.Status {
			return "", fmt.Errorf("a plain row beside one without a vector has the status %s, elsewhere %s", pb.Status(have.Status), pb.Status(want.Status))
		}
		if d := distance(a, 2*i, s.probe[0], i); d > 0.1 {
			return "", fmt.Errorf("a plain row beside one without a vector gets another vector, %.2g of its length away", d)
		}
	}
	return "", nil
}
