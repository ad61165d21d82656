#include "textflag.h"

// The instructions that Go's assembler has no name for, by the numbers of their
// registers: four float32, or two float64 where the name ends with D.
#define FADD(vd, vn, vm) WORD $(0x4e20d400 + (vd) + (vn)<<5 + (vm)<<16)
#define FSUB(vd, vn, vm) WORD $(0x4ea0d400 + (vd) + (vn)<<5 + (vm)<<16)
#define FMUL(vd, vn, vm) WORD $(0x6e20dc00 + (vd) + (vn)<<5 + (vm)<<16)
#define FDIV(vd, vn, vm) WORD $(0x6e20fc00 + (vd) + (vn)<<5 + (vm)<<16)
#define FMAX(vd, vn, vm) WORD $(0x4e20f400 + (vd) + (vn)<<5 + (vm)<<16)
#define FMIN(vd, vn, vm) WORD $(0x4ea0f400 + (vd) + (vn)<<5 + (vm)<<16)
#define FADDP(vd, vn, vm) WORD $(0x6e20d400 + (vd) + (vn)<<5 + (vm)<<16)
#define FSQRT(vd, vn) WORD $(0x6ea1f800 + (vd) + (vn)<<5)
#define CMGT0(vd, vn) WORD $(0x4ea08800 + (vd) + (vn)<<5)
#define CMEQ0(vd, vn) WORD $(0x4ea09800 + (vd) + (vn)<<5)
#define BIC(vd, vn, vm) WORD $(0x4e601c00 + (vd) + (vn)<<5 + (vm)<<16)
#define FADDD(vd, vn, vm) WORD $(0x4e60d400 + (vd) + (vn)<<5 + (vm)<<16)
#define FSUBD(vd, vn, vm) WORD $(0x4ee0d400 + (vd) + (vn)<<5 + (vm)<<16)
#define FMULD(vd, vn, vm) WORD $(0x6e60dc00 + (vd) + (vn)<<5 + (vm)<<16)

// Fields of steps.
#define POS    0
#define OUT    8
#define MEAN   16
#define SQUARE 24
#define START  32
#define RATES  40
#define TAILS  48
#define FORCES 56
#define STATES 64
#define PAIRS  72
#define LO     80
#define HI     88
#define COUNT  96
#define NEGS   104
#define EPOCH  112
#define ADAM   116

// Fields of forces.
#define LOW    128
#define HIGH   160
#define CURVE0 192
#define CURVE1 196
#define CURVE2 200
#define CURVE3 204
#define EDGE   208
#define SAMPLE 212

DATA consts<>+0(SB)/8, $0x3680000036800000  // minD2, 2^-18
DATA consts<>+8(SB)/8, $0x3680000036800000
DATA consts<>+16(SB)/8, $0x467fffff467fffff // maxD2, the float32 below 2^14
DATA consts<>+24(SB)/8, $0x467fffff467fffff
DATA consts<>+32(SB)/8, $0x3a83126f3a83126f // softness, 0.001
DATA consts<>+40(SB)/8, $0x3a83126f3a83126f
DATA consts<>+48(SB)/8, $0x3f8000003f800000 // 1
DATA consts<>+56(SB)/8, $0x3f8000003f800000
DATA consts<>+64(SB)/8, $0x007fffff007fffff // the mantissa
DATA consts<>+72(SB)/8, $0x007fffff007fffff
DATA consts<>+80(SB)/8, $0x4080000040800000 // 4
DATA consts<>+88(SB)/8, $0x4080000040800000
DATA consts<>+96(SB)/8, $0xc0800000c0800000 // -4
DATA consts<>+104(SB)/8, $0xc0800000c0800000
DATA consts<>+112(SB)/8, $0x0707070703030303 // the last byte of each lane, four times
DATA consts<>+120(SB)/8, $0x0f0f0f0f0b0b0b0b
DATA consts<>+128(SB)/8, $0x0302010003020100 // the bytes of entry 0 of low
DATA consts<>+136(SB)/8, $0x0302010003020100
DATA consts<>+144(SB)/8, $0xcfcecdcccfcecdcc // those of entry -13 of high, see CONSTANTS
DATA consts<>+152(SB)/8, $0xcfcecdcccfcecdcc
DATA consts<>+160(SB)/8, $0x0000000400000004 // four pairs
DATA consts<>+168(SB)/8, $0x0000000400000004
DATA consts<>+176(SB)/8, $0x0000000100000000 // the lanes
DATA consts<>+184(SB)/8, $0x0000000300000002
GLOBL consts<>(SB), RODATA|NOPTR, $192

