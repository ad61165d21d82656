#include "textflag.h"

// The instructions that Go's assembler has no name for, by the numbers of their
// registers. The last argument of SMLAL is which of eight values of vm is meant;
// vm is below 16.
#define ELEMENT(i) ((((i)>>2)&1)<<11 + (((i)>>1)&1)<<21 + ((i)&1)<<20)
#define SMLAL(vd, vn, vm, i) WORD $(0x0f402000 + (vd) + (vn)<<5 + (vm)<<16 + ELEMENT(i))
#define SMLAL2(vd, vn, vm, i) WORD $(0x4f402000 + (vd) + (vn)<<5 + (vm)<<16 + ELEMENT(i))
#define SMIN(vd, vn, vm) WORD $(0x4ea06c00 + (vd) + (vn)<<5 + (vm)<<16)
#define CMGT(vd, vn, vm) WORD $(0x4ea03400 + (vd) + (vn)<<5 + (vm)<<16)
#define XTN4H(vd, vn) WORD $(0x0e612800 + (vd) + (vn)<<5)
#define XTN8H(vd, vn) WORD $(0x4e612800 + (vd) + (vn)<<5)
#define XTN8B(vd, vn) WORD $(0x0e212800 + (vd) + (vn)<<5)
#define XTN16B(vd, vn) WORD $(0x4e212800 + (vd) + (vn)<<5)
#define ADDP(vd, vn, vm) WORD $(0x4e20bc00 + (vd) + (vn)<<5 + (vm)<<16)
#define FCVTL(vd, vn) WORD $(0x0e617800 + (vd) + (vn)<<5)
#define FCVTL2(vd, vn) WORD $(0x4e617800 + (vd) + (vn)<<5)
#define FSUB(vd, vn, vm) WORD $(0x4ee0d400 + (vd) + (vn)<<5 + (vm)<<16)
#define FADD(vd, vn, vm) WORD $(0x4e60d400 + (vd) + (vn)<<5 + (vm)<<16)
#define FMUL(vd, vn, vm) WORD $(0x6e60dc00 + (vd) + (vn)<<5 + (vm)<<16)
#define FMLA(vd, vn, vm) WORD $(0x4e60cc00 + (vd) + (vn)<<5 + (vm)<<16)
#define FADDP(vd, vn, vm) WORD $(0x6e60d400 + (vd) + (vn)<<5 + (vm)<<16)

// Row r of six has its sums of 16 columns in V8+4r .. V11+4r, its pair of values
// in elements i and i+1 of register a; V0, V1 and V2, V3 are the first and the
// second values of eight columns' pairs.
#define ROW(c, a, i) \
	SMLAL(c, 0, a, i) \
	SMLAL2(c+1, 0, a, i) \
	SMLAL(c+2, 2, a, i) \
	SMLAL2(c+3, 2, a, i) \
	SMLAL(c, 1, a, i+1) \
	SMLAL2(c+1, 1, a, i+1) \
	SMLAL(c+2, 3, a, i+1) \
	SMLAL2(c+3, 3, a, i+1)

// func dotHalfNEON(dst, a, b *int32, steps int)
// Fills 6 rows x 16 columns.
TEXT ·dotHalfNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD a+8(FP), R1
	MOVD b+16(FP), R2
	MOVD steps+24(FP), R3
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16
	VEOR V24.B16, V24.B16, V24.B16
	VEOR V25.B16, V25.B16, V25.B16
	VEOR V26.B16, V26.B16, V26.B16
	VEOR V27.B16, V27.B16, V27.B16
	VEOR V28.B16, V28.B16, V28.B16
	VEOR V29.B16, V29.B16, V29.B16
	VEOR V30.B16, V30.B16, V30.B16
	VEOR V31.B16, V31.B16, V31.B16
	ADD  $16, R1, R4
	ADD  $32, R2, R5

