#include "textflag.h"

// Offsets: panels a of 12 and b of 32 values a step (48 and 128 bytes), tile
// rows of 96 values (384 bytes). A product is rounded before it is added, as
// in the Go twin.

#define ROW512(off, c0, c1) \
	VBROADCASTSS off(AX), Z26 \
	VMULPS Z24, Z26, Z27 \
	VMULPS Z25, Z26, Z28 \
	VADDPS Z27, c0, c0 \
	VADDPS Z28, c1, c1

#define STORE512(off, c0, c1) \
	VMOVUPS c0, off(DI) \
	VMOVUPS c1, (off+64)(DI)

// func dotTileAVX512(dst *float32, a, b *float32, k int)
TEXT ·dotTileAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), AX
	MOVQ b+16(FP), BX
	MOVQ k+24(FP), CX
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	VPXORD Z4, Z4, Z4
	VPXORD Z5, Z5, Z5
	VPXORD Z6, Z6, Z6
	VPXORD Z7, Z7, Z7
	VPXORD Z8, Z8, Z8
	VPXORD Z9, Z9, Z9
	VPXORD Z10, Z10, Z10
	VPXORD Z11, Z11, Z11
	VPXORD Z12, Z12, Z12
	VPXORD Z13, Z13, Z13
	VPXORD Z14, Z14, Z14
	VPXORD Z15, Z15, Z15
	VPXORD Z16, Z16, Z16
	VPXORD Z17, Z17, Z17
	VPXORD Z18, Z18, Z18
	VPXORD Z19, Z19, Z19
	VPXORD Z20, Z20, Z20
	VPXORD Z21, Z21, Z21
	VPXORD Z22, Z22, Z22
	VPXORD Z23, Z23, Z23

loop512:
	VMOVUPS (BX), Z24
	VMOVUPS 64(BX), Z25
	ROW512(0, Z0, Z1)
	ROW512(4, Z2, Z3)
	ROW512(8, Z4, Z5)
	ROW512(12, Z6, Z7)
	ROW512(16, Z8, Z9)
	ROW512(20, Z10, Z11)
	ROW512(24, Z12, Z13)
	ROW512(28, Z14, Z15)
	ROW512(32, Z16, Z17)
	ROW512(36, Z18, Z19)
	ROW512(40, Z20, Z21)
	ROW512(44, Z22, Z23)
	ADDQ $48, AX
	ADDQ $128, BX
	DECQ CX
	JNZ  loop512

	STORE512(0, Z0, Z1)
	STORE512(384, Z2, Z3)
	STORE512(768, Z4, Z5)
	STORE512(1152, Z6, Z7)
	STORE512(1536, Z8, Z9)
	STORE512(1920, Z10, Z11)
	STORE512(2304, Z12, Z13)
	STORE512(2688, Z14, Z15)
	STORE512(3072, Z16, Z17)
	STORE512(3456, Z18, Z19)
	STORE512(3840, Z20, Z21)
	STORE512(4224, Z22, Z23)
	VZEROUPPER
	RET

#define ROW2(off, c0, c1) \
	VBROADCASTSS off(AX), Y14 \
	VMULPS Y12, Y14, Y15 \
	VADDPS Y15, c0, c0 \
	VMULPS Y13, Y14, Y14 \
	VADDPS Y14, c1, c1

#define STORE2(off, c0, c1) \
	VMOVUPS c0, off(DI) \
	VMOVUPS c1, (off+32)(DI)

// func dotHalfAVX2(dst *float32, a, b *float32, k int)
// Fills 6 rows x 16 columns.
TEXT ·dotHalfAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), AX
	MOVQ b+16(FP), BX
	MOVQ k+24(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11

loop2:
	VMOVUPS (BX), Y12
	VMOVUPS 32(BX), Y13
	ROW2(0, Y0, Y1)
	ROW2(4, Y2, Y3)
	ROW2(8, Y4, Y5)
	ROW2(12, Y6, Y7)
	ROW2(16, Y8, Y9)
	ROW2(20, Y10, Y11)
	ADDQ $48, AX
	ADDQ $128, BX
	DECQ CX
	JNZ  loop2

	STORE2(0, Y0, Y1)
	STORE2(384, Y2, Y3)
	STORE2(768, Y4, Y5)
	STORE2(1152, Y6, Y7)
	STORE2(1536, Y8, Y9)
	STORE2(1920, Y10, Y11)
	VZEROUPPER
	RET

// Compares eight values with the lesser of the row's bar (Y0) and the
// columns' bars: predicate 29 is "greater or equal, ordered, quiet".
#define CMP(off, reg) \
	VMINPS off(DX), Y0, Y1 \
	VMOVUPS off(SI), Y2 \
	VCMPPS $29, Y1, Y2, Y3 \
	VMOVMSKPS Y3, reg

#define WORD(off, outoff) \
	CMP(off, R8) \
	CMP((off+32), R9) \
	CMP((off+64), R10) \
	CMP((off+96), R11) \
	SHLL $8, R9 \
	SHLL $16, R10 \
	SHLL $24, R11 \
	ORL  R9, R8 \
	ORL  R11, R10 \
	ORL  R10, R8 \
	MOVL R8, outoff(DI)

// func scanAVX2(t *tile, rowBar, colBar *[blockRows]float32, out *hits)
TEXT ·scanAVX2(SB), NOSPLIT, $0-32
	MOVQ t+0(FP), SI
	MOVQ rowBar+8(FP), AX
	MOVQ colBar+16(FP), DX
	MOVQ out+24(FP), DI
	MOVQ $96, CX

row:
	VBROADCASTSS (AX), Y0
	WORD(0, 0)
	WORD(128, 4)
	WORD(256, 8)
	ADDQ $4, AX
	ADDQ $384, SI
	ADDQ $12, DI
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET
