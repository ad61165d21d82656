#include "textflag.h"

// Fields of pull.
#define POS   0
#define SELF  8
#define OUT   16
#define RATES 24
#define TAILS 32
#define EDGES 40
#define ATTR  48
#define REPEL 56
#define STATE 64
#define COUNT 72
#define NEGS  80
#define EPOCH 88

DATA limits<>+0(SB)/4, $0x33800000 // minD2, 2^-24
DATA limits<>+4(SB)/4, $0x497fffff // the float32 below maxD2, 2^20
DATA limits<>+8(SB)/4, $4.0
DATA limits<>+12(SB)/4, $-4.0
GLOBL limits<>(SB), RODATA|NOPTR, $16

// Adds the force of the table at tab between the point in Y0 and the one at
// byte BX of the positions to Y1, and swaps Y1 with Y9, so that even and odd
// pairs are added up apart. 52736 is 8 bytes times minD2's segment.
#define PAIR(tab) \
	VMOVUPS (SI)(BX*1), Y6 \
	VSUBPS Y6, Y0, Y6 \
	VMULPS Y6, Y6, Y7 \
	VEXTRACTF128 $1, Y7, X8 \
	VADDPS X8, X7, X7 \
	VMOVHLPS X7, X7, X8 \
	VADDPS X8, X7, X7 \
	VMOVSHDUP X7, X8 \
	VADDSS X8, X7, X7 \
	VMAXSS X2, X7, X7 \
	VMINSS X3, X7, X7 \
	VMOVD X7, DX \
	SHRL $17, DX \
	VMULSS -52732(tab)(DX*8), X7, X7 \
	VADDSS -52736(tab)(DX*8), X7, X7 \
	VBROADCASTSS X7, Y7 \
	VMULPS Y7, Y6, Y6 \
	VMINPS Y4, Y6, Y6 \
	VMAXPS Y5, Y6, Y6 \
	VADDPS Y6, Y1, Y7 \
	VMOVAPS Y9, Y1 \
	VMOVAPS Y7, Y9

// func gradientAVX2(p *pull)
TEXT ·gradientAVX2(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), DI
	MOVQ POS(DI), SI
	MOVQ SELF(DI), AX
	VMOVUPS (AX), Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y9, Y9, Y9
	VMOVSS limits<>+0(SB), X2
	VMOVSS limits<>+4(SB), X3
	VBROADCASTSS limits<>+8(SB), Y4
	VBROADCASTSS limits<>+12(SB), Y5
	MOVQ RATES(DI), R8
	MOVQ TAILS(DI), R9
	MOVQ EDGES(DI), R10
	MOVQ ATTR(DI), R11
	MOVQ REPEL(DI), R12
	MOVQ STATE(DI), R13
	MOVQ COUNT(DI), CX
	MOVQ $0xd1342543de82ef95, AX
	XORQ R14, R14 // edges drawn

edge:
	MOVL (R8), DX
	MOVL DX, BX
	IMULL EPOCH(DI), BX
	ADDL DX, BX
	JCC  next
	INCQ R14
	MOVLQZX (R9), BX
	SHLQ $5, BX
	PAIR(R11)

next:
	ADDQ $4, R8
	ADDQ $4, R9
	DECQ R10
	JNZ  edge
	TESTQ $1, R14
	JZ   even
	VMOVAPS Y1, Y7 // repulsion begins with an even pair again
	VMOVAPS Y9, Y1
	VMOVAPS Y7, Y9

even:
	IMULQ NEGS(DI), R14
	MOVQ R14, R8
	TESTQ R14, R14
	JZ   done

negative:
	IMULQ AX, R13
	MOVQ R13, BX
	SHRQ $32, BX
	IMULQ CX, BX
	SHRQ $32, BX
	SHLQ $5, BX
	PAIR(R12)
	DECQ R14
	JNZ  negative
	TESTQ $1, R8
	JZ   done
	VMOVAPS Y1, Y7
	VMOVAPS Y9, Y1
	VMOVAPS Y7, Y9

