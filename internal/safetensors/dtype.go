package safetensors

import (
	"encoding/binary"
	"math"
)

// DType names the type of a tensor's values, as the header spells it.
type DType string

// The types of the format. Those from F4 down to F8E8M0 can be copied as raw
// bytes only.
const (
	Bool   DType = "BOOL"
	U8     DType = "U8"
	I8     DType = "I8"
	U16    DType = "U16"
	I16    DType = "I16"
	F16    DType = "F16"
	BF16   DType = "BF16"
	U32    DType = "U32"
	I32    DType = "I32"
	F32    DType = "F32"
	U64    DType = "U64"
	I64    DType = "I64"
	F64    DType = "F64"
	C64    DType = "C64"
	F4     DType = "F4"
	F6E2M3 DType = "F6_E2M3"
	F6E3M2 DType = "F6_E3M2"
	F8E5M2 DType = "F8_E5M2"
	F8E4M3 DType = "F8_E4M3"
	F8E8M0 DType = "F8_E8M0"
)

// bits returns how many bits a value takes, 0 for an unknown type.
func (d DType) bits() int64 {
	switch d {
	case F4:
		return 4
	case F6E2M3, F6E3M2:
		return 6
	case Bool, U8, I8, F8E5M2, F8E4M3, F8E8M0:
		return 8
	case U16, I16, F16, BF16:
		return 16
	case U32, I32, F32:
		return 32
	case U64, I64, F64, C64:
		return 64
	}
	return 0
}

// Half returns the value of an IEEE 754 half-precision number.
func Half(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp, frac := uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch {
	case exp == 0x1f: // infinity, NaN
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
	default: // zero, subnormal: a multiple of 2^-24, exact in float32
		f := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(f))
	}
}

// decoder returns the function that turns len(dst) little-endian values of
// type d into float32, or nil if d has no such numbers.
func (d DType) decodeFloat32() func(dst []float32, src []byte) {
	le := binary.LittleEndian
	switch d {
	case F32:
		return func(dst []float32, src []byte) {
			for i := range dst {
				dst[i] = math.Float32frombits(le.Uint32(src[4*i:]))
			}
		}
	case F16:
		return func(dst []float32, src []byte) {
			for i := range dst {
				dst[i] = Half(le.Uint16(src[2*i:]))
			}
		}
	case BF16:
		return func(dst []float32, src []byte) {
			for i := range dst {
				dst[i] = math.Float32frombits(uint32(le.Uint16(src[2*i:])) << 16)
			}
		}
	case F64:
		return func(dst []float32, src []byte) {
			for i := range dst {
				dst[i] = float32(math.Float64frombits(le.Uint64(src[8*i:])))
			}
		}
	}
	return nil
}

// decodeInt64 is decodeFloat32 for whole numbers. U64 is left out: not all of
// its values fit.
func (d DType) decodeInt64() func(dst []int64, src []byte) {
	le := binary.LittleEndian
	var at func(src []byte, i int) int64
	switch d {
	case Bool, U8:
		at = func(src []byte, i int) int64 { return int64(src[i]) }
	case I8:
		at = func(src []byte, i int) int64 { return int64(int8(src[i])) }
	case U16:
		at = func(src []byte, i int) int64 { return int64(le.Uint16(src[2*i:])) }
	case I16:
		at = func(src []byte, i int) int64 { return int64(int16(le.Uint16(src[2*i:]))) }
	case U32:
		at = func(src []byte, i int) int64 { return int64(le.Uint32(src[4*i:])) }
	case I32:
		at = func(src []byte, i int) int64 { return int64(int32(le.Uint32(src[4*i:]))) }
	case I64:
		at = func(src []byte, i int) int64 { return int64(le.Uint64(src[8*i:])) }
	default:
		return nil
	}
	return func(dst []int64, src []byte) {
		for i := range dst {
			dst[i] = at(src, i)
		}
	}
}