// step^1 to step^4 of the random numbers' multiplier.
DATA powers<>+0(SB)/8, $0xd1342543de82ef95
DATA powers<>+8(SB)/8, $0xb1b9d47c9f8b8cb9
DATA powers<>+16(SB)/8, $0x739d9fcd088b9ead
DATA powers<>+24(SB)/8, $0x49136017ec40ddb1
GLOBL powers<>(SB), RODATA|NOPTR, $32

// CONSTANTS fills V14 to V30, from forces at R2 and from consts. An exponent of a
// limited distance is 109 to 140, or 13 to 17 without its last three bits: high is
// rotated to begin with what belongs to 13.
#define CONSTANTS \
	MOVD $consts<>(SB), R25 \
	ADD $LOW, R2, R26 \
	VLD1 (R26), [V14.B16, V15.B16, V16.B16, V17.B16] \
	VEXT $4, V16.B16, V17.B16, V13.B16 \
	VEXT $4, V17.B16, V16.B16, V17.B16 \
	VMOV V13.B16, V16.B16 \
	FLDPQ 0(R25), (F18, F19) \
	FLDPQ 32(R25), (F20, F21) \
	FMOVQ 64(R25), F22 \
	ADD $CURVE0, R2, R26 \
	VLD1R.P 4(R26), [V23.S4] \
	VLD1R.P 4(R26), [V24.S4] \
	VLD1R.P 4(R26), [V25.S4] \
	VLD1R.P 4(R26), [V26.S4] \
	VLD1R.P 4(R26), [V27.S4] \
	VLD1R (R26), [V28.S4] \
	FLDPQ 80(R25), (F29, F30)

// CONSTANTS5 fills V5 to V7 too, for up to five dimensions.
#define CONSTANTS5 \
	FLDPQ 112(R25), (F5, F6) \
	FMOVQ 144(R25), F7

// ROWS finds the rows of the four points at R10, each number given four times.
#define ROWS \
	LDPW 0(R10), (R11, R12) \
	LDPW 8(R10), (R13, R14) \
	ADD R11<<3, R1, R11 \
	ADD R12<<3, R1, R12 \
	ADD R13<<3, R1, R13 \
	ADD R14<<3, R1, R14

// FOUR takes four dimensions, from byte o on, of these rows.
#define FOUR(o, d0, d1, d2, d3) \
	FMOVQ o(R11), F8 \
	FMOVQ o(R12), F9 \
	FMOVQ o(R13), F10 \
	FMOVQ o(R14), F11 \
	VZIP1 V9.S4, V8.S4, V12.S4 \
	VZIP2 V9.S4, V8.S4, V13.S4 \
	VZIP1 V11.S4, V10.S4, V8.S4 \
	VZIP2 V11.S4, V10.S4, V9.S4 \
	VZIP1 V8.D2, V12.D2, d0.D2 \
	VZIP2 V8.D2, V12.D2, d1.D2 \
	VZIP1 V9.D2, V13.D2, d2.D2 \
	VZIP2 V9.D2, V13.D2, d3.D2

// FIFTH takes the fifth dimension, V4.
#define FIFTH \
	FMOVS 16(R11), F8 \
	FMOVS 16(R12), F9 \
	FMOVS 16(R13), F10 \
	FMOVS 16(R14), F11 \
	VZIP1 V9.S4, V8.S4, V8.S4 \
	VZIP1 V11.S4, V10.S4, V10.S4 \
	VZIP1 V10.D2, V8.D2, V4.D2

// LESS4 subtracts the four coordinates at R9, each given four times.
#define LESS4 \
	FLDPQ 0(R9), (F8, F9) \
	FLDPQ 32(R9), (F10, F11) \
	FSUB(0, 0, 8) \
	FSUB(1, 1, 9) \
	FSUB(2, 2, 10) \
	FSUB(3, 3, 11)