done:
	VADDPS Y9, Y1, Y1
	MOVQ OUT(DI), AX
	VMOVUPS Y1, (AX)
	VZEROUPPER
	RET

// step^1 to step^8 of the random numbers' multiplier.
DATA powers<>+0(SB)/8, $0xd1342543de82ef95
DATA powers<>+8(SB)/8, $0xb1b9d47c9f8b8cb9
DATA powers<>+16(SB)/8, $0x739d9fcd088b9ead
DATA powers<>+24(SB)/8, $0x49136017ec40ddb1
DATA powers<>+32(SB)/8, $0xe7fc1700229b4705
DATA powers<>+40(SB)/8, $0x2d320d22823800e9
DATA powers<>+48(SB)/8, $0x35f577dd97c40e9d
DATA powers<>+56(SB)/8, $0xce3a3efbf07b1461
GLOBL powers<>(SB), RODATA|NOPTR, $64

// Where the factors of pairs 2k and 2k+1 lie, eight times each.
DATA spread<>+0(SB)/8, $0x0
DATA spread<>+8(SB)/8, $0x0
DATA spread<>+16(SB)/8, $0x0
DATA spread<>+24(SB)/8, $0x0
DATA spread<>+32(SB)/8, $0x400000004
DATA spread<>+40(SB)/8, $0x400000004
DATA spread<>+48(SB)/8, $0x400000004
DATA spread<>+56(SB)/8, $0x400000004
DATA spread<>+64(SB)/8, $0x800000008
DATA spread<>+72(SB)/8, $0x800000008
DATA spread<>+80(SB)/8, $0x800000008
DATA spread<>+88(SB)/8, $0x800000008
DATA spread<>+96(SB)/8, $0xc0000000c
DATA spread<>+104(SB)/8, $0xc0000000c
DATA spread<>+112(SB)/8, $0xc0000000c
DATA spread<>+120(SB)/8, $0xc0000000c
DATA spread<>+128(SB)/8, $0x200000002
DATA spread<>+136(SB)/8, $0x200000002
DATA spread<>+144(SB)/8, $0x200000002
DATA spread<>+152(SB)/8, $0x200000002
DATA spread<>+160(SB)/8, $0x600000006
DATA spread<>+168(SB)/8, $0x600000006
DATA spread<>+176(SB)/8, $0x600000006
DATA spread<>+184(SB)/8, $0x600000006
DATA spread<>+192(SB)/8, $0xa0000000a
DATA spread<>+200(SB)/8, $0xa0000000a
DATA spread<>+208(SB)/8, $0xa0000000a
DATA spread<>+216(SB)/8, $0xa0000000a
DATA spread<>+224(SB)/8, $0xe0000000e
DATA spread<>+232(SB)/8, $0xe0000000e
DATA spread<>+240(SB)/8, $0xe0000000e
DATA spread<>+248(SB)/8, $0xe0000000e
GLOBL spread<>(SB), RODATA|NOPTR, $256

