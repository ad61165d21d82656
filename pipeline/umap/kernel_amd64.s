#include "textflag.h"

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
#define RATE   116
#define LIMIT  120

// Fields of forces.
#define POWER  0
#define LOW    128
#define HIGH   160
#define CURVE0 192
#define CURVE1 196
#define CURVE2 200
#define CURVE3 204
#define EDGE   208
#define SAMPLE 212

DATA consts<>+0(SB)/4, $0x36800000 // minD2, 2^-18
DATA consts<>+4(SB)/4, $0x467fffff // maxD2, the float32 below 2^14
DATA consts<>+8(SB)/4, $0x3a83126f // softness, 0.001
DATA consts<>+12(SB)/4, $4.0
DATA consts<>+16(SB)/4, $1.0
DATA consts<>+20(SB)/4, $0x007fffff // the mantissa
DATA consts<>+24(SB)/4, $16
DATA consts<>+28(SB)/4, $0.5
DATA consts<>+32(SB)/4, $0x3f666666 // 0.9
DATA consts<>+36(SB)/4, $0x3dcccccd // 0.1
DATA consts<>+40(SB)/4, $0x33d6bf95 // 1e-7
DATA consts<>+44(SB)/4, $1
GLOBL consts<>(SB), RODATA|NOPTR, $48

#define MIND2    consts<>+0(SB)
#define MAXD2    consts<>+4(SB)
#define SOFTNESS consts<>+8(SB)
#define FOUR     consts<>+12(SB)
#define ONE      consts<>+16(SB)
#define MANTISSA consts<>+20(SB)
#define SIXTEEN  consts<>+24(SB)
#define BETA1    consts<>+28(SB)
#define BETA2    consts<>+32(SB)
#define GAMMA2   consts<>+36(SB)
#define EPSILON  consts<>+40(SB)
#define ONEINT   consts<>+44(SB)

DATA lane<>+0(SB)/8, $0x100000000
DATA lane<>+8(SB)/8, $0x300000002
DATA lane<>+16(SB)/8, $0x500000004
DATA lane<>+24(SB)/8, $0x700000006
DATA lane<>+32(SB)/8, $0x900000008
DATA lane<>+40(SB)/8, $0xb0000000a
DATA lane<>+48(SB)/8, $0xd0000000c
DATA lane<>+56(SB)/8, $0xf0000000e
GLOBL lane<>(SB), RODATA|NOPTR, $64

// step^1 to step^16 of the random numbers' multiplier.
DATA powers<>+0(SB)/8, $0xd1342543de82ef95
DATA powers<>+8(SB)/8, $0xb1b9d47c9f8b8cb9
DATA powers<>+16(SB)/8, $0x739d9fcd088b9ead
DATA powers<>+24(SB)/8, $0x49136017ec40ddb1
DATA powers<>+32(SB)/8, $0xe7fc1700229b4705
DATA powers<>+40(SB)/8, $0x2d320d22823800e9
DATA powers<>+48(SB)/8, $0x35f577dd97c40e9d
DATA powers<>+56(SB)/8, $0xce3a3efbf07b1461
DATA powers<>+64(SB)/8, $0xee0b12b556eb6b75
DATA powers<>+72(SB)/8, $0xc348830c67c1c619
DATA powers<>+80(SB)/8, $0x79400ad1926ba38d
DATA powers<>+88(SB)/8, $0xce38d51109f0d411
DATA powers<>+96(SB)/8, $0x6c66c4d80dc94ce5
DATA powers<>+104(SB)/8, $0xa2921075973d8c49
DATA powers<>+112(SB)/8, $0xe375cda707dccd7d
DATA powers<>+120(SB)/8, $0x6913f39876d54cc1
GLOBL powers<>(SB), RODATA|NOPTR, $128

// The upper halves of the 64-bit lanes of two vectors.
DATA upper<>+0(SB)/8, $0x300000001
DATA upper<>+8(SB)/8, $0x700000005
DATA upper<>+16(SB)/8, $0xb00000009
DATA upper<>+24(SB)/8, $0xf0000000d
DATA upper<>+32(SB)/8, $0x1300000011
DATA upper<>+40(SB)/8, $0x1700000015
DATA upper<>+48(SB)/8, $0x1b00000019
DATA upper<>+56(SB)/8, $0x1f0000001d
GLOBL upper<>(SB), RODATA|NOPTR, $64

// Where the sums of the eight dimensions lie before the end of FOLD21.
DATA sums<>+0(SB)/8, $0x400000000
DATA sums<>+8(SB)/8, $0xc00000008
DATA sums<>+16(SB)/8, $0x600000002
DATA sums<>+24(SB)/8, $0xe0000000a
GLOBL sums<>(SB), RODATA|NOPTR, $32

// ADAM takes the step of the point at byte CX of the rows, whose gradient is Y8.
#define ADAM \
	VBROADCASTSS BETA1, Y9 \
	VMULPS (AX)(CX*1), Y9, Y10 \
	VMULPS Y8, Y9, Y9 \
	VADDPS Y9, Y10, Y10 \
	VMOVUPS Y10, (AX)(CX*1) \
	VMULPS Y8, Y8, Y8 \
	VBROADCASTSS GAMMA2, Y9 \
	VMULPS Y8, Y9, Y8 \
	VBROADCASTSS BETA2, Y9 \
	VMULPS (BX)(CX*1), Y9, Y9 \
	VADDPS Y8, Y9, Y8 \
	VMOVUPS Y8, (BX)(CX*1) \
	VSQRTPS Y8, Y8 \
	VBROADCASTSS EPSILON, Y9 \
	VADDPS Y9, Y8, Y8 \
	VBROADCASTSS RATE(DI), Y9 \
	VMULPS Y10, Y9, Y10 \
	VDIVPS Y8, Y10, Y10 \
	VADDPS (SI)(CX*1), Y10, Y10 \
	VMOVUPS Y10, (R10)(CX*1)