// DISTANCE5 leaves in V8 the squared length of V0 to V4.
#define DISTANCE5 \
	FMUL(8, 0, 0) \
	FMUL(9, 4, 4) \
	FMUL(10, 2, 2) \
	FMUL(11, 1, 1) \
	FMUL(12, 3, 3) \
	FADD(8, 8, 9) \
	FADD(11, 11, 12) \
	FADD(8, 8, 10) \
	FADD(8, 8, 11)

// FORCE turns the squared distances in V8 into the forces, V9: along edges where
// V31 is above 0. The last byte of a lane of V9, shifted, is the exponent; tables are
// read by bytes. Loses V10 to V13; the arguments, consts+112 to consts+159, may be
// V11 to V13.
#define FORCE(bytes, low, high) \
	FMAX(8, 8, 18) \
	FMIN(8, 8, 19) \
	VSHL $1, V8.S4, V9.S4 \
	VTBL bytes.B16, [V9.B16], V9.B16 \
	VSHL $5, V9.B16, V10.B16 \
	VUSHR $3, V10.B16, V10.B16 \
	VADD low.B16, V10.B16, V10.B16 \
	VTBL V10.B16, [V14.B16, V15.B16], V10.B16 \
	VUSHR $3, V9.B16, V9.B16 \
	VSHL $2, V9.B16, V9.B16 \
	VADD high.B16, V9.B16, V9.B16 \
	VTBL V9.B16, [V16.B16, V17.B16], V9.B16 \
	FMUL(9, 9, 10) \
	VAND V22.B16, V8.B16, V10.B16 \
	VORR V21.B16, V10.B16, V10.B16 \
	FMUL(11, 10, 26) \
	FADD(11, 11, 25) \
	FMUL(11, 11, 10) \
	FADD(11, 11, 24) \
	FMUL(11, 11, 10) \
	FADD(11, 11, 23) \
	FMUL(9, 9, 11) \
	FADD(10, 9, 21) \
	CMGT0(11, 31) \
	FMUL(9, 9, 27) \
	VBIF V11.B16, V28.B16, V9.B16 \
	BIC(12, 20, 11) \
	FADD(8, 8, 12) \
	FMUL(8, 8, 10) \
	FDIV(9, 9, 8)

// PULL turns a difference into the pull, of an absolute value of at most 4.
#define PULL(d) \
	FMUL(d, d, 9) \
	FMIN(d, d, 29) \
	FMAX(d, d, 30)

// ADD4 adds four pulls to the sums at byte o of R8.
#define ADD4(o, d0, d1, d2, d3) \
	FLDPQ (o+0)(R8), (F10, F11) \
	FLDPQ (o+32)(R8), (F12, F13) \
	FADD(10, 10, d0) \
	FADD(11, 11, d1) \
	FADD(12, 12, d2) \
	FADD(13, 13, d3) \
	FSTPQ (F10, F11), (o+0)(R8) \
	FSTPQ (F12, F13), (o+32)(R8)

// The kernels write down a point's pairs first, at R5, as four times the number of
// the other point: of its R17 edges drawn, then of its negative samples, then, to
// fill the last four, of the point itself, which pulls with nothing. Then four at a
// time are taken out of memory, dimension d of theirs in Vd, and their pulls added
// to the sums of their lanes: four times four of each dimension, at R21. Adam's steps
// come at the end.

#define BEGIN \
	MOVD s+0(FP), R0 \
	MOVD POS(R0), R1 \
	MOVD FORCES(R0), R2 \
	MOVD START(R0), R3 \
	MOVD LO(R0), R4 \
	MOVD PAIRS(R0), R5 \
	MOVD RATES(R0), R6 \
	MOVD TAILS(R0), R7 \
	MOVD STATES(R0), R19 \
	MOVD COUNT(R0), R20 \
	CONSTANTS

// PAIRS4 writes the pairs of point R4, and their end to R16.
#define PAIRS4 \
	MOVD.P 8(R3), R11 \
	MOVD (R3), R12 \
	MOVWU EPOCH(R0), R15 \
	MOVD ZR, R17 \
	ADD R11<<2, R6, R13 \
	ADD R11<<2, R7, R14 \
	SUBS R11, R12, R12 \
	BLE edgesEnd \
