package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"github.com/disintegration/imaging"
)

// Thumbnail returns img scaled down, with its proportions, so that neither side
// is longer than side. A smaller picture stays as it is.
func Thumbnail(img image.Image, side int) image.Image {
	if m, ok := img.(*Image); ok { // the quick way through package imaging
		if m.Width <= side && m.Height <= side {
			return m
		}
		img = m.RGBA()
	}
	return imaging.Fit(img, side, side, imaging.CatmullRom)
}

// JPEGBytes encodes img as a JPEG file; quality goes from 1 to 100.
func JPEGBytes(img image.Image, quality int) ([]byte, error) {
	if m, ok := img.(*Image); ok {
		img = m.RGBA()
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("encode a picture of %d x %d pixels as JPEG: %w", img.Bounds().Dx(), img.Bounds().Dy(), err)
	}
	return b.Bytes(), nil
}