// The AVX-512 kernels. A point's pairs are written down first, at AX, as four
// times the number of the other point: of its R13 edges drawn, then of its
// negative samples, then, to fill the last sixteen, of the point itself, which
// pulls with nothing. Then sixteen at a time are taken out of memory, dimension d
// of theirs in Z8+d, and their pulls added to Z0+d.
//
// Up to eight points go through three loops one after another: the first writes
// their pairs, the second sums up their pulls, the third adds up the lanes and
// takes the steps. A point on its own is a chain of some 250 clocks, and behind it
// the processor's queues would fill with what waits.

// PAIRS512 writes the pairs of point R14 at AX, moves AX behind them, and notes at
// R15 where that is and the number of edges.
#define PAIRS512 \
	MOVQ (R12), DX \
	MOVQ 8(R12), R10 \
	ADDQ $8, R12 \
	SUBQ DX, R10 \
	MOVQ RATES(DI), R8 \
	MOVQ TAILS(DI), R9 \
	LEAQ (R8)(DX*4), R8 \
	LEAQ (R9)(DX*4), R9 \
	XORL R13, R13 \
edges: \
	VPBROADCASTD R10, Z8 \
	VPCMPGTD Z30, Z8, K3 \
	VMOVDQU32.Z (R8), K3, Z8 \
	VMOVDQU32.Z (R9), K3, Z9 \
	VPMULLD Z31, Z8, Z10 \
	VPADDD Z8, Z10, Z10 \
	VPCMPUD $1, Z8, Z10, K3, K4 \
	VPSLLD $2, Z9, Z9 \
	VPCOMPRESSD.Z Z9, K4, Z9 \
	VMOVDQU32 Z9, (AX)(R13*4) \
	KMOVW K4, DX \
	POPCNTL DX, DX \
	ADDQ DX, R13 \
	ADDQ $64, R8 \
	ADDQ $64, R9 \
	SUBQ $16, R10 \
	JGT edges \
	MOVQ R13, 8(R15) \
	MOVQ NEGS(DI), CX \
	IMULQ R13, CX \
	LEAQ (AX)(R13*4), R10 \
	LEAQ (R10)(CX*4), BX \
	MOVQ STATES(DI), DX \
	ADDQ $8, STATES(DI) \
	VPBROADCASTQ (DX), Z8 \
	VPMULLQ powers<>+64(SB), Z8, Z9 \
	VPMULLQ powers<>+0(SB), Z8, Z8 \
negatives: \
	VPSRLQ $32, Z8, Z13 \
	VPSRLQ $32, Z9, Z14 \
	VPMULUDQ Z16, Z13, Z13 \
	VPMULUDQ Z16, Z14, Z14 \
	VPERMT2D Z14, Z15, Z13 \
	VPSLLD $2, Z13, Z13 \
	VMOVDQU32 Z13, (R10) \
	VPMULLQ Z17, Z8, Z8 \
	VPMULLQ Z17, Z9, Z9 \
	ADDQ $64, R10 \
	SUBQ $16, CX \
	JGT negatives \
	LEAQ (R14*4), DX \
	VPBROADCASTD DX, Z8 \
	VMOVDQU32 Z8, (BX) \
	ADDQ $63, BX \
	ANDQ $~63, BX \
	MOVQ BX, AX \
	MOVQ BX, (R15)

// HALF512 takes the eight points at o(R10): in each 128 bits of p0, dimension
// 0 or 4 of four of them, and so on.
#define HALF512(o, p0, p1, p2, p3) \
	MOVL (o+0)(R10), CX \
	MOVL (o+16)(R10), DX \
	VMOVUPS (SI)(CX*8), Y8 \
	VINSERTF32X8 $1, (SI)(DX*8), Z8, Z8 \
	MOVL (o+4)(R10), CX \
	MOVL (o+20)(R10), DX \
	VMOVUPS (SI)(CX*8), Y9 \
	VINSERTF32X8 $1, (SI)(DX*8), Z9, Z9 \
	MOVL (o+8)(R10), CX \
	MOVL (o+24)(R10), DX \
	VMOVUPS (SI)(CX*8), Y10 \
	VINSERTF32X8 $1, (SI)(DX*8), Z10, Z10 \
	MOVL (o+12)(R10), CX \
	MOVL (o+28)(R10), DX \
	VMOVUPS (SI)(CX*8), Y11 \
	VINSERTF32X8 $1, (SI)(DX*8), Z11, Z11 \
	VUNPCKLPS Z9, Z8, Z12 \
	VUNPCKHPS Z9, Z8, Z13 \
	VUNPCKLPS Z11, Z10, Z14 \
	VUNPCKHPS Z11, Z10, Z15 \
	VUNPCKLPD Z14, Z12, p0 \
	VUNPCKHPD Z14, Z12, p1 \
	VUNPCKLPD Z15, Z13, p2 \
	VUNPCKHPD Z15, Z13, p3

