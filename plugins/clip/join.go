package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/sdk"
)

// least is how long a sum of unit vectors must be to have a direction that means
// something: what rounding leaves of nothing is far shorter.
const least = 1e-4

// join writes the vector of row i into dst and returns its status.
func (m *model) join(dst []float32, s *sides, i int) sdk.RowStatus {
	var text textSide
	hasText := s.textOf[i] >= 0
	if hasText {
		text = s.texts[s.textOf[i]]
	}
	from, to := s.picturesOf[i][0], s.picturesOf[i][1]
	pictures := s.pictures[from:to]
	switch {
	case len(pictures) == 0 && (!hasText || text.blank):
		return sdk.RowStatus{Status: sdk.Empty}
	case len(pictures) == 0 && text.vector == nil:
		return sdk.RowStatus{Status: sdk.OOV}
	}
	sum, err := m.joined(text, pictures)
	if err == nil {
		err = finish(dst, sum)
	}
	switch {
	case err != nil:
		return sdk.RowStatus{Status: sdk.Failed, Reason: err.Error()}
	case text.lost > 0:
		return sdk.RowStatus{Status: sdk.Truncated, TokensLost: text.lost}
	}
	return sdk.RowStatus{}
}

// joined is the vector of a row.
func (m *model) joined(text textSide, pictures []pictureSide) ([]float64, error) {
	p, err := m.pictureVector(pictures)
	if err != nil {
		return nil, err
	}
	t, err := m.textVector(text)
	if err != nil {
		return nil, err
	}
	if m.centers != nil {
		if err := m.center(t, m.centers.Texts, "the text"); err != nil {
			return nil, err
		}
		if err := m.center(p, m.centers.Pictures, "the picture"); err != nil {
			return nil, err
		}
	}
	switch {
	case t == nil:
		return p, nil
	case p == nil:
		return t, nil
	}
	for j := range t {
		t[j] = float64(m.textWeight*t[j]) + float64((1-m.textWeight)*p[j])
	}
	if m.average == averageUnit && !unit(t) {
		return nil, errors.New("the text and the picture have opposite vectors, whose mean has no direction")
	}
	return t, nil
}

// textVector is that of a row's text, nil where there is nothing to embed.
func (m *model) textVector(text textSide) ([]float64, error) {
	if text.vector == nil {
		return nil, nil
	}
	t := wide(text.vector)
	if !finite(t) {
		return nil, errors.New("the model gives the text a vector that is not finite")
	}
	if m.average == averageUnit && !unit(t) {
		return nil, errors.New("the model gives the text a vector of zeros")
	}
	return t, nil
}

// pictureVector is that of a row's pictures: their mean, of vectors of unit
// length unless raw ones are wanted. nil: there are none.
func (m *model) pictureVector(pictures []pictureSide) ([]float64, error) {
	if len(pictures) == 0 {
		return nil, nil
	}
	name := func(i int) string {
		if len(pictures) == 1 {
			return "the picture"
		}
		return fmt.Sprintf("picture %d of %d", i+1, len(pictures))
	}
	sum := make([]float64, m.dimension)
	for i, p := range pictures {
		if p.err != nil && len(pictures) > 1 {
			return nil, fmt.Errorf("%s: %w", name(i), p.err)
		}
		if p.err != nil {
			return nil, p.err
		}
		v := wide(p.vector)
		if !finite(v) {
			return nil, fmt.Errorf("the model gives %s a vector that is not finite", name(i))
		}
		if m.average == averageUnit && !unit(v) {
			return nil, fmt.Errorf("the model gives %s a vector of zeros", name(i))
		}
		for j, x := range v {
			sum[j] += x / float64(len(pictures))
		}
	}
	if m.average == averageUnit && !unit(sum) {
		return nil, errors.New("the pictures have vectors whose mean has no direction")
	}
	return sum, nil
}

// center takes the mean of a kind away from v, where one was learned.
func (m *model) center(v []float64, c center, what string) error {
	if v == nil || c.Mean == nil {
		return nil
	}
	for j := range v {
		v[j] -= c.Mean[j]
	}
	if m.average == averageUnit && !unit(v) {
		return fmt.Errorf("%s has the mean vector of its kind: nothing is left of it when it is centred", what)
	}
	return nil
}

// finish rounds a vector. One of zeros is refused.
func finish(dst []float32, v []float64) error {
	zeros := true
	for j, x := range v {
		dst[j] = float32(x)
		zeros = zeros && dst[j] == 0
	}
	if zeros {
		return errors.New("the vector is all zeros, which has no direction")
	}
	return nil
}

func wide(v []float32) []float64 {
	out := make([]float64, len(v))
	for j, x := range v {
		out[j] = float64(x)
	}
	return out
}

func finite(v []float64) bool {
	sum := 0.0
	for _, x := range v {
		sum += math.Abs(x)
	}
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}

// unit makes v of unit length; false where it has no direction.
func unit(v []float64) bool {
	sum := 0.0
	for _, x := range v {
		sum += float64(x * x)
	}
	norm := math.Sqrt(sum)
	if norm < least {
		return false
	}
	for j := range v {
		v[j] /= norm
	}
	return true
}
