package sdk

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ErrOutOfMemory says that memory, of the device or of the machine, did not
// suffice for a batch. The host tries a smaller one.
var ErrOutOfMemory = errors.New("out of memory")

// ErrUnavailable says that a service which the embedder needs can't be reached
// now. The host tries the same call again later.
var ErrUnavailable = errors.New("service unavailable")

// statusOf turns an error of the embedder's into the gRPC status that tells the
// host what to do about it. An error that already is a status stays what it is.
func statusOf(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if st, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok {
		return status.Error(st.GRPCStatus().Code(), err.Error())
	}
	code := codes.Unknown
	switch {
	case ctx.Err() != nil:
		code = status.FromContextError(ctx.Err()).Code()
	case errors.Is(err, ErrOutOfMemory):
		code = codes.ResourceExhausted
	case errors.Is(err, ErrUnavailable):
		code = codes.Unavailable
	}
	return status.Error(code, fmt.Sprintf("%s: %v", op, err))
}

// fault is an embedder that broke a promise of its own.
func fault(op string, err error) error {
	return status.Error(codes.Internal, fmt.Sprintf("%s: the embedder broke a promise: %v", op, err))
}
