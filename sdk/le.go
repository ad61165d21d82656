package sdk

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// Matrices cross as little-endian bytes. Where memory already holds them that
// way, both directions are views and copy nothing; a test holds the views equal
// to the loops.

var littleEndian = func() bool {
	x := uint16(1)
	return *(*byte)(unsafe.Pointer(&x)) == 1
}()

// bytesOf returns s as little-endian bytes, sharing memory where possible.
func bytesOf[T float32 | uint32](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	if littleEndian {
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), 4*len(s))
	}
	return encode(s)
}

// wordsOf is the inverse of bytesOf. len(b) is a multiple of 4.
func wordsOf[T float32 | uint32](b []byte) []T {
	if len(b) == 0 {
		return nil
	}
	p := unsafe.Pointer(unsafe.SliceData(b))
	if littleEndian && uintptr(p)%4 == 0 {
		return unsafe.Slice((*T)(p), len(b)/4)
	}
	return decode[T](b)
}

func encode[T float32 | uint32](s []T) []byte {
	b := make([]byte, 4*len(s))
	for i, v := range s {
		switch v := any(v).(type) {
		case float32:
			binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
		case uint32:
			binary.LittleEndian.PutUint32(b[4*i:], v)
		}
	}
	return b
}

func decode[T float32 | uint32](b []byte) []T {
	s := make([]T, len(b)/4)
	for i := range s {
		w := binary.LittleEndian.Uint32(b[4*i:])
		switch p := any(&s[i]).(type) {
		case *float32:
			*p = math.Float32frombits(w)
		case *uint32:
			*p = w
		}
	}
	return s
}