// DISTANCE512 leaves in Z16 the squared length of the differences in Z8 to Z12.
#define DISTANCE512 \
	VMULPS Z8, Z8, Z16 \
	VMULPS Z12, Z12, Z17 \
	VADDPS Z17, Z16, Z16 \
	VMULPS Z10, Z10, Z17 \
	VADDPS Z17, Z16, Z16 \
	VMULPS Z9, Z9, Z17 \
	VMULPS Z11, Z11, Z18 \
	VADDPS Z18, Z17, Z17 \
	VADDPS Z17, Z16, Z16

// FORCE512 turns the squared distances in Z16 into the forces, Z21: to negative
// samples where Z28 is negative.
#define FORCE512 \
	VMAXPS.BCST MIND2, Z16, Z16 \
	VMINPS.BCST MAXD2, Z16, Z16 \
	VPSRLD $23, Z16, Z17 \
	VPERMI2PS Z25, Z24, Z17 \
	VMOVAPS Z16, Z18 \
	VPTERNLOGD $0xEA, Z27, Z26, Z18 \
	VMULPS.BCST CURVE3(R11), Z18, Z19 \
	VADDPS.BCST CURVE2(R11), Z19, Z19 \
	VMULPS Z18, Z19, Z19 \
	VADDPS.BCST CURVE1(R11), Z19, Z19 \
	VMULPS Z18, Z19, Z19 \
	VADDPS.BCST CURVE0(R11), Z19, Z19 \
	VMULPS Z17, Z19, Z19 \
	VADDPS Z27, Z19, Z20 \
	VPMOVD2M Z28, K2 \
	VMULPS.BCST EDGE(R11), Z19, Z21 \
	VBROADCASTSS SAMPLE(R11), K2, Z21 \
	VADDPS.BCST SOFTNESS, Z16, K2, Z16 \
	VMULPS Z20, Z16, Z16 \
	VDIVPS Z16, Z21, Z21

// PULL512 adds the pulls in one dimension, the absolute value at most 4.
#define PULL512(d, sum) \
	VMULPS Z21, d, d \
	VRANGEPS $2, Z29, d, d \
	VADDPS d, sum, sum

// Adds the lanes 8 to 15 of a and b to their lanes 0 to 7: those of a in the
// low half of out, those of b in the high one.
#define FOLD8(a, b, out) \
	VSHUFF32X4 $0x44, b, a, Z14 \
	VSHUFF32X4 $0xEE, b, a, out \
	VADDPS out, Z14, out

// And what these leave, 4 to 7 to 0 to 3.
#define FOLD4(a, b, out) \
	VSHUFF32X4 $0x88, b, a, Z14 \
	VSHUFF32X4 $0xDD, b, a, out \
	VADDPS out, Z14, out

// FOLD21 ends with the eight sums in Y8.
#define FOLD21 \
	VUNPCKLPD Z13, Z12, Z14 \
	VUNPCKHPD Z13, Z12, Z15 \
	VADDPS Z15, Z14, Z14 \
	VMOVSHDUP Z14, Z15 \
	VADDPS Z15, Z14, Z14 \
	VMOVDQU sums<>(SB), Y15 \
	VPERMPS Z14, Z15, Z8

#define BEGIN512 \
	MOVQ s+0(FP), DI \
	MOVQ POS(DI), SI \
	MOVQ FORCES(DI), R11 \
	MOVQ START(DI), R12 \
	MOVQ LO(DI), R14 \
	VMOVUPS POWER(R11), Z24 \
	VMOVUPS (POWER+64)(R11), Z25 \
	VPBROADCASTD MANTISSA, Z26 \
	VBROADCASTSS ONE, Z27 \
	VBROADCASTSS FOUR, Z29 \
	VMOVDQU32 lane<>(SB), Z30 \
	VPBROADCASTD EPOCH(DI), Z31

// func step5AVX512(s *steps)
TEXT ·step5AVX512(SB), 0, $2752-8
	BEGIN512

group:
	MOVQ PAIRS(DI), AX
	LEAQ points-2752(SP), R15
	VPBROADCASTQ powers<>+120(SB), Z17
	VPBROADCASTQ COUNT(DI), Z16
	VMOVDQU32 upper<>(SB), Z15

point:
	PAIRS512
	ADDQ $16, R15
	INCQ R14
	CMPQ R14, HI(DI)
	JGE  pull
	LEAQ points-2624(SP), DX
	CMPQ R15, DX
	JGE  pull
	CMPQ AX, LIMIT(DI)
	JLE  point

pull:
	MOVQ PAIRS(DI), R10
	LEAQ points-2752(SP), AX
	SUBQ AX, R15
	SHRQ $4, R15 // points
	SUBQ R15, R14
	MOVQ R14, R13
	SHLQ $5, R13
	LEAQ points-2624(SP), R9
	ADDQ $63, R9
	ANDQ $~63, R9
	MOVQ R15, R8

of:
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	VPXORD Z4, Z4, Z4
	MOVQ (AX), BX
	VPBROADCASTD 8(AX), Z28
	ADDQ $16, AX
	VPSUBD Z30, Z28, Z28
	VPSUBD.BCST ONEINT, Z28, Z28
	CMPQ R10, BX
	JGE  pulled