step:
	VLD2 (R2), [V0.H8, V1.H8]
	VLD2 (R5), [V2.H8, V3.H8]
	VLD1 (R1), [V4.H8]
	VLD1 (R4), [V5.H4]
	ROW(8, 4, 0)
	ROW(12, 4, 2)
	ROW(16, 4, 4)
	ROW(20, 4, 6)
	ROW(24, 5, 0)
	ROW(28, 5, 2)
	ADD  $48, R1
	ADD  $48, R4
	ADD  $128, R2
	ADD  $128, R5
	SUBS $1, R3, R3
	BNE  step

	VST1 [V8.S4, V9.S4, V10.S4, V11.S4], (R0)
	ADD  $384, R0
	VST1 [V12.S4, V13.S4, V14.S4, V15.S4], (R0)
	ADD  $384, R0
	VST1 [V16.S4, V17.S4, V18.S4, V19.S4], (R0)
	ADD  $384, R0
	VST1 [V20.S4, V21.S4, V22.S4, V23.S4], (R0)
	ADD  $384, R0
	VST1 [V24.S4, V25.S4, V26.S4, V27.S4], (R0)
	ADD  $384, R0
	VST1 [V28.S4, V29.S4, V30.S4, V31.S4], (R0)
	RET

DATA bits<>+0(SB)/8, $0x8040201008040201
DATA bits<>+8(SB)/8, $0x8040201008040201
GLOBL bits<>(SB), RODATA|NOPTR, $16

// Eight masks of four columns in V0-V7: the keys of V16-V23 that are above the
// lesser of the row's floor V24 and the columns' V8-V15.
#define MASK(k, c, m) \
	SMIN(c, 24, c) \
	CMGT(m, k, c)

// func scanNEON(t *tile, rowFloor, colFloor *[blockRows]int32, out *hits)
TEXT ·scanNEON(SB), NOSPLIT, $0-32
	MOVD t+0(FP), R0
	MOVD rowFloor+8(FP), R1
	MOVD colFloor+16(FP), R2
	MOVD out+24(FP), R3
	MOVD $bits<>(SB), R4
	VLD1 (R4), [V25.B16]
	MOVD $96, R5

row:
	VLD1R.P 4(R1), [V24.S4]
	MOVD R2, R6
	MOVD $3, R7

word:
	VLD1.P 64(R0), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R0), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1.P 64(R6), [V8.S4, V9.S4, V10.S4, V11.S4]
	VLD1.P 64(R6), [V12.S4, V13.S4, V14.S4, V15.S4]
	MASK(16, 8, 0)
	MASK(17, 9, 1)
	MASK(18, 10, 2)
	MASK(19, 11, 3)
	MASK(20, 12, 4)
	MASK(21, 13, 5)
	MASK(22, 14, 6)
	MASK(23, 15, 7)
	XTN4H(0, 0)
	XTN8H(0, 1)
	XTN4H(2, 2)
	XTN8H(2, 3)
	XTN4H(4, 4)
	XTN8H(4, 5)
	XTN4H(6, 6)
	XTN8H(6, 7)
	XTN8B(0, 0)
	XTN16B(0, 2)
	XTN8B(4, 4)
	XTN16B(4, 6)
	VAND V25.B16, V0.B16, V0.B16
	VAND V25.B16, V4.B16, V4.B16
	ADDP(0, 0, 4)
	ADDP(0, 0, 0)
	ADDP(0, 0, 0)
	VMOV V0.S[0], R8
	MOVW.P R8, 4(R3)
	SUBS $1, R7, R7
	BNE  word
	SUBS $1, R5, R5
	BNE  row
	RET

#define LOADSUMS \
	VLD1.P 64(R0), [V16.D2, V17.D2, V18.D2, V19.D2] \
	VLD1 (R0), [V20.D2, V21.D2, V22.D2, V23.D2] \
	SUB $64, R0

#define STORESUMS \
	VST1.P [V16.D2, V17.D2, V18.D2, V19.D2], 64(R0) \
	VST1 [V20.D2, V21.D2, V22.D2, V23.D2], (R0)

// Four values of x and y in vectors x and y: their products to sums c and c+1.
// The products of float32 are exact in float64, fused or not.
#define PRODUCT(x, y, c) \
	FCVTL(8, x) \
	FCVTL(9, y) \
	FCVTL2(10, x) \
	FCVTL2(11, y) \
	FMLA(c, 8, 9) \
	FMLA(c+1, 10, 11)

