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
// byte BX of the positions to Y1. 52736 is 8 bytes times minD2's segment.
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
	VADDPS Y6, Y1, Y1

// func gradientAVX2(p *pull)
TEXT ·gradientAVX2(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), DI
	MOVQ POS(DI), SI
	MOVQ SELF(DI), AX
	VMOVUPS (AX), Y0
	VXORPS Y1, Y1, Y1
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
	MOVQ $0xd1342543de82ef95, AX
	TESTQ R10, R10
	JZ   done

edge:
	MOVL (R8), DX
	MOVL DX, CX
	IMULL EPOCH(DI), CX
	ADDL DX, CX
	JCC  next
	MOVLQZX (R9), BX
	SHLQ $5, BX
	PAIR(R11)
	MOVQ NEGS(DI), CX

negative:
	IMULQ AX, R13
	MOVQ R13, BX
	SHRQ $32, BX
	IMULQ COUNT(DI), BX
	SHRQ $32, BX
	SHLQ $5, BX
	PAIR(R12)
	DECQ CX
	JNZ  negative

next:
	ADDQ $4, R8
	ADDQ $4, R9
	DECQ R10
	JNZ  edge

done:
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