edges: \
	MOVWU.P 4(R13), R24 \
	MOVWU.P 4(R14), R25 \
	LSLW $2, R25, R25 \
	MOVW R25, (R5)(R17<<2) \
	MULW R15, R24, R26 \
	ADDSW R24, R26, R26 \
	ADC ZR, R17, R17 \
	SUBS $1, R12, R12 \
	BNE edges \
edgesEnd: \
	MOVD NEGS(R0), R12 \
	MUL R17, R12, R12 \
	ADD R17<<2, R5, R10 \
	ADD R12<<2, R10, R16 \
	MOVD.P 8(R19), R24 \
	MOVD $powers<>(SB), R25 \
	LDP 0(R25), (R11, R12) \
	LDP 16(R25), (R13, R15) \
	MUL R24, R11, R11 \
	MUL R24, R12, R12 \
	MUL R24, R13, R13 \
	MUL R24, R15, R14 \
	CMP R16, R10 \
	BHS negativesEnd \
negatives: \
	LSR $32, R11, R24 \
	LSR $32, R12, R25 \
	MUL R20, R24, R24 \
	MUL R20, R25, R25 \
	LSR $32, R24, R24 \
	LSR $32, R25, R25 \
	LSLW $2, R24, R24 \
	LSLW $2, R25, R25 \
	STPW (R24, R25), 0(R10) \
	LSR $32, R13, R24 \
	LSR $32, R14, R25 \
	MUL R20, R24, R24 \
	MUL R20, R25, R25 \
	LSR $32, R24, R24 \
	LSR $32, R25, R25 \
	LSLW $2, R24, R24 \
	LSLW $2, R25, R25 \
	STPW (R24, R25), 8(R10) \
	MUL R15, R11, R11 \
	MUL R15, R12, R12 \
	MUL R15, R13, R13 \
	MUL R15, R14, R14 \
	ADD $16, R10 \
	CMP R16, R10 \
	BLO negatives \
negativesEnd: \
	LSLW $2, R4, R24 \
	VDUP R24, V8.S4 \
	FMOVQ F8, (R16) \
	MOVD $consts<>(SB), R25 \
	FMOVQ 176(R25), F8 \
	VDUP R17, V31.S4 \
	VSUB V8.S4, V31.S4, V31.S4

// SELF4 writes four coordinates at R26 to R9, each four times.
#define SELF4 \
	VLD1R.P 4(R26), [V8.S4] \
	VLD1R.P 4(R26), [V9.S4] \
	VLD1R.P 4(R26), [V10.S4] \
	VLD1R.P 4(R26), [V11.S4] \
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R9)

// FOLD4 adds up the sixteen lanes of four dimensions, into V0: a to d are where
// those of the four times four lanes are.
#define FOLD4(a, b, c, d) \
	FLDPQ (a+0)(R21), (F0, F1) \
	FLDPQ (a+32)(R21), (F2, F3) \
	FLDPQ (c+0)(R21), (F8, F9) \
	FLDPQ (c+32)(R21), (F10, F11) \
	FADD(0, 0, 8) \
	FADD(1, 1, 9) \
	FADD(2, 2, 10) \
	FADD(3, 3, 11) \
	FLDPQ (b+0)(R21), (F8, F9) \
	FLDPQ (b+32)(R21), (F10, F11) \
	FLDPQ (d+0)(R21), (F12, F13) \
	FADD(8, 8, 12) \
	FADD(9, 9, 13) \
	FLDPQ (d+32)(R21), (F12, F13) \
	FADD(10, 10, 12) \
	FADD(11, 11, 13) \
	FADD(0, 0, 8) \
	FADD(1, 1, 9) \
	FADD(2, 2, 10) \
	FADD(3, 3, 11) \
	VZIP1 V1.D2, V0.D2, V8.D2 \
	VZIP2 V1.D2, V0.D2, V9.D2 \
	VZIP1 V3.D2, V2.D2, V10.D2 \
	VZIP2 V3.D2, V2.D2, V11.D2 \
	FADD(8, 8, 9) \
	FADD(10, 10, 11) \
	FADDP(0, 8, 10)