// FRONT begins with eight points, whose byte offsets in the positions lie at R10:
// the differences of the point in both halves of Z0 to two of them each in d0 to
// d3; in the even words of dd the squared distances, limited, of pairs 0, 4, 1, 5,
// 2, 6, 3, 7; at slot the numbers of their segments, in that order.
#define FRONT(d0, d1, d2, d3, e0, e1, e2, e3, dd, slot) \
	MOVQ 0(R10), BX \
	MOVQ 8(R10), CX \
	VMOVUPS (SI)(BX*1), e0 \
	VINSERTF32X8 $1, (SI)(CX*1), d0, d0 \
	MOVQ 16(R10), BX \
	MOVQ 24(R10), CX \
	VMOVUPS (SI)(BX*1), e1 \
	VINSERTF32X8 $1, (SI)(CX*1), d1, d1 \
	MOVQ 32(R10), BX \
	MOVQ 40(R10), CX \
	VMOVUPS (SI)(BX*1), e2 \
	VINSERTF32X8 $1, (SI)(CX*1), d2, d2 \
	MOVQ 48(R10), BX \
	MOVQ 56(R10), CX \
	VMOVUPS (SI)(BX*1), e3 \
	VINSERTF32X8 $1, (SI)(CX*1), d3, d3 \
	VSUBPS d0, Z0, d0 \
	VSUBPS d1, Z0, d1 \
	VSUBPS d2, Z0, d2 \
	VSUBPS d3, Z0, d3 \
	VMULPS d0, d0, Z6 \
	VMULPS d1, d1, Z7 \
	VMULPS d2, d2, Z8 \
	VMULPS d3, d3, Z9 \
	VSHUFF32X4 $0x88, Z7, Z6, Z10 \
	VSHUFF32X4 $0xDD, Z7, Z6, Z11 \
	VADDPS Z11, Z10, Z10 \
	VSHUFF32X4 $0x88, Z9, Z8, Z6 \
	VSHUFF32X4 $0xDD, Z9, Z8, Z7 \
	VADDPS Z7, Z6, Z6 \
	VUNPCKLPD Z6, Z10, Z7 \
	VUNPCKHPD Z6, Z10, Z8 \
	VADDPS Z8, Z7, Z7 \
	VMOVSHDUP Z7, Z8 \
	VADDPS Z8, Z7, dd \
	VMAXPS Z2, dd, dd \
	VMINPS Z3, dd, dd \
	VPSRLD.Z $17, dd, K2, Z7 \
	VMOVDQU64 Z7, slot(AX) \
	ADDQ $64, R10

// BACK looks up in the table at R13 the forces of what FRONT left, and adds them
// to Z1: those of even pairs to its low half, of odd ones to its high half.
#define BACK(d0, d1, d2, d3, dd, slot) \
	MOVQ (slot+0)(AX), BX \
	MOVQ (slot+16)(AX), CX \
	MOVQ (slot+32)(AX), DX \
	MOVQ (slot+48)(AX), R14 \
	VMOVSD -52736(R13)(BX*8), X8 \
	VMOVSD -52736(R13)(CX*8), X9 \
	VMOVSD -52736(R13)(DX*8), X10 \
	VMOVSD -52736(R13)(R14*8), X11 \
	MOVQ (slot+8)(AX), BX \
	MOVQ (slot+24)(AX), CX \
	MOVQ (slot+40)(AX), DX \
	MOVQ (slot+56)(AX), R14 \
	VMOVHPD -52736(R13)(BX*8), X8, X8 \
	VMOVHPD -52736(R13)(CX*8), X9, X9 \
	VMOVHPD -52736(R13)(DX*8), X10, X10 \
	VMOVHPD -52736(R13)(R14*8), X11, X11 \
	VINSERTF128 $1, X9, Y8, Y8 \
	VINSERTF128 $1, X11, Y10, Y10 \
	VINSERTF64X4 $1, Y10, Z8, Z8 \
	VPSRLQ $32, Z8, Z9 \
	VMULPS dd, Z9, Z9 \
	VADDPS Z8, Z9, Z9 \
	VPERMPS Z9, Z16, Z6 \
	VPERMPS Z9, Z17, Z7 \
	VPERMPS Z9, Z18, Z8 \
	VPERMPS Z9, Z19, Z10 \
	VMULPS Z6, d0, Z6 \
	VMULPS Z7, d1, Z7 \
	VMULPS Z8, d2, Z8 \
	VMULPS Z10, d3, Z10 \
	VMINPS Z4, Z6, Z6 \
	VMINPS Z4, Z7, Z7 \
	VMINPS Z4, Z8, Z8 \
	VMINPS Z4, Z10, Z10 \
	VMAXPS Z5, Z6, Z6 \
	VMAXPS Z5, Z7, Z7 \
	VMAXPS Z5, Z8, Z8 \
	VMAXPS Z5, Z10, Z10 \
	VADDPS Z6, Z1, Z1 \
	VADDPS Z7, Z1, Z1 \
	VADDPS Z8, Z1, Z1 \
	VADDPS Z10, Z1, Z1

