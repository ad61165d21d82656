// Package vectorfile reads precomputed vectors, one row a document, and writes
// the matrices of a run.
//
// Read: .npy (floating-point or whole numbers of any width and byte order, C
// or Fortran order), .npz (a dense array, or a CSR, CSC or COO matrix of
// scipy.sparse.save_npz), Parquet (a list column of floats, ids beside it) and
// .fvecs. Values become float32. Written: .npy by rows and .npz as CSR, each
// whole or not at all, readable by numpy.load and scipy.sparse.load_npz.
//
// Files are treated as hostile: shapes are checked against the bytes that are
// there before memory is taken. A dense matrix takes its own memory once: none
// of the heap where its values are float32 in rows, which are mapped where they
// lie, or where Options.Folder names a place for others, which are converted
// there (float16 is half as long on the disk as what a run computes with).
package vectorfile