// NEXT leaves the gradient, V0 and V4, and goes on to the next point.
#define NEXT \
	MOVD OUT(R0), R26 \
	ADD R4<<5, R26, R26 \
	FSTPQ (F0, F4), (R26) \
	MOVD HI(R0), R26 \
	ADD $1, R4 \
	CMP R26, R4 \
	BLT point

// END takes the steps of all points.
#define END \
	MOVD LO(R0), R3 \
	SUB R3, R4, R4 \
	LSL $5, R3, R3 \
	MOVD OUT(R0), R10 \
	MOVD MEAN(R0), R11 \
	MOVD SQUARE(R0), R12 \
	ADD R3, R1, R1 \
	ADD R3, R10, R10 \
	ADD R3, R11, R11 \
	ADD R3, R12, R12 \
	ADD $ADAM, R0, R26 \
	VLD1R.P 4(R26), [V16.S4] \
	VLD1R.P 4(R26), [V17.S4] \
	VLD1R.P 4(R26), [V18.S4] \
	VLD1R.P 4(R26), [V19.S4] \
	VLD1R.P 4(R26), [V20.S4] \
	VLD1R (R26), [V21.S4] \
move: \
	FLDPQ (R10), (F0, F1) \
	FLDPQ (R11), (F2, F3) \
	FLDPQ (R12), (F4, F5) \
	FMUL(2, 2, 16) \
	FMUL(3, 3, 16) \
	FMUL(6, 0, 17) \
	FMUL(7, 1, 17) \
	FADD(2, 2, 6) \
	FADD(3, 3, 7) \
	FMUL(0, 0, 0) \
	FMUL(1, 1, 1) \
	FMUL(0, 0, 19) \
	FMUL(1, 1, 19) \
	FMUL(4, 4, 18) \
	FMUL(5, 5, 18) \
	FADD(4, 4, 0) \
	FADD(5, 5, 1) \
	FSTPQ.P (F2, F3), 32(R11) \
	FSTPQ.P (F4, F5), 32(R12) \
	FSQRT(4, 4) \
	FSQRT(5, 5) \
	FADD(4, 4, 20) \
	FADD(5, 5, 20) \
	FMUL(2, 2, 21) \
	FMUL(3, 3, 21) \
	FDIV(2, 2, 4) \
	FDIV(3, 3, 5) \
	FLDPQ.P 32(R1), (F0, F1) \
	FADD(0, 0, 2) \
	FADD(1, 1, 3) \
	FSTPQ.P (F0, F1), 32(R10) \
	SUBS $1, R4, R4 \
	BNE move

// func step5NEON(s *steps)
TEXT ·step5NEON(SB), 0, $416-8
	BEGIN
	CONSTANTS5
	MOVD $sums-416(SP), R21
	ADD  $15, R21
	AND  $~15, R21
	ADD  $320, R21, R22 // the end of the sums; from there on the point itself

point:
	PAIRS4
	MOVD R22, R9
	ADD  R4<<5, R1, R26
	SELF4
	VLD1R (R26), [V8.S4]
	FMOVQ F8, (R9)
	MOVD R22, R9
	MOVD R21, R8
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R8)
	MOVD R21, R8
	MOVD R5, R10
	CMP  R16, R10
	BHS  pulled

four:
	ROWS
	FOUR(0, V0, V1, V2, V3)
	FIFTH
	LESS4
	FMOVQ 64(R9), F8
	FSUB(4, 4, 8)
	DISTANCE5
	FORCE(V5, V6, V7)
	FMOVQ 160(R25), F8
	VSUB V8.S4, V31.S4, V31.S4
	PULL(0)
	PULL(1)
	PULL(2)
	PULL(3)
	PULL(4)
	ADD4(0, 0, 1, 2, 3)
	FMOVQ 64(R8), F8
	FADD(8, 8, 4)
	FMOVQ F8, 64(R8)
	ADD  $80, R8
	CMP  R22, R8
	CSEL EQ, R21, R8, R8
	ADD  $16, R10
	CMP  R16, R10
	BLO  four