// NEXT turns R13 to the table of the batch that FRONT began last: that of
// attraction while any of its R9 batches is left.
#define NEXT \
	MOVQ R12, R13 \
	DECQ R9 \
	CMOVQGE R11, R13

// func gradientAVX512(p *pull)
//
// The byte offsets of all points that pull come first, eight a batch, those of
// edges, then those of negative samples; a batch that is not full is filled with
// the point itself, which pulls with nothing. Then BACK of one batch follows FRONT
// of the next, so that neither waits for what it needs. AX: two slots, then the
// tails of edges drawn of which there are not yet eight, then the offsets.
TEXT ·gradientAVX512(SB), 0, $4672-8
	MOVQ p+0(FP), DI
	MOVQ POS(DI), SI
	MOVQ SELF(DI), AX
	VBROADCASTF32X8 (AX), Z0
	SUBQ SI, AX
	VPBROADCASTQ AX, Z20
	LEAQ buffer-4672(SP), AX
	ADDQ $63, AX
	ANDQ $~63, AX
	VPXORQ Z1, Z1, Z1
	VBROADCASTSS limits<>+0(SB), Z2
	VBROADCASTSS limits<>+4(SB), Z3
	VBROADCASTSS limits<>+8(SB), Z4
	VBROADCASTSS limits<>+12(SB), Z5
	VMOVDQU64 spread<>+0(SB), Z16
	VMOVDQU64 spread<>+64(SB), Z17
	VMOVDQU64 spread<>+128(SB), Z18
	VMOVDQU64 spread<>+192(SB), Z19
	MOVL $0x5555, DX
	KMOVW DX, K2
	MOVQ RATES(DI), R8
	MOVQ TAILS(DI), R9
	MOVQ EDGES(DI), R10
	LEAQ 256(AX), R15
	VPBROADCASTD EPOCH(DI), Z21
	XORQ R13, R13 // edges drawn
	XORQ R14, R14 // of these, in no batch yet

edges:
	MOVQ $16, CX
	CMPQ R10, CX
	CMOVQLT R10, CX
	MOVL $1, DX
	SHLL CX, DX
	DECL DX
	KMOVW DX, K3
	VMOVDQU32.Z (R8), K3, Z6
	VMOVDQU32.Z (R9), K3, Z7
	VPMULLD Z21, Z6, Z8
	VPADDD Z6, Z8, Z8
	VPCMPUD $1, Z6, Z8, K3, K4 // drawn: the sum passed a whole number
	VPCOMPRESSD.Z Z7, K4, Z7
	VMOVDQU32 Z7, 128(AX)(R14*4)
	KMOVW K4, DX
	POPCNTL DX, DX
	ADDQ DX, R13
	ADDQ DX, R14
	ADDQ $64, R8
	ADDQ $64, R9
	SUBQ $16, R10

full:
	CMPQ R14, $8
	JLT  more
	VPMOVZXDQ 128(AX), Z6
	VPSLLQ $5, Z6, Z6
	VMOVDQU64 Z6, (R15)
	ADDQ $64, R15
	VMOVDQU32 160(AX), Z7
	VMOVDQU32 Z7, 128(AX)
	SUBQ $8, R14
	JMP  full

more:
	TESTQ R10, R10
	JGT  edges
	TESTQ R14, R14
	JZ   sample
	MOVQ R14, CX
	MOVL $1, DX
	SHLL CX, DX
	DECL DX
	KMOVW DX, K3
	VPMOVZXDQ 128(AX), Z6
	VPSLLQ $5, Z6, Z6
	VPBLENDMQ Z6, Z20, K3, Z6
	VMOVDQU64 Z6, (R15)
	ADDQ $64, R15

