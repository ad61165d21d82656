package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/sdk"
	pb "github.com/bertopic-go/bertopic/sdk/proto"
)

// describes is EMB-001.
func describes(ctx context.Context, s *suite) (string, error) {
	d, err := host.Describe(ctx, s.path)
	if err != nil {
		var e *host.Error
		if errors.As(err, &e) {
			err = e.Err
		}
		return "", err
	}
	s.description = d
	return "", s.fillSample()
}

// starts is EMB-002.
func starts(ctx context.Context, s *suite) (string, error) {
	begin := time.Now()
	p, err := s.start(ctx)
	if err != nil {
		s.stop(p)
		return "", err
	}
	s.main = p
	return fmt.Sprintf("ready after %v", time.Since(begin).Round(time.Millisecond)), nil
}

// startsSilently is EMB-003.
func startsSilently(_ context.Context, s *suite) (string, error) {
	if len(s.main.noise) > 0 {
		return "", fmt.Errorf("before the handshake, standard output said %q", s.main.noise[0])
	}
	return "", nil
}

// describesAlike is EMB-004.
func describesAlike(ctx context.Context, s *suite) (string, error) {
	again, err := host.Describe(ctx, s.path)
	if err != nil {
		return "", err
	}
	call, cancel := context.WithTimeout(ctx, firstAnswer)
	defer cancel()
	var wire [2]sdk.Description
	for i := range wire {
		r, err := s.main.api.Describe(call, &pb.DescribeRequest{})
		if err != nil {
			return "", s.explain(s.main, err)
		}
		if wire[i], err = sdk.DescriptionFromProto(r); err != nil {
			return "", err
		}
	}
	want := canonical(s.description)
	for _, other := range []struct {
		where string
		d     sdk.Description
	}{{"--describe the second time", again}, {"Describe", wire[0]}, {"Describe the second time", wire[1]}} {
		if have := canonical(other.d); have != want {
			return "", fmt.Errorf("--describe says %s\n%s says %s", want, other.where, have)
		}
	}
	return "", nil
}

// canonical is a description as text, in which nothing and an empty list are the
// same.
func canonical(d sdk.Description) string {
	text, err := json.Marshal(d)
	if err != nil {
		return err.Error()
	}
	return strings.NewReplacer(":null", ":[]", `:""`, ":[]").Replace(string(text))
}

// healthy is EMB-005.
func healthy(ctx context.Context, s *suite) (string, error) {
	call, cancel := context.WithTimeout(ctx, firstAnswer)
	defer cancel()
	r, err := grpc_health_v1.NewHealthClient(s.main.conn).Check(call, &grpc_health_v1.HealthCheckRequest{Service: plugin.GRPCServiceName})
	if err != nil {
		return "", s.explain(s.main, err)
	}
	if st := r.GetStatus(); st != grpc_health_v1.HealthCheckResponse_SERVING {
		return "", fmt.Errorf("its health is %s", st)
	}
	return "", nil
}

// keepsToTLS is EMB-006.
func keepsToTLS(ctx context.Context, s *suite) (string, error) {
	mine, err := newIdentity()
	if err != nil {
		return "", fmt.Errorf("make a certificate: %w", err)
	}
	p, err := s.launch(ctx, mine, s.path)
	defer s.stop(p)
	switch {
	case err != nil:
		return "", fmt.Errorf("with mutual TLS offered: %w", err)
	case p.certificate() == "":
		return "", notApplicable("it takes no part in it, and says so in its handshake")
	}
	other, err := newIdentity()
	if err != nil {
		return "", fmt.Errorf("make a certificate: %w", err)
	}
	for what, identity := range map[string]*identity{"in plain text": nil, "with a certificate that it was not given": other} {
		conn, err := p.dial(identity)
		if err != nil {
			return "", err
		}
		err = p.answers(ctx, pb.NewEmbedderClient(conn))
		_ = conn.Close()
		if err == nil {
			return "", fmt.Errorf("its handshake has a certificate, and yet it answers %s", what)
		}
	}
	return "", nil
}