pulled:
	FMOVQ 64(R21), F0
	FMOVQ 224(R21), F1
	FMOVQ 144(R21), F2
	FMOVQ 304(R21), F3
	FADD(0, 0, 1)
	FADD(2, 2, 3)
	FADD(0, 0, 2)
	VEXT $8, V0.B16, V0.B16, V1.B16
	FADD(0, 0, 1)
	FADDP(0, 0, 0)
	FMOVS F0, F4 // zeros beside it
	FOLD4(0, 80, 160, 240)
	NEXT
	END
	RET

// func step8NEON(s *steps)
TEXT ·step8NEON(SB), 0, $656-8
	BEGIN
	MOVD $sums-656(SP), R21
	ADD  $15, R21
	AND  $~15, R21
	ADD  $512, R21, R22 // the end of the sums; from there on the point itself

point:
	PAIRS4
	MOVD R22, R9
	ADD  R4<<5, R1, R26
	SELF4
	SELF4
	MOVD R22, R9
	MOVD R21, R8
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R8)
	MOVD R21, R8
	MOVD R5, R10
	CMP  R16, R10
	BHS  pulled

four:
	ROWS
	FOUR(0, V0, V1, V2, V3)
	FOUR(16, V4, V5, V6, V7)
	LESS4
	FLDPQ 64(R9), (F8, F9)
	FLDPQ 96(R9), (F10, F11)
	FSUB(4, 4, 8)
	FSUB(5, 5, 9)
	FSUB(6, 6, 10)
	FSUB(7, 7, 11)
	FMUL(8, 0, 0)
	FMUL(9, 4, 4)
	FADD(8, 8, 9)
	FMUL(9, 2, 2)
	FMUL(10, 6, 6)
	FADD(9, 9, 10)
	FADD(8, 8, 9)
	FMUL(9, 1, 1)
	FMUL(10, 5, 5)
	FADD(9, 9, 10)
	FMUL(10, 3, 3)
	FMUL(11, 7, 7)
	FADD(10, 10, 11)
	FADD(9, 9, 10)
	FADD(8, 8, 9)
	FLDPQ 112(R25), (F11, F12)
	FMOVQ 144(R25), F13
	FORCE(V11, V12, V13)
	FMOVQ 160(R25), F8
	VSUB V8.S4, V31.S4, V31.S4
	PULL(0)
	PULL(1)
	PULL(2)
	PULL(3)
	PULL(4)
	PULL(5)
	PULL(6)
	PULL(7)
	ADD4(0, 0, 1, 2, 3)
	ADD4(64, 4, 5, 6, 7)
	ADD  $128, R8
	CMP  R22, R8
	CSEL EQ, R21, R8, R8
	ADD  $16, R10
	CMP  R16, R10
	BLO  four

pulled:
	FOLD4(64, 192, 320, 448)
	VMOV V0.B16, V4.B16
	FOLD4(0, 128, 256, 384)
	NEXT
	END
	RET

// Fields of moving.
#define M_POINTS 0
#define M_FORCES 8
#define M_IDS    16
#define M_ALPHAS 24
#define M_Y      32
#define M_STEPS  40
#define M_FOURS  48

// MOVE moves the rows whose pulls are a and b, two dimensions at byte o of R8.
#define MOVE(o, a, va, b, vb) \
	PULL(a) \
	PULL(b) \
	FMUL(a, a, 31) \
	FMUL(b, b, 31) \
	FLDPQ o(R8), (F10, F11) \
	FADD(a, a, 10) \
	FADD(b, b, 11) \
	VBIT V13.B16, V10.B16, va.B16 \
	VBIT V13.B16, V11.B16, vb.B16

// func move5NEON(m *moving)
//
// Up to sixteen rows, four times four, each take their own steps.
TEXT ·move5NEON(SB), NOSPLIT, $0-8
	MOVD m+0(FP), R0
	MOVD M_POINTS(R0), R1
	MOVD M_FORCES(R0), R2
	MOVD M_IDS(R0), R3
	MOVD M_ALPHAS(R0), R4
	MOVD M_Y(R0), R5
	MOVD M_STEPS(R0), R6
	MOVD M_FOURS(R0), R7
	CONSTANTS
	CONSTANTS5

step:
	MOVD R3, R10
	MOVD R4, R16
	MOVD R5, R8
	MOVD R7, R15