sample:
	LEAQ 256(AX), R10
	MOVQ R15, R9
	SUBQ R10, R9
	SHRQ $6, R9 // batches of edges
	IMULQ NEGS(DI), R13
	TESTQ R13, R13
	JZ   drawn
	VPBROADCASTQ STATE(DI), Z22
	VPMULLQ powers<>+0(SB), Z22, Z22
	VPBROADCASTQ powers<>+56(SB), Z23
	VPBROADCASTQ COUNT(DI), Z24

negatives:
	VPSRLQ $32, Z22, Z6
	VPMULUDQ Z24, Z6, Z6
	VPSRLQ $32, Z6, Z6
	VPSLLQ $5, Z6, Z6
	VPMULLQ Z23, Z22, Z22
	VMOVDQU64 Z6, (R15)
	ADDQ $64, R15
	SUBQ $8, R13
	JGT  negatives
	JZ   drawn
	ADDQ $8, R13 // the last batch has R13
	MOVQ R13, CX
	MOVL $1, DX
	SHLL CX, DX
	DECL DX
	KMOVW DX, K3
	VPBLENDMQ Z6, Z20, K3, Z6
	VMOVDQU64 Z6, -64(R15)

drawn:
	CMPQ R10, R15
	JEQ  done
	MOVQ REPEL(DI), R12
	MOVQ ATTR(DI), R11
	FRONT(Z12, Z13, Z14, Z15, Y12, Y13, Y14, Y15, Z25, 0)

odd:
	NEXT
	CMPQ R10, R15
	JEQ  lastEven
	FRONT(Z26, Z27, Z28, Z29, Y26, Y27, Y28, Y29, Z30, 64)
	BACK(Z12, Z13, Z14, Z15, Z25, 0)
	NEXT
	CMPQ R10, R15
	JEQ  lastOdd
	FRONT(Z12, Z13, Z14, Z15, Y12, Y13, Y14, Y15, Z25, 0)
	BACK(Z26, Z27, Z28, Z29, Z30, 64)
	JMP  odd

lastEven:
	BACK(Z12, Z13, Z14, Z15, Z25, 0)
	JMP done

lastOdd:
	BACK(Z26, Z27, Z28, Z29, Z30, 64)

done:
	VEXTRACTF32X8 $1, Z1, Y6
	VADDPS Y6, Y1, Y1
	MOVQ OUT(DI), AX
	VMOVUPS Y1, (AX)
	VZEROUPPER
	RET

DATA adam<>+0(SB)/4, $0.5
DATA adam<>+4(SB)/4, $0x3f666666 // 0.9
DATA adam<>+8(SB)/4, $0x3dcccccd // 0.1
DATA adam<>+12(SB)/4, $0x33d6bf95 // 1e-7
GLOBL adam<>(SB), RODATA|NOPTR, $16

// func adamAVX2(grad, y, m, v *float32, rate float32)
TEXT ·adamAVX2(SB), NOSPLIT, $0-36
	MOVQ grad+0(FP), DI
	MOVQ y+8(FP), SI
	MOVQ m+16(FP), R8
	MOVQ v+24(FP), R9
	VBROADCASTSS rate+32(FP), Y7
	VBROADCASTSS adam<>+0(SB), Y3
	VBROADCASTSS adam<>+4(SB), Y4
	VBROADCASTSS adam<>+8(SB), Y5
	VBROADCASTSS adam<>+12(SB), Y6
	VMOVUPS (DI), Y0
	VMULPS (R8), Y3, Y1
	VMULPS Y0, Y3, Y2
	VADDPS Y2, Y1, Y1
	VMOVUPS Y1, (R8)
	VMULPS Y0, Y0, Y0
	VMULPS Y0, Y5, Y0
	VMULPS (R9), Y4, Y2
	VADDPS Y0, Y2, Y2
	VMOVUPS Y2, (R9)
	VSQRTPS Y2, Y2
	VADDPS Y6, Y2, Y2
	VMULPS Y1, Y7, Y1
	VDIVPS Y2, Y1, Y1
	VADDPS (SI), Y1, Y1
	VMOVUPS Y1, (DI)
	VZEROUPPER
	RET