batch:
	HALF512(0, Z16, Z17, Z18, Z19)
	HALF512(32, Z20, Z21, Z22, Z23)
	VSHUFF32X4 $0x88, Z20, Z16, Z8
	VSHUFF32X4 $0xDD, Z20, Z16, Z12
	VSHUFF32X4 $0x88, Z21, Z17, Z9
	VSHUFF32X4 $0x88, Z22, Z18, Z10
	VSHUFF32X4 $0x88, Z23, Z19, Z11
	VSUBPS.BCST 0(SI)(R13*1), Z8, Z8
	VSUBPS.BCST 16(SI)(R13*1), Z12, Z12
	VSUBPS.BCST 8(SI)(R13*1), Z10, Z10
	VSUBPS.BCST 4(SI)(R13*1), Z9, Z9
	VSUBPS.BCST 12(SI)(R13*1), Z11, Z11
	DISTANCE512
	FORCE512
	VPSUBD.BCST SIXTEEN, Z28, Z28
	PULL512(Z8, Z0)
	PULL512(Z9, Z1)
	PULL512(Z10, Z2)
	PULL512(Z11, Z3)
	PULL512(Z12, Z4)
	ADDQ $64, R10
	CMPQ R10, BX
	JLT  batch

pulled:
	VMOVUPS Z0, 0(R9)
	VMOVUPS Z1, 64(R9)
	VMOVUPS Z2, 128(R9)
	VMOVUPS Z3, 192(R9)
	VMOVUPS Z4, 256(R9)
	ADDQ $320, R9
	ADDQ $32, R13
	DECQ R8
	JNZ  of
	IMUL3Q $320, R15, R8
	SUBQ R8, R9
	MOVQ R14, CX
	SHLQ $5, CX
	ADDQ R15, R14
	MOVQ MEAN(DI), AX
	MOVQ SQUARE(DI), BX
	MOVQ OUT(DI), R10

move:
	VMOVUPS 0(R9), Z0
	VMOVUPS 64(R9), Z1
	VMOVUPS 128(R9), Z2
	VMOVUPS 192(R9), Z3
	VMOVUPS 256(R9), Z4
	VPXORD Z5, Z5, Z5
	FOLD8(Z0, Z1, Z8)
	FOLD8(Z2, Z3, Z9)
	FOLD8(Z4, Z5, Z10)
	FOLD4(Z8, Z9, Z12)
	FOLD4(Z10, Z5, Z13)
	FOLD21
	ADAM
	ADDQ $320, R9
	ADDQ $32, CX
	DECQ R15
	JNZ  move
	CMPQ R14, HI(DI)
	JLT  group
	VZEROUPPER
	RET

// func step8AVX512(s *steps)
TEXT ·step8AVX512(SB), 0, $4288-8
	BEGIN512

group:
	MOVQ PAIRS(DI), AX
	LEAQ points-4288(SP), R15
	VPBROADCASTQ powers<>+120(SB), Z17
	VPBROADCASTQ COUNT(DI), Z16
	VMOVDQU32 upper<>(SB), Z15

point:
	PAIRS512
	ADDQ $16, R15
	INCQ R14
	CMPQ R14, HI(DI)
	JGE  pull
	LEAQ points-4160(SP), DX
	CMPQ R15, DX
	JGE  pull
	CMPQ AX, LIMIT(DI)
	JLE  point

pull:
	MOVQ PAIRS(DI), R10
	LEAQ points-4288(SP), AX
	SUBQ AX, R15
	SHRQ $4, R15 // points
	SUBQ R15, R14
	MOVQ R14, R13
	SHLQ $5, R13
	LEAQ points-4160(SP), R9
	ADDQ $63, R9
	ANDQ $~63, R9
	MOVQ R15, R8

of:
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	VPXORD Z4, Z4, Z4
	VPXORD Z5, Z5, Z5
	VPXORD Z6, Z6, Z6
	VPXORD Z7, Z7, Z7
	MOVQ (AX), BX
	VPBROADCASTD 8(AX), Z28
	ADDQ $16, AX
	VPSUBD Z30, Z28, Z28
	VPSUBD.BCST ONEINT, Z28, Z28
	CMPQ R10, BX
	JGE  pulled

batch:
	HALF512(0, Z16, Z17, Z18, Z19)
	HALF512(32, Z20, Z21, Z22, Z23)
	VSHUFF32X4 $0x88, Z20, Z16, Z8
	VSHUFF32X4 $0x88, Z21, Z17, Z9
	VSHUFF32X4 $0x88, Z22, Z18, Z10
	VSHUFF32X4 $0x88, Z23, Z19, Z11
	VSHUFF32X4 $0xDD, Z20, Z16, Z12
	VSHUFF32X4 $0xDD, Z21, Z17, Z13
	VSHUFF32X4 $0xDD, Z22, Z18, Z14
	VSHUFF32X4 $0xDD, Z23, Z19, Z15
	VSUBPS.BCST 0(SI)(R13*1), Z8, Z8
	VSUBPS.BCST 4(SI)(R13*1), Z9, Z9
	VSUBPS.BCST 8(SI)(R13*1), Z10, Z10
	VSUBPS.BCST 12(SI)(R13*1), Z11, Z11
	VSUBPS.BCST 16(SI)(R13*1), Z12, Z12
	VSUBPS.BCST 20(SI)(R13*1), Z13, Z13
	VSUBPS.BCST 24(SI)(R13*1), Z14, Z14
	VSUBPS.BCST 28(SI)(R13*1), Z15, Z15
	VMULPS Z8, Z8, Z16
	VMULPS Z12, Z12, Z17
	VADDPS Z17, Z16, Z16
	VMULPS Z10, Z10, Z17
	VMULPS Z14, Z14, Z18
	VADDPS Z18, Z17, Z17
	VADDPS Z17, Z16, Z16
	VMULPS Z9, Z9, Z17
	VMULPS Z13, Z13, Z18
	VADDPS Z18, Z17, Z17
	VMULPS Z11, Z11, Z18
	VMULPS Z15, Z15, Z19
	VADDPS Z19, Z18, Z18
	VADDPS Z18, Z17, Z17
	VADDPS Z17, Z16, Z16
	FORCE512
	VPSUBD.BCST SIXTEEN, Z28, Z28
	PULL512(Z8, Z0)
	PULL512(Z9, Z1)
	PULL512(Z10, Z2)
	PULL512(Z11, Z3)
	PULL512(Z12, Z4)
	PULL512(Z13, Z5)
	PULL512(Z14, Z6)
	PULL512(Z15, Z7)
	ADDQ $64, R10
	CMPQ R10, BX
	JLT  batch

