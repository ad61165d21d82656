package conformance

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/sdk"
	pb "github.com/bertopic-go/bertopic/sdk/proto"
)

// meanTolerance is how far the vector of a row with text and picture may be from
// the mean of theirs, in proportion: some models have half precision.
const meanTolerance = 5e-3

// option is the value of an option of the program, the default where none is
// given; nil where it has no such option.
func (s *suite) option(name string) (value, byDefault any) {
	for _, o := range s.description.Options {
		if o.Name == name {
			value, byDefault = o.Default, o.Default
			if given, ok := s.cfg.Options[name]; ok {
				value = given
			}
			return value, byDefault
		}
	}
	return nil, nil
}

// averages is EMB-037.
func averages(ctx context.Context, s *suite) (string, error) {
	if !s.takes(sdk.Text) || !s.takes(sdk.Image) {
		return "", notApplicable("it does not take both texts and pictures")
	}
	value, byDefault := s.option("average")
	raw := fmt.Sprint(value) == "raw"
	if !raw && value != byDefault {
		return "", notApplicable(fmt.Sprintf("its option average is %v", value))
	}
	for _, name := range []string{"text_weight", "image_weight"} {
		if value, byDefault := s.option(name); fmt.Sprint(value) != fmt.Sprint(byDefault) {
			return "", notApplicable(fmt.Sprintf("its option %s is %v", name, value))
		}
	}
	if s.info.Sparse {
		return "", notApplicable("its vectors are sparse")
	}
	var texts, seen, both []sdk.Row
	for i, t := range []string{"a red kite over the harbour", "two loaves of bread", "the night train to the coast"} {
		p, err := picture(48, 32, png.DefaultCompression, painted(i))
		if err != nil {
			return "", err
		}
		texts, seen = append(texts, text(t)), append(seen, p)
		both = append(both, sdk.Row{Text: t, HasText: true, Images: p.Images})
	}
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	var got [3]*answer
	for i, rows := range [][]sdk.Row{texts, seen, both} {
		if got[i], err = s.embed(ctx, p, rows); err != nil {
			return "", err
		}
		for k := range rows {
			if st := got[i].status(k); got[i].without(k) {
				return "", fmt.Errorf("%s has no vector but the status %s %s", []string{"a plain text", "a plain picture", "a row of a text and a picture"}[i], pb.Status(st.Status), st.Reason)
			}
		}
	}
	worst := 0.0
	for k := range both {
		t, i, b := got[0].dense(k), got[1].dense(k), got[2].dense(k)
		if !raw {
			scale(t)
			scale(i)
		}
		mean := make([]float64, len(t))
		for j := range mean {
			mean[j] = (t[j] + i[j]) / 2
		}
		if !raw {
			scale(mean)
			if !s.info.UnitLength {
				scale(b) // the length is a matter of EMB-027
			}
		}
		d := apart(mean, b)
		if d > meanTolerance {
			how := "the mean of the two at unit length, brought to unit length"
			if raw {
				how = "the plain mean of the two"
			}
			return "", fmt.Errorf("a row of a text and a picture is %.2g of its length away from %s", d, how)
		}
		worst = max(worst, d)
	}
	return fmt.Sprintf("%.1g of its length away at most", worst), nil
}

// scale gives a vector the length 1; zeros stay.
func scale(x []float64) {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	if sum == 0 {
		return
	}
	for j := range x {
		x[j] /= math.Sqrt(sum)
	}
}

// apart is the distance of two vectors in proportion to their lengths.
func apart(x, y []float64) float64 {
	sum, size := 0.0, 0.0
	for k := range x {
		sum += (x[k] - y[k]) * (x[k] - y[k])
		size += (x[k]*x[k] + y[k]*y[k]) / 2
	}
	if size == 0 {
		return 0
	}
	return math.Sqrt(sum / size)
}

// painted is one of several pictures of large fields of colour, none of them like
// itself when turned.
func painted(n int) func(x, y int) color.RGBA {
	fields := []color.RGBA{{200, 40, 40, 255}, {30, 60, 220, 255}, {240, 230, 60, 255}, {20, 160, 70, 255}, {250, 250, 250, 255}, {20, 20, 20, 255}}
	return func(x, y int) color.RGBA { return fields[(n+x/16+3*(y/16)+x/16*(y/16))%len(fields)] }
}

// upright is EMB-038.
func upright(ctx context.Context, s *suite) (string, error) {
	if !s.takes(sdk.Image) {
		return "", notApplicable("it takes no pictures")
	}
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	var rows []sdk.Row
	for orientation := 1; orientation <= 8; orientation++ {
		data, err := photograph(orientation, true)
		if err != nil {
			return "", err
		}
		rows = append(rows, sdk.Row{Images: []sdk.ImageSource{{Data: data}}})
	}
	for orientation := 2; orientation <= 8; orientation++ {
		data, err := photograph(orientation, false)
		if err != nil {
			return "", err
		}
		rows = append(rows, sdk.Row{Images: []sdk.ImageSource{{Data: data}}})
	}
	a, err := s.embed(ctx, p, rows)
	if err != nil {
		return "", err
	}
	for i := range rows {
		if a.without(i) {
			return "", fmt.Errorf("a JPEG has the status %s: %s", pb.Status(a.status(i).Status), a.status(i).Reason)
		}
	}
	// Blocks of one colour survive JPEG whichever way they are turned, but not
	// to the last bit.
	const little = 0.02
	told := 0
	for i := 1; i < 8; i++ {
		turned := distance(a, 0, a, 7+i)
		if turned <= 2*little {
			continue // to it, a picture turned so is the same
		}
		told++
		if d := distance(a, 0, a, i); d > little && d > turned/4 {
			return "", fmt.Errorf("a picture with the EXIF orientation %d gets another vector than the same one upright, %.2g of its length away", i+1, d)
		}
	}
	if told == 0 {
		return "", notApplicable("to it, a picture that is turned is the same")
	}
	return "", nil
}

