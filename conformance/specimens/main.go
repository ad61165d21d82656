// Program bertopic-embedder-specimen breaks the promises of an embedder, one at
// a time, so that the rules of the conformance suite and the guards of the host
// have something to bite on. README.md lists the faults.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/proto"
)

func main() {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	name, ok := strings.CutPrefix(name, "bertopic-embedder-")
	if !ok {
		name = "specimen"
	}
	e := &specimen{name: name, version: "0.1.0", sight: []sdk.Modality{sdk.Text}, mood: 1 + float32(time.Now().UnixNano()%1e6)/1e5}
	start := strings.TrimPrefix(name, "specimen-")
	switch start {
	case "sees":
		e.sight = []sdk.Modality{sdk.Text, sdk.Image}
	case "only-sees":
		e.sight = []sdk.Modality{sdk.Image}
	case "other-name":
		e.name = "otherwise"
	case "fickle":
		e.version = fmt.Sprintf("0.1.%d", time.Now().UnixNano())
	}
	describe := slices.Contains(os.Args[1:], "--describe")
	if describe && start == "bad-describe" {
		fmt.Println("specimen 0.1.0, at your service")
		return
	}
	if !describe {
		before(start, e)
	}
	sdk.ServeWith(e, func(s proto.EmbedderServer) proto.EmbedderServer { return newLiar(s, e) })
	e.work.Wait()
}

// before shows the faults that come before the handshake, or instead of it.
func before(fault string, e *specimen) {
	switch fault {
	case "stdout-noise":
		fmt.Println("loading the model, please wait")
	case "wrong-version":
		serveRaw(fault, 7, e)
	case "half-tls":
		if os.Getenv(clientCert) != "" {
			os.Unsetenv(clientCert)
			if err := promiseTLS(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		serveRaw(fault, sdk.ProtocolVersion, e)
	case "unwell", "small-limit", "deaf", "orphan", "chatty":
		serveRaw(fault, sdk.ProtocolVersion, e)
	case "dies-at-start":
		fmt.Fprintln(os.Stderr, "specimen: libmodel.so.3 can't be loaded: no such file")
		os.Exit(1)
	case "silent":
		outlast()
	case "closed-port":
		fmt.Printf("1|1|unix|%s|grpc|\n", filepath.Join(os.TempDir(), "bertopic-specimen-no-such-socket"))
		outlast()
	}
}

// clientCert is the variable with the host's certificate.
const clientCert = "PLUGIN_CLIENT_CERT"

// promiseTLS puts a certificate into the handshake that nothing comes of.
func promiseTLS() error {
	stdout := os.Stdout
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	os.Stdout = w
	go func() {
		line, _ := bufio.NewReader(r).ReadString('\n')
		parts := strings.Split(strings.TrimSpace(line), "|")
		fmt.Fprintf(stdout, "%s|%s\n", strings.Join(parts[:min(5, len(parts))], "|"), strings.Repeat("A", 400))
	}()
	return nil
}

// outlast waits until the host is gone or has had every chance to give up.
func outlast() {
	parent := os.Getppid()
	for begin := time.Now(); os.Getppid() == parent && time.Since(begin) < 2*time.Minute; {
		time.Sleep(200 * time.Millisecond)
	}
	os.Exit(1)
}

// serveRaw serves without the SDK's Serve, which would not let these faults be.
func serveRaw(fault string, version int, e *specimen) {
	s, err := sdk.NewServer(e)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if fault != "orphan" {
		go func() {
			for parent := os.Getppid(); os.Getppid() == parent; {
				time.Sleep(200 * time.Millisecond)
			}
			os.Exit(1)
		}()
	}
	limit := 64 << 20
	if fault == "small-limit" {
		limit = 4 << 20 // gRPC's own
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  sdk.Handshake,
		VersionedPlugins: map[int]plugin.PluginSet{version: {sdk.PluginName: &rawPlugin{server: newLiar(s, e)}}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.MaxRecvMsgSize(limit),
				grpc.UnaryInterceptor(func(ctx context.Context, r any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
					switch {
					case fault == "unwell" && info.FullMethod == "/grpc.health.v1.Health/Check":
						return nil, status.Error(codes.Unimplemented, "the specimen has no doctor")
					case fault == "deaf" && info.FullMethod == "/plugin.GRPCController/Shutdown":
						return &emptypb.Empty{}, nil
					}
					return next(ctx, r)
				}),
				grpc.StreamInterceptor(func(s any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
					if fault == "chatty" {
						fmt.Fprintln(fd1, "a native library says hello")
					}
					return next(s, stream)
				}),
			)...)
		},
	})
	os.Exit(0)
}

// rawPlugin is what the SDK would have put around a server.
type rawPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	server proto.EmbedderServer
}

func (p *rawPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	proto.RegisterEmbedderServer(s, p.server)
	return nil
}

func (*rawPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("a specimen has no client")
}