pulled:
	VMOVUPS Z0, 0(R9)
	VMOVUPS Z1, 64(R9)
	VMOVUPS Z2, 128(R9)
	VMOVUPS Z3, 192(R9)
	VMOVUPS Z4, 256(R9)
	VMOVUPS Z5, 320(R9)
	VMOVUPS Z6, 384(R9)
	VMOVUPS Z7, 448(R9)
	ADDQ $512, R9
	ADDQ $32, R13
	DECQ R8
	JNZ  of
	IMUL3Q $512, R15, R8
	SUBQ R8, R9
	MOVQ R14, CX
	SHLQ $5, CX
	ADDQ R15, R14
	MOVQ MEAN(DI), AX
	MOVQ SQUARE(DI), BX
	MOVQ OUT(DI), R10

move:
	VMOVUPS 0(R9), Z0
	VMOVUPS 64(R9), Z1
	VMOVUPS 128(R9), Z2
	VMOVUPS 192(R9), Z3
	VMOVUPS 256(R9), Z4
	VMOVUPS 320(R9), Z5
	VMOVUPS 384(R9), Z6
	VMOVUPS 448(R9), Z7
	FOLD8(Z0, Z1, Z8)
	FOLD8(Z2, Z3, Z9)
	FOLD8(Z4, Z5, Z10)
	FOLD8(Z6, Z7, Z11)
	FOLD4(Z8, Z9, Z12)
	FOLD4(Z10, Z11, Z13)
	FOLD21
	ADAM
	ADDQ $512, R9
	ADDQ $32, CX
	DECQ R15
	JNZ  move
	CMPQ R14, HI(DI)
	JLT  group
	VZEROUPPER
	RET

// The constants of the AVX2 kernels, eight times each.
DATA wide<>+0(SB)/8, $0x3680000036800000
DATA wide<>+8(SB)/8, $0x3680000036800000
DATA wide<>+16(SB)/8, $0x3680000036800000
DATA wide<>+24(SB)/8, $0x3680000036800000
DATA wide<>+32(SB)/8, $0x467fffff467fffff
DATA wide<>+40(SB)/8, $0x467fffff467fffff
DATA wide<>+48(SB)/8, $0x467fffff467fffff
DATA wide<>+56(SB)/8, $0x467fffff467fffff
DATA wide<>+64(SB)/8, $0x3a83126f3a83126f
DATA wide<>+72(SB)/8, $0x3a83126f3a83126f
DATA wide<>+80(SB)/8, $0x3a83126f3a83126f
DATA wide<>+88(SB)/8, $0x3a83126f3a83126f
DATA wide<>+96(SB)/8, $0x4080000040800000
DATA wide<>+104(SB)/8, $0x4080000040800000
DATA wide<>+112(SB)/8, $0x4080000040800000
DATA wide<>+120(SB)/8, $0x4080000040800000
DATA wide<>+128(SB)/8, $0xc0800000c0800000
DATA wide<>+136(SB)/8, $0xc0800000c0800000
DATA wide<>+144(SB)/8, $0xc0800000c0800000
DATA wide<>+152(SB)/8, $0xc0800000c0800000
DATA wide<>+160(SB)/8, $0x3f8000003f800000
DATA wide<>+168(SB)/8, $0x3f8000003f800000
DATA wide<>+176(SB)/8, $0x3f8000003f800000
DATA wide<>+184(SB)/8, $0x3f8000003f800000
DATA wide<>+192(SB)/8, $0x007fffff007fffff
DATA wide<>+200(SB)/8, $0x007fffff007fffff
DATA wide<>+208(SB)/8, $0x007fffff007fffff
DATA wide<>+216(SB)/8, $0x007fffff007fffff
GLOBL wide<>(SB), RODATA|NOPTR, $224

#define MIND2256 wide<>+0(SB)
#define MAXD2256 wide<>+32(SB)
#define SOFTNESS256 wide<>+64(SB)
#define FOUR256 wide<>+96(SB)
#define MINUS4256 wide<>+128(SB)
#define ONE256 wide<>+160(SB)
#define MANTISSA256 wide<>+192(SB)

// The AVX2 kernels do the same with eight pairs at a time: first those of the
// lower eight lanes of all sixteens, then those of the upper ones, and Adam's steps
// at the end.

// PAIRS256 writes the pairs of point R14 at AX and their end to BX; R13 edges.
#define PAIRS256 \
	MOVQ (R12), CX \
	MOVQ 8(R12), R10 \
	ADDQ $8, R12 \
	MOVQ RATES(DI), R8 \
	MOVQ TAILS(DI), R9 \
	XORL R13, R13 \
	JMP edgesEnd \
edges: \
	MOVL (R9)(CX*4), BX \
	SHLL $2, BX \
	MOVL BX, (AX)(R13*4) \
	MOVL (R8)(CX*4), DX \
	MOVL EPOCH(DI), BX \
	IMULL DX, BX \
	INCQ CX \
	ADDL DX, BX \
	ADCQ $0, R13 \
