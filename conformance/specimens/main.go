// Program bertopic-embedder-specimen breaks the promises of an embedder, one at
// a time, so that the rules of the conformance suite and the guards of the host
// have something to bite on. README.md lists the faults.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/proto"
)

func main() {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	name, ok := strings.CutPrefix(name, "bertopic-embedder-")
	if !ok {
		name = "specimen"
	}
	e := &specimen{name: name}
	start := strings.TrimPrefix(name, "specimen-")
	if start == "other-name" {
		e.name = "otherwise"
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
}

// before shows the faults that come before the handshake, or instead of it.
func before(fault string, e *specimen) {
	switch fault {
	case "stdout-noise":
		fmt.Println("loading the model, please wait")
	case "wrong-version":
		s, err := sdk.NewServer(e)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		plugin.Serve(&plugin.ServeConfig{
			HandshakeConfig:  sdk.Handshake,
			VersionedPlugins: map[int]plugin.PluginSet{7: {sdk.PluginName: &rawPlugin{server: s}}},
			GRPCServer:       plugin.DefaultGRPCServer,
		})
		os.Exit(0)
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

// outlast waits until the host is gone or has had every chance to give up.
func outlast() {
	parent := os.Getppid()
	for begin := time.Now(); os.Getppid() == parent && time.Since(begin) < 2*time.Minute; {
		time.Sleep(200 * time.Millisecond)
	}
	os.Exit(1)
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
