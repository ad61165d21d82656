package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"os"

	"github.com/bertopic-go/bertopic/sdk"
)

// look returns the mean of what pictures look like, each of unit length: how red
// and how blue each quarter is. Upright, a picture is turned as a camera has
// noted.
func look(sources []sdk.ImageSource, upright bool) (seen [dimension]float32, err error) {
	for _, s := range sources {
		data := s.Data
		if data == nil {
			if data, err = os.ReadFile(s.Path); err != nil {
				return seen, fmt.Errorf("read the picture: %w", err)
			}
		}
		one, err := quarters(data, upright)
		if err != nil {
			return seen, err
		}
		unit(one[:])
		for j, x := range one {
			seen[j] += x
		}
	}
	unit(seen[:])
	return seen, nil
}

func quarters(data []byte, upright bool) (mean [dimension]float32, err error) {
	m, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return mean, fmt.Errorf("decode the picture: %w", err)
	}
	turn := 1
	if upright {
		turn = orientation(data)
	}
	b := m.Bounds()
	width, height := b.Dx(), b.Dy()
	var sum [dimension]float64
	for y := range height {
		for x := range width {
			right, below := turned(turn, 2*x >= width, 2*y >= height)
			q := 0
			if right {
				q++
			}
			if below {
				q += 2
			}
			red, _, blue, _ := m.At(b.Min.X+x, b.Min.Y+y).RGBA()
			sum[2*q] += float64(red >> 8)
			sum[2*q+1] += float64(blue >> 8)
		}
	}
	for j, s := range sum {
		mean[j] = float32(s*4/float64(width*height)) + 1 // so that black is something
	}
	return mean, nil
}

// turned tells in which quarter of the upright picture a quarter of the stored
// one lies.
func turned(orientation int, right, below bool) (bool, bool) {
	switch orientation {
	case 2:
		return !right, below
	case 3:
		return !right, !below
	case 4:
		return right, !below
	case 5:
		return below, right
	case 6:
		return !below, right
	case 7:
		return !below, !right
	case 8:
		return below, !right
	}
	return right, below
}

// orientation reads the tag 0x112 of the first directory of a JPEG's EXIF; 1
// where there is none.
func orientation(data []byte) int {
	_, tiff, ok := bytes.Cut(data, []byte("Exif\x00\x00"))
	if !ok || len(tiff) < 8 || !bytes.HasPrefix(data, []byte{0xff, 0xd8}) {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if tiff[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			break
		}
		if order.Uint16(entries) == 0x112 {
			return int(order.Uint16(entries[8:]))
		}
		entries = entries[12:]
	}
	return 1
}