edgesEnd: \
	CMPQ CX, R10 \
	JLT edges \
	MOVQ NEGS(DI), CX \
	IMULQ R13, CX \
	LEAQ (AX)(R13*4), R10 \
	LEAQ (R10)(CX*4), BX \
	MOVQ STATES(DI), DX \
	ADDQ $8, STATES(DI) \
	MOVQ (DX), DX \
	MOVQ powers<>+0(SB), R8 \
	JMP negativesEnd \
negatives: \
	IMULQ R8, DX \
	MOVQ DX, R9 \
	SHRQ $32, R9 \
	IMULQ COUNT(DI), R9 \
	SHRQ $32, R9 \
	SHLL $2, R9 \
	MOVL R9, (R10) \
	ADDQ $4, R10 \
negativesEnd: \
	CMPQ R10, BX \
	JLT negatives \
	LEAQ (R14*4), DX \
	VMOVD DX, X0 \
	VPBROADCASTD X0, Y0 \
	VMOVDQU Y0, (BX) \
	VMOVDQU Y0, 32(BX)

// ROWS256 takes four dimensions, from byte o of a row on, of the eight points at
// R10; t4 to t7 are lost.
#define ROWS256(o, d0, x0, d1, x1, d2, x2, d3, x3, t4, t5, t6, t7) \
	MOVL 0(R10), CX \
	MOVL 16(R10), DX \
	VMOVUPS o(SI)(CX*8), x0 \
	VINSERTF128 $1, o(SI)(DX*8), d0, d0 \
	MOVL 4(R10), CX \
	MOVL 20(R10), DX \
	VMOVUPS o(SI)(CX*8), x1 \
	VINSERTF128 $1, o(SI)(DX*8), d1, d1 \
	MOVL 8(R10), CX \
	MOVL 24(R10), DX \
	VMOVUPS o(SI)(CX*8), x2 \
	VINSERTF128 $1, o(SI)(DX*8), d2, d2 \
	MOVL 12(R10), CX \
	MOVL 28(R10), DX \
	VMOVUPS o(SI)(CX*8), x3 \
	VINSERTF128 $1, o(SI)(DX*8), d3, d3 \
	VUNPCKLPS d1, d0, t4 \
	VUNPCKHPS d1, d0, t5 \
	VUNPCKLPS d3, d2, t6 \
	VUNPCKHPS d3, d2, t7 \
	VUNPCKLPD t6, t4, d0 \
	VUNPCKHPD t6, t4, d1 \
	VUNPCKLPD t7, t5, d2 \
	VUNPCKHPD t7, t5, d3

// FORCE256 turns the squared distances in q into the forces, t3. R9 pairs, and
// those before them, are edges.
#define FORCE256(q, t1, x1, t2, t3, t4) \
	VMAXPS MIND2256, q, q \
	VMINPS MAXD2256, q, q \
	VPSRLD $23, q, t1 \
	VPERMPS LOW(R11), t1, t1 \
	VPSRLD $26, q, t2 \
	VPERMPS HIGH(R11), t2, t2 \
	VMULPS t2, t1, t1 \
	VANDPS MANTISSA256, q, t2 \
	VORPS ONE256, t2, t2 \
	VMULPS curve3-32(SP), t2, t3 \
	VADDPS curve2-64(SP), t3, t3 \
	VMULPS t2, t3, t3 \
	VADDPS curve1-96(SP), t3, t3 \
	VMULPS t2, t3, t3 \
	VADDPS curve0-128(SP), t3, t3 \
	VMULPS t1, t3, t3 \
	VADDPS ONE256, t3, t2 \
	VMOVD R9, x1 \
	VPBROADCASTD x1, t1 \
	VPCMPGTD lane<>(SB), t1, t1 \
	SUBQ $16, R9 \
	VMULPS edge-160(SP), t3, t3 \
	VMOVUPS sample-192(SP), t4 \
	VBLENDVPS t1, t3, t4, t3 \
	VANDNPS SOFTNESS256, t1, t1 \
	VADDPS t1, q, q \
	VMULPS t2, q, q \
	VDIVPS q, t3, t3

#define PULL256(c, d, sum) \
	VMULPS c, d, d \
	VMINPS FOUR256, d, d \
	VMAXPS MINUS4256, d, d \
	VADDPS sum, d, sum

#define SELF256(d, place) \
	VBROADCASTSS d(SI)(R15*1), Y0 \
	VMOVUPS Y0, place

#define CONST256(field, place) \
	VBROADCASTSS field(R11), Y0 \
	VMOVUPS Y0, place

#define BEGIN256 \
	MOVQ s+0(FP), DI \
	MOVQ POS(DI), SI \
	MOVQ PAIRS(DI), AX \
	MOVQ FORCES(DI), R11 \
	MOVQ START(DI), R12 \
	MOVQ LO(DI), R14 \
	CONST256(CURVE3, curve3-32(SP)) \
	CONST256(CURVE2, curve2-64(SP)) \
	CONST256(CURVE1, curve1-96(SP)) \
	CONST256(CURVE0, curve0-128(SP)) \
	CONST256(EDGE, edge-160(SP)) \
	CONST256(SAMPLE, sample-192(SP))