// func sumProductsNEON(sum *[lanes]float64, x, y *float32, rounds int)
TEXT ·sumProductsNEON(SB), NOSPLIT, $0-32
	MOVD sum+0(FP), R0
	MOVD x+8(FP), R1
	MOVD y+16(FP), R2
	MOVD rounds+24(FP), R3
	LOADSUMS

products:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R2), [V4.S4, V5.S4, V6.S4, V7.S4]
	PRODUCT(0, 4, 16)
	PRODUCT(1, 5, 18)
	PRODUCT(2, 6, 20)
	PRODUCT(3, 7, 22)
	SUBS $1, R3, R3
	BNE  products
	STORESUMS
	RET

#define SQUARE(x, y, c) \
	FCVTL(8, x) \
	FCVTL(9, y) \
	FCVTL2(10, x) \
	FCVTL2(11, y) \
	FSUB(8, 8, 9) \
	FSUB(10, 10, 11) \
	FMUL(8, 8, 8) \
	FMUL(10, 10, 10) \
	FADD(c, c, 8) \
	FADD(c+1, c+1, 10)

// func sumSquaresNEON(sum *[lanes]float64, x, y *float32, rounds int)
TEXT ·sumSquaresNEON(SB), NOSPLIT, $0-32
	MOVD sum+0(FP), R0
	MOVD x+8(FP), R1
	MOVD y+16(FP), R2
	MOVD rounds+24(FP), R3
	LOADSUMS

squares:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R2), [V4.S4, V5.S4, V6.S4, V7.S4]
	SQUARE(0, 4, 16)
	SQUARE(1, 5, 18)
	SQUARE(2, 6, 20)
	SQUARE(3, 7, 22)
	SUBS $1, R3, R3
	BNE  squares
	STORESUMS
	RET

// Two values of x at R1 times those of three rows at R2, R4 and R5.
#define WIDE(a, b, c) \
	VLD1.P 16(R1), [V0.D2] \
	VLD1.P 16(R2), [V1.D2] \
	VLD1.P 16(R4), [V2.D2] \
	VLD1.P 16(R5), [V3.D2] \
	FMLA(a, 0, 1) \
	FMLA(b, 0, 2) \
	FMLA(c, 0, 3)

// Adds the halves of sixteen sums in vectors a to a+7 until one is left, as
// total does, and stores it.
#define TOTAL(a) \
	FADD(a, a, a+4) \
	FADD(a+1, a+1, a+5) \
	FADD(a+2, a+2, a+6) \
	FADD(a+3, a+3, a+7) \
	FADD(a, a, a+2) \
	FADD(a+1, a+1, a+3) \
	FADD(a, a, a+1) \
	FADDP(a, a, a)

// func threeProductsNEON(sums *[3]float64, x, y *float64, width int)
TEXT ·threeProductsNEON(SB), NOSPLIT, $0-32
	MOVD sums+0(FP), R0
	MOVD x+8(FP), R1
	MOVD y+16(FP), R2
	MOVD width+24(FP), R3
	ADD  R3<<3, R2, R4
	ADD  R3<<3, R4, R5
	LSR  $4, R3, R3
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16
	VEOR V24.B16, V24.B16, V24.B16
	VEOR V25.B16, V25.B16, V25.B16
	VEOR V26.B16, V26.B16, V26.B16
	VEOR V27.B16, V27.B16, V27.B16
	VEOR V28.B16, V28.B16, V28.B16
	VEOR V29.B16, V29.B16, V29.B16
	VEOR V30.B16, V30.B16, V30.B16
	VEOR V31.B16, V31.B16, V31.B16

wide:
	WIDE(8, 16, 24)
	WIDE(9, 17, 25)
	WIDE(10, 18, 26)
	WIDE(11, 19, 27)
	WIDE(12, 20, 28)
	WIDE(13, 21, 29)
	WIDE(14, 22, 30)
	WIDE(15, 23, 31)
	SUBS $1, R3, R3
	BNE  wide
	TOTAL(8)
	TOTAL(16)
	TOTAL(24)
	FMOVD.P F8, 8(R0)
	FMOVD.P F16, 8(R0)
	FMOVD F24, (R0)
	RET
