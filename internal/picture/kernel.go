package picture

// The inner loops. Each has a version in Go, which is the rule, and one in
// assembly where there is one for the processor; they are equal to the last bit.
var (
	resizeAcross = resizeAcrossGo
	resizeDown   = resizeDownGo
	inverseBlock = inverseBlockGo
	blend        = blendGo
	double       = doubleGo
	toRGB        = toRGBGo
)
