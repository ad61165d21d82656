// Package picture reads pictures for an embedder of images and for reports, and
// makes of them what a vision model takes.
//
// A picture is what its content says, whatever its name: JPEG, PNG, GIF (the
// first frame), WebP, BMP, TIFF. What comes out is upright (the orientation that
// a camera notes in EXIF is applied), in 8-bit RGB, on white where it was
// transparent. Size is checked against limits before pixels are decoded, a panic
// of a decoder is an error of that picture alone, and every error says of which
// kind it is.
//
// Preprocess follows the image processors of the Python library transformers to
// the last bit of their resized pixels: Pillow's filters in fixed-point numbers,
// its rounding, its order of passes. That makes the result a function of the
// picture alone, on any number of threads.
package picture