// FOLD256 adds up the lanes of Y0 to Y7, into Y8.
#define FOLD256 \
	VPERM2F128 $0x20, Y4, Y0, Y8 \
	VPERM2F128 $0x31, Y4, Y0, Y9 \
	VADDPS Y9, Y8, Y8 \
	VPERM2F128 $0x20, Y5, Y1, Y9 \
	VPERM2F128 $0x31, Y5, Y1, Y10 \
	VADDPS Y10, Y9, Y9 \
	VPERM2F128 $0x20, Y6, Y2, Y10 \
	VPERM2F128 $0x31, Y6, Y2, Y11 \
	VADDPS Y11, Y10, Y10 \
	VPERM2F128 $0x20, Y7, Y3, Y11 \
	VPERM2F128 $0x31, Y7, Y3, Y12 \
	VADDPS Y12, Y11, Y11 \
	VUNPCKLPD Y9, Y8, Y12 \
	VUNPCKHPD Y9, Y8, Y13 \
	VADDPS Y13, Y12, Y12 \
	VUNPCKLPD Y11, Y10, Y13 \
	VUNPCKHPD Y11, Y10, Y14 \
	VADDPS Y14, Y13, Y13 \
	VSHUFPS $0x88, Y13, Y12, Y8 \
	VSHUFPS $0xDD, Y13, Y12, Y9 \
	VADDPS Y9, Y8, Y8

// END256 leaves the gradient, Y8, goes on to the next point, and at last takes all
// steps.
#define END256 \
	MOVQ OUT(DI), R10 \
	VMOVUPS Y8, (R10)(R15*1) \
	INCQ R14 \
	CMPQ R14, HI(DI) \
	JLT point \
	MOVQ LO(DI), CX \
	SHLQ $5, CX \
	SHLQ $5, R14 \
	MOVQ MEAN(DI), AX \
	MOVQ SQUARE(DI), BX \
move: \
	VMOVUPS (R10)(CX*1), Y8 \
	ADAM \
	ADDQ $32, CX \
	CMPQ CX, R14 \
	JLT move \
	VZEROUPPER

// FIFTH256 is ROWS256 for the fifth dimension alone, in Y9.
#define FIFTH256 \
	MOVL 0(R10), CX \
	MOVL 16(R10), DX \
	VMOVUPS 16(SI)(CX*8), X9 \
	VINSERTF128 $1, 16(SI)(DX*8), Y9, Y9 \
	MOVL 4(R10), CX \
	MOVL 20(R10), DX \
	VMOVUPS 16(SI)(CX*8), X10 \
	VINSERTF128 $1, 16(SI)(DX*8), Y10, Y10 \
	MOVL 8(R10), CX \
	MOVL 24(R10), DX \
	VMOVUPS 16(SI)(CX*8), X11 \
	VINSERTF128 $1, 16(SI)(DX*8), Y11, Y11 \
	MOVL 12(R10), CX \
	MOVL 28(R10), DX \
	VMOVUPS 16(SI)(CX*8), X12 \
	VINSERTF128 $1, 16(SI)(DX*8), Y12, Y12 \
	VUNPCKLPS Y10, Y9, Y9 \
	VUNPCKLPS Y12, Y11, Y11 \
	VUNPCKLPD Y11, Y9, Y9

// func step5AVX2(s *steps)
TEXT ·step5AVX2(SB), 0, $512-8
	BEGIN256

point:
	PAIRS256
	MOVQ R14, R15
	SHLQ $5, R15
	SELF256(0, self0-224(SP))
	SELF256(4, self1-256(SP))
	SELF256(8, self2-288(SP))
	SELF256(12, self3-320(SP))
	SELF256(16, self4-352(SP))
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	MOVQ R13, R9
	MOVQ AX, R10
	JMP  pulled

half:
	ROWS256(0, Y5, X5, Y6, X6, Y7, X7, Y8, X8, Y10, Y11, Y12, Y13)
	FIFTH256
	VSUBPS self0-224(SP), Y5, Y5
	VSUBPS self1-256(SP), Y6, Y6
	VSUBPS self2-288(SP), Y7, Y7
	VSUBPS self3-320(SP), Y8, Y8
	VSUBPS self4-352(SP), Y9, Y9
	VMULPS Y5, Y5, Y10
	VMULPS Y9, Y9, Y11
	VADDPS Y11, Y10, Y10
	VMULPS Y7, Y7, Y11
	VADDPS Y11, Y10, Y10
	VMULPS Y6, Y6, Y11
	VMULPS Y8, Y8, Y12
	VADDPS Y12, Y11, Y11
	VADDPS Y11, Y10, Y10
	FORCE256(Y10, Y11, X11, Y12, Y13, Y14)
	PULL256(Y13, Y5, Y0)
	PULL256(Y13, Y6, Y1)
	PULL256(Y13, Y7, Y2)
	PULL256(Y13, Y8, Y3)
	PULL256(Y13, Y9, Y4)
	ADDQ $64, R10

pulled:
	CMPQ R10, BX
	JLT  half
	SUBQ AX, R10
	TESTQ $32, R10
	JNZ  upper
	VMOVUPS Y0, low0-384(SP)
	VXORPS Y0, Y0, Y0
	VMOVUPS Y1, low1-416(SP)
	VXORPS Y1, Y1, Y1
	VMOVUPS Y2, low2-448(SP)
	VXORPS Y2, Y2, Y2
	VMOVUPS Y3, low3-480(SP)
	VXORPS Y3, Y3, Y3
	VMOVUPS Y4, low4-512(SP)
	VXORPS Y4, Y4, Y4
	LEAQ 32(AX), R10
	LEAQ -8(R13), R9
	JMP  pulled

