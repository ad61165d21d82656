#include "textflag.h"

// Offsets: a step is a pair of columns. Panels a hold 12 and panels b 32 pairs
// of int16 a step (48 and 128 bytes), tile rows 96 values (384 bytes).

#define ROW512(off, c0, c1) \
	VPBROADCASTD off(AX), Z26 \
	VPDPWSSD Z24, Z26, c0 \
	VPDPWSSD Z25, Z26, c1

#define STORE512(off, c0, c1) \
	VMOVDQU32 c0, off(DI) \
	VMOVDQU32 c1, (off+64)(DI)

// func dotTileAVX512(dst, a, b *int32, steps int)
TEXT ·dotTileAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), AX
	MOVQ b+16(FP), BX
	MOVQ steps+24(FP), CX
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
	VMOVDQU32 (BX), Z24
	VMOVDQU32 64(BX), Z25
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
	VPBROADCASTD off(AX), Y14 \
	VPMADDWD Y12, Y14, Y15 \
	VPADDD Y15, c0, c0 \
	VPMADDWD Y13, Y14, Y14 \
	VPADDD Y14, c1, c1

#define STORE2(off, c0, c1) \
	VMOVDQU c0, off(DI) \
	VMOVDQU c1, (off+32)(DI)

// func dotHalfAVX2(dst, a, b *int32, steps int)
// Fills 6 rows x 16 columns.
TEXT ·dotHalfAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), AX
	MOVQ b+16(FP), BX
	MOVQ steps+24(FP), CX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7
	VPXOR Y8, Y8, Y8
	VPXOR Y9, Y9, Y9
	VPXOR Y10, Y10, Y10
	VPXOR Y11, Y11, Y11

loop2:
	VMOVDQU (BX), Y12
	VMOVDQU 32(BX), Y13
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

// Compares eight keys with the lesser of the row's floor (Y0) and the columns'.
#define CMP(off, reg) \
	VPMINSD off(DX), Y0, Y1 \
	VMOVDQU off(SI), Y2 \
	VPCMPGTD Y1, Y2, Y3 \
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

// func scanAVX2(t *tile, rowFloor, colFloor *[blockRows]int32, out *hits)
TEXT ·scanAVX2(SB), NOSPLIT, $0-32
	MOVQ t+0(FP), SI
	MOVQ rowFloor+8(FP), AX
	MOVQ colFloor+16(FP), DX
	MOVQ out+24(FP), DI
	MOVQ $96, CX

row:
	VPBROADCASTD (AX), Y0
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

#define LOADSUMS \
	VMOVUPD (DI), Y0 \
	VMOVUPD 32(DI), Y1 \
	VMOVUPD 64(DI), Y2 \
	VMOVUPD 96(DI), Y3

#define STORESUMS \
	VMOVUPD Y0, (DI) \
	VMOVUPD Y1, 32(DI) \
	VMOVUPD Y2, 64(DI) \
	VMOVUPD Y3, 96(DI)

// The products of float32 are exact in float64, so that adding them by a
// separate instruction gives the same as a fused one.
#define PRODUCT(off, c) \
	VCVTPS2PD off(SI), Y4 \
	VCVTPS2PD off(BX), Y5 \
	VMULPD Y4, Y5, Y5 \
	VADDPD Y5, c, c

// func sumProductsAVX2(sum *[lanes]float64, x, y *float32, rounds int)
TEXT ·sumProductsAVX2(SB), NOSPLIT, $0-32
	MOVQ sum+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), BX
	MOVQ rounds+24(FP), CX
	LOADSUMS

products:
	PRODUCT(0, Y0)
	PRODUCT(16, Y1)
	PRODUCT(32, Y2)
	PRODUCT(48, Y3)
	ADDQ $64, SI
	ADDQ $64, BX
	DECQ CX
	JNZ  products
	STORESUMS
	VZEROUPPER
	RET

#define SQUARE(off, c) \
	VCVTPS2PD off(SI), Y4 \
	VCVTPS2PD off(BX), Y5 \
	VSUBPD Y5, Y4, Y4 \
	VMULPD Y4, Y4, Y4 \
	VADDPD Y4, c, c

// func sumSquaresAVX2(sum *[lanes]float64, x, y *float32, rounds int)
TEXT ·sumSquaresAVX2(SB), NOSPLIT, $0-32
	MOVQ sum+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), BX
	MOVQ rounds+24(FP), CX
	LOADSUMS

squares:
	SQUARE(0, Y0)
	SQUARE(16, Y1)
	SQUARE(32, Y2)
	SQUARE(48, Y3)
	ADDQ $64, SI
	ADDQ $64, BX
	DECQ CX
	JNZ  squares
	STORESUMS
	VZEROUPPER
	RET

#define WIDE(off, x, a, b, c) \
	VMOVUPD off(SI), x \
	VFMADD231PD off(BX), x, a \
	VFMADD231PD off(BX)(R8*1), x, b \
	VFMADD231PD off(BX)(R8*2), x, c

// Adds the halves of sixteen sums until one is left, as total does.
#define TOTAL(a, low, b, c, d, off) \
	VADDPD c, a, a \
	VADDPD d, b, b \
	VADDPD b, a, a \
	VEXTRACTF128 $1, a, X15 \
	VADDPD X15, low, low \
	VPERMILPD $1, low, X15 \
	VADDSD X15, low, low \
	VMOVSD low, off(DI)

// func threeProductsFMA(sums *[3]float64, x, y *float64, width int)
TEXT ·threeProductsFMA(SB), NOSPLIT, $0-32
	MOVQ sums+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), BX
	MOVQ width+24(FP), CX
	MOVQ CX, R8
	SHLQ $3, R8
	SHRQ $4, CX
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	VXORPD Y2, Y2, Y2
	VXORPD Y3, Y3, Y3
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	VXORPD Y8, Y8, Y8
	VXORPD Y9, Y9, Y9
	VXORPD Y10, Y10, Y10
	VXORPD Y11, Y11, Y11

wide:
	WIDE(0, Y12, Y0, Y4, Y8)
	WIDE(32, Y13, Y1, Y5, Y9)
	WIDE(64, Y14, Y2, Y6, Y10)
	WIDE(96, Y15, Y3, Y7, Y11)
	ADDQ $128, SI
	ADDQ $128, BX
	DECQ CX
	JNZ  wide
	TOTAL(Y0, X0, Y1, Y2, Y3, 0)
	TOTAL(Y4, X4, Y5, Y6, Y7, 8)
	TOTAL(Y8, X8, Y9, Y10, Y11, 16)
	VZEROUPPER
	RET
