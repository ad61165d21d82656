#include "textflag.h"

// A block of columns stays in registers while the rows pass by. Rows lie here and
// there: each is asked for eight rows ahead.

// columns adds four columns of the row at AX.
#define columns(from, sum) \
	VCVTPS2PD from(AX), Y8; \
	VMULPD Y15, Y8, Y8;     \
	VADDPD Y8, sum, sum

// func addRowsAVX(sum *float64, n int, vectors *byte, offsets *int64, weights *float64, rows int, tail *columnMask)
TEXT ·addRowsAVX(SB), NOSPLIT, $0-56
	MOVQ sum+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ vectors+16(FP), SI
	MOVQ offsets+24(FP), R8
	MOVQ weights+32(FP), R9
	MOVQ rows+40(FP), R10
	SUBQ $32, CX
	JLT eight

next32:
	VMOVUPD (DI), Y0
	VMOVUPD 32(DI), Y1
	VMOVUPD 64(DI), Y2
	VMOVUPD 96(DI), Y3
	VMOVUPD 128(DI), Y4
	VMOVUPD 160(DI), Y5
	VMOVUPD 192(DI), Y6
	VMOVUPD 224(DI), Y7
	XORQ DX, DX

row32:
	MOVQ 64(R8)(DX*8), BX
	MOVQ (R8)(DX*8), AX
	VBROADCASTSD (R9)(DX*8), Y15
	ADDQ SI, AX
	PREFETCHT0 (SI)(BX*1)
	PREFETCHT0 64(SI)(BX*1)
	columns(0, Y0)
	columns(16, Y1)
	columns(32, Y2)
	columns(48, Y3)
	columns(64, Y4)
	columns(80, Y5)
	columns(96, Y6)
	columns(112, Y7)
	INCQ DX
	CMPQ DX, R10
	JLT row32
	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	VMOVUPD Y4, 128(DI)
	VMOVUPD Y5, 160(DI)
	VMOVUPD Y6, 192(DI)
	VMOVUPD Y7, 224(DI)
	ADDQ $256, DI
	ADDQ $128, SI
	SUBQ $32, CX
	JGE next32

eight:
	ADDQ $24, CX
	JLT rest

next8:
	VMOVUPD (DI), Y0
	VMOVUPD 32(DI), Y1
	XORQ DX, DX

row8:
	MOVQ (R8)(DX*8), AX
	VBROADCASTSD (R9)(DX*8), Y15
	ADDQ SI, AX
	columns(0, Y0)
	columns(16, Y1)
	INCQ DX
	CMPQ DX, R10
	JLT row8
	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	ADDQ $64, DI
	ADDQ $32, SI
	SUBQ $8, CX
	JGE next8

rest: // of less than eight columns, those that tail has
	CMPQ CX, $-8
	JEQ done
	MOVQ tail+48(FP), BX
	VMOVUPS (BX), X10
	VMOVUPS 16(BX), X11
	VMOVUPD 32(BX), Y12
	VMOVUPD 64(BX), Y13
	VMASKMOVPD (DI), Y12, Y0
	VMASKMOVPD 32(DI), Y13, Y1
	XORQ DX, DX

rowRest:
	MOVQ (R8)(DX*8), AX
	VBROADCASTSD (R9)(DX*8), Y15
	VMASKMOVPS (SI)(AX*1), X10, X8
	VMASKMOVPS 16(SI)(AX*1), X11, X9
	VCVTPS2PD X8, Y8
	VCVTPS2PD X9, Y9
	VMULPD Y15, Y8, Y8
	VMULPD Y15, Y9, Y9
	VADDPD Y8, Y0, Y0
	VADDPD Y9, Y1, Y1
	INCQ DX
	CMPQ DX, R10
	JLT rowRest
	VMASKMOVPD Y0, Y12, (DI)
	VMASKMOVPD Y1, Y13, 32(DI)

done:
	VZEROUPPER
	RET