four:
	ROWS
	FOUR(0, V0, V1, V2, V3)
	FIFTH
	FMOVQ.P 16(R16), F31
	MOVD R8, R9
	LESS4
	FMOVQ 64(R9), F8
	FSUB(4, 4, 8)
	DISTANCE5
	FORCE(V5, V6, V7)
	CMEQ0(13, 31)
	MOVE(0, 0, V0, 1, V1)
	FSTPQ (F0, F1), 0(R8)
	MOVE(32, 2, V2, 3, V3)
	FSTPQ (F2, F3), 32(R8)
	PULL(4)
	FMUL(4, 4, 31)
	FMOVQ 64(R8), F10
	FADD(4, 4, 10)
	VBIT V13.B16, V10.B16, V4.B16
	FMOVQ F4, 64(R8)
	ADD  $80, R8
	ADD  $16, R10
	SUBS $1, R15, R15
	BNE  four
	ADD  $64, R3
	ADD  $64, R4
	SUBS $1, R6, R6
	BNE  step
	RET

// Fields of walking.
#define W_X      0
#define W_Y      8
#define W_Y0     16
#define W_INDPTR 24
#define W_COLS   32
#define W_VALS   40
#define W_ROW    48
#define W_ROWS   56
#define W_STRIDE 64
#define W_S      72
#define W_T      80

// func combineNEON(w *walking)
TEXT ·combineNEON(SB), NOSPLIT, $0-8
	MOVD w+0(FP), R0
	MOVD W_X(R0), R1
	MOVD W_Y(R0), R2
	MOVD W_Y0(R0), R3
	MOVD W_INDPTR(R0), R6
	MOVD W_COLS(R0), R4
	MOVD W_VALS(R0), R5
	MOVD W_ROWS(R0), R7
	MOVD W_STRIDE(R0), R8
	MOVD W_ROW(R0), R9
	MUL  R8, R9, R9
	ADD  $W_S, R0, R13
	VLD1R (R13), [V16.D2]
	ADD  $W_T, R0, R13
	VLD1R (R13), [V17.D2]
	MOVD.P 8(R6), R10
	ADD  R10<<2, R4, R4
	ADD  R10<<2, R5, R5

row:
	MOVD.P 8(R6), R11
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	SUBS R10, R11, R12
	MOVD R11, R10
	BLE  summed

entry:
	MOVW.P 4(R4), R13
	FMOVS.P 4(R5), F8
	MUL  R8, R13, R13
	ADD  R1, R13, R13
	FCVTSD F8, F8
	VLD1 (R13), [V4.D2, V5.D2, V6.D2, V7.D2]
	VDUP V8.D[0], V8.D2
	FMULD(4, 4, 8)
	FMULD(5, 5, 8)
	FMULD(6, 6, 8)
	FMULD(7, 7, 8)
	FADDD(0, 0, 4)
	FADDD(1, 1, 5)
	FADDD(2, 2, 6)
	FADDD(3, 3, 7)
	SUBS $1, R12, R12
	BNE  entry

summed:
	ADD  R9, R1, R13
	VLD1 (R13), [V4.D2, V5.D2, V6.D2, V7.D2]
	FMULD(0, 0, 16)
	FMULD(1, 1, 16)
	FMULD(2, 2, 16)
	FMULD(3, 3, 16)
	FMULD(4, 4, 17)
	FMULD(5, 5, 17)
	FMULD(6, 6, 17)
	FMULD(7, 7, 17)
	FADDD(0, 0, 4)
	FADDD(1, 1, 5)
	FADDD(2, 2, 6)
	FADDD(3, 3, 7)
	CBZ  R3, store
	ADD  R9, R3, R13
	VLD1 (R13), [V4.D2, V5.D2, V6.D2, V7.D2]
	FSUBD(0, 0, 4)
	FSUBD(1, 1, 5)
	FSUBD(2, 2, 6)
	FSUBD(3, 3, 7)

store:
	ADD  R9, R2, R13
	VST1 [V0.D2, V1.D2, V2.D2, V3.D2], (R13)
	ADD  R8, R9, R9
	SUBS $1, R7, R7
	BNE  row
	RET