// photograph is one and the same picture as a camera stores it that is held in
// one of the eight ways, with a note of that or without.
func photograph(orientation int, noted bool) ([]byte, error) {
	const width, height = 64, 48
	stored := image.Rect(0, 0, width, height)
	if orientation >= 5 {
		stored = image.Rect(0, 0, height, width)
	}
	m, paint := image.NewRGBA(stored), painted(1)
	for y := range stored.Dy() {
		for x := range stored.Dx() {
			ux, uy := unturn(orientation, x, y, width, height)
			m.SetRGBA(x, y, paint(ux, uy))
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		return nil, fmt.Errorf("make a picture: %w", err)
	}
	if !noted {
		return b.Bytes(), nil
	}
	return slices.Concat(b.Bytes()[:2], exif(orientation), b.Bytes()[2:]), nil // after the marker of the beginning
}

// unturn tells where the pixel (x, y) of the stored picture is in the upright
// one, which has the given size.
func unturn(orientation, x, y, width, height int) (int, int) {
	switch orientation {
	case 2: // the first row is at the top, the first column at the right
		return width - 1 - x, y
	case 3: // bottom, right
		return width - 1 - x, height - 1 - y
	case 4: // bottom, left
		return x, height - 1 - y
	case 5: // left, top
		return y, x
	case 6: // right, top
		return width - 1 - y, x
	case 7: // right, bottom
		return width - 1 - y, height - 1 - x
	case 8: // left, bottom
		return y, height - 1 - x
	}
	return x, y
}

// exif is a segment of a JPEG that holds nothing but the orientation.
func exif(orientation int) []byte {
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x01") // one entry in the first directory
	tiff = binary.BigEndian.AppendUint16(tiff, 0x0112)
	tiff = binary.BigEndian.AppendUint16(tiff, 3) // a short
	tiff = binary.BigEndian.AppendUint32(tiff, 1) // of them
	tiff = binary.BigEndian.AppendUint16(tiff, uint16(orientation))
	tiff = append(tiff, 0, 0, 0, 0, 0, 0) // no more entries, no more directories
	body := append([]byte("Exif\x00\x00"), tiff...)
	return append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2)), body...)
}

// mixes is EMB-044.
func mixes(ctx context.Context, s *suite) (string, error) {
	if s.info.BatchInvariant && s.outcome["EMB-040"] != Pass {
		return "", notApplicable("can't be judged without EMB-040")
	}
	first, err := picture(48, 32, png.DefaultCompression, painted(3))
	if err != nil {
		return "", err
	}
	second, err := picture(32, 48, png.DefaultCompression, painted(4))
	if err != nil {
		return "", err
	}
	rows := []sdk.Row{
		text("the first of six rows"), first, {Text: "a picture and its words", HasText: true, Images: second.Images}, {}, text("bread, butter and jam"), second,
	}
	names := []string{"a text", "a picture", "a text with a picture", "an empty row", "another text", "another picture"}
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	alone := make([]*answer, len(rows))
	for i, r := range rows {
		if alone[i], err = s.embed(ctx, p, []sdk.Row{r}); err != nil {
			return "", fmt.Errorf("%s alone: %w", names[i], err)
		}
	}
	for _, order := range [][]int{{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {1, 0, 5, 4, 2, 3}, {2, 5, 0, 3, 1, 4}} {
		batch := make([]sdk.Row, len(order))
		for k, i := range order {
			batch[k] = rows[i]
		}
		a, err := s.embed(ctx, p, batch)
		if err != nil {
			return "", fmt.Errorf("a batch of rows of all kinds: %w", err)
		}
		for k, i := range order {
			if have, want := a.status(k).Status, alone[i].status(0).Status; have != want {
				return "", fmt.Errorf("among rows of all kinds, %s has the status %s, alone %s", names[i], pb.Status(have), pb.Status(want))
			}
			d := distance(a, k, alone[i], 0)
			if d > 1e-2 || s.info.BatchInvariant && a.bits(k) != alone[i].bits(0) {
				return "", fmt.Errorf("among rows of all kinds, %s gets another vector than alone, %.2g of its length away", names[i], d)
			}
		}
	}
	return "", nil
}

// cut is the first half of a picture's bytes.
func cut(row sdk.Row) (sdk.Row, error) {
	data := row.Images[0].Data
	if len(data) < 64 {
		return sdk.Row{}, errors.New("a picture that is too small to be cut")
	}
	return sdk.Row{Images: []sdk.ImageSource{{Data: data[:len(data)/2]}}}, nil
}