upper:
	VADDPS low0-384(SP), Y0, Y0
	VADDPS low1-416(SP), Y1, Y1
	VADDPS low2-448(SP), Y2, Y2
	VADDPS low3-480(SP), Y3, Y3
	VADDPS low4-512(SP), Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	FOLD256
	END256
	RET

// func step8AVX2(s *steps)
TEXT ·step8AVX2(SB), 0, $960-8
	BEGIN256

point:
	PAIRS256
	MOVQ R14, R15
	SHLQ $5, R15
	SELF256(0, self0-224(SP))
	SELF256(4, self1-256(SP))
	SELF256(8, self2-288(SP))
	SELF256(12, self3-320(SP))
	SELF256(16, self4-352(SP))
	SELF256(20, self5-384(SP))
	SELF256(24, self6-416(SP))
	SELF256(28, self7-448(SP))
	VXORPS Y0, Y0, Y0
	LEAQ sums-960(SP), R8
	VMOVUPS Y0, 0(R8)
	VMOVUPS Y0, 32(R8)
	VMOVUPS Y0, 64(R8)
	VMOVUPS Y0, 96(R8)
	VMOVUPS Y0, 128(R8)
	VMOVUPS Y0, 160(R8)
	VMOVUPS Y0, 192(R8)
	VMOVUPS Y0, 224(R8)
	VMOVUPS Y0, 256(R8)
	VMOVUPS Y0, 288(R8)
	VMOVUPS Y0, 320(R8)
	VMOVUPS Y0, 352(R8)
	VMOVUPS Y0, 384(R8)
	VMOVUPS Y0, 416(R8)
	VMOVUPS Y0, 448(R8)
	VMOVUPS Y0, 480(R8)
	MOVQ R13, R9
	MOVQ AX, R10
	JMP  pulled

half:
	ROWS256(0, Y0, X0, Y1, X1, Y2, X2, Y3, X3, Y8, Y9, Y10, Y11)
	ROWS256(16, Y4, X4, Y5, X5, Y6, X6, Y7, X7, Y8, Y9, Y10, Y11)
	VSUBPS self0-224(SP), Y0, Y0
	VSUBPS self1-256(SP), Y1, Y1
	VSUBPS self2-288(SP), Y2, Y2
	VSUBPS self3-320(SP), Y3, Y3
	VSUBPS self4-352(SP), Y4, Y4
	VSUBPS self5-384(SP), Y5, Y5
	VSUBPS self6-416(SP), Y6, Y6
	VSUBPS self7-448(SP), Y7, Y7
	VMULPS Y0, Y0, Y8
	VMULPS Y4, Y4, Y9
	VADDPS Y9, Y8, Y8
	VMULPS Y2, Y2, Y9
	VMULPS Y6, Y6, Y10
	VADDPS Y10, Y9, Y9
	VADDPS Y9, Y8, Y8
	VMULPS Y1, Y1, Y9
	VMULPS Y5, Y5, Y10
	VADDPS Y10, Y9, Y9
	VMULPS Y3, Y3, Y10
	VMULPS Y7, Y7, Y11
	VADDPS Y11, Y10, Y10
	VADDPS Y10, Y9, Y9
	VADDPS Y9, Y8, Y8
	FORCE256(Y8, Y9, X9, Y10, Y11, Y12)
	VMOVUPS 0(R8), Y12
	PULL256(Y11, Y0, Y12)
	VMOVUPS Y12, 0(R8)
	VMOVUPS 32(R8), Y12
	PULL256(Y11, Y1, Y12)
	VMOVUPS Y12, 32(R8)
	VMOVUPS 64(R8), Y12
	PULL256(Y11, Y2, Y12)
	VMOVUPS Y12, 64(R8)
	VMOVUPS 96(R8), Y12
	PULL256(Y11, Y3, Y12)
	VMOVUPS Y12, 96(R8)
	VMOVUPS 128(R8), Y12
	PULL256(Y11, Y4, Y12)
	VMOVUPS Y12, 128(R8)
	VMOVUPS 160(R8), Y12
	PULL256(Y11, Y5, Y12)
	VMOVUPS Y12, 160(R8)
	VMOVUPS 192(R8), Y12
	PULL256(Y11, Y6, Y12)
	VMOVUPS Y12, 192(R8)
	VMOVUPS 224(R8), Y12
	PULL256(Y11, Y7, Y12)
	VMOVUPS Y12, 224(R8)
	ADDQ $64, R10

pulled:
	CMPQ R10, BX
	JLT  half
	SUBQ AX, R10
	TESTQ $32, R10
	JNZ  upper
	ADDQ $256, R8
	LEAQ 32(AX), R10
	LEAQ -8(R13), R9
	JMP  pulled

upper:
	VMOVUPS 0(R8), Y0
	VADDPS -256(R8), Y0, Y0
	VMOVUPS 32(R8), Y1
	VADDPS -224(R8), Y1, Y1
	VMOVUPS 64(R8), Y2
	VADDPS -192(R8), Y2, Y2
	VMOVUPS 96(R8), Y3
	VADDPS -160(R8), Y3, Y3
	VMOVUPS 128(R8), Y4
	VADDPS -128(R8), Y4, Y4
	VMOVUPS 160(R8), Y5
	VADDPS -96(R8), Y5, Y5
	VMOVUPS 192(R8), Y6
	VADDPS -64(R8), Y6, Y6
	VMOVUPS 224(R8), Y7
	VADDPS -32(R8), Y7, Y7
	FOLD256
	END256
	RET
