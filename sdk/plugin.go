package sdk

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/bertopic-go/bertopic/sdk/proto"
)

// ProtocolVersion is the newest protocol that this package speaks.
const ProtocolVersion = 1

// PluginName is the name under which the host dispenses an embedder.
const PluginName = "embedder"

// Handshake is what host and program must agree on before anything else. The
// cookie is no secret: it tells a program that it was started by a host.
var Handshake = plugin.HandshakeConfig{
	ProtocolVersion:  ProtocolVersion,
	MagicCookieKey:   "BERTOPIC_EMBEDDER_COOKIE",
	MagicCookieValue: "6c1f0a5e4c0d4f6cb4d1a19e52ef7d0b8f3a72c9",
}

// ReattachEnv is the environment variable in which a host finds programs that
// run already, in the form that --debug prints.
const ReattachEnv = "BERTOPIC_REATTACH_PLUGINS"

// ClientPlugins is the VersionedPlugins of a host's plugin.ClientConfig.
// Dispense(PluginName) then gives a proto.EmbedderClient.
func ClientPlugins() map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{ProtocolVersion: {PluginName: &grpcPlugin{}}}
}

// grpcPlugin joins the protocol to go-plugin; server is nil in a host.
type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	server proto.EmbedderServer
}

var _ plugin.GRPCPlugin = (*grpcPlugin)(nil)

func (p *grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	proto.RegisterEmbedderServer(s, p.server)
	return nil
}

func (p *grpcPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return proto.NewEmbedderClient(c), nil
}

// reattach is the JSON of one program in ReattachEnv.
type reattach struct {
	Protocol        string
	ProtocolVersion int
	Pid             int
	Addr            struct{ Network, String string }
}

// Reattach reads ReattachEnv: programs by their names, to be handed to
// plugin.ClientConfig.Reattach, along with ClientPlugins()[ProtocolVersion] as
// its Plugins, since go-plugin negotiates nothing with a program that runs
// already. It is empty where the variable is not set.
func Reattach() (map[string]*plugin.ReattachConfig, error) {
	text := os.Getenv(ReattachEnv)
	if text == "" {
		return nil, nil
	}
	var programs map[string]reattach
	if err := json.Unmarshal([]byte(text), &programs); err != nil {
		return nil, fmt.Errorf("read %s: %w", ReattachEnv, err)
	}
	configs := make(map[string]*plugin.ReattachConfig, len(programs))
	for name, p := range programs {
		var addr net.Addr
		var err error
		switch p.Addr.Network {
		case "unix":
			addr, err = net.ResolveUnixAddr("unix", p.Addr.String)
		case "tcp":
			addr, err = net.ResolveTCPAddr("tcp", p.Addr.String)
		default:
			err = fmt.Errorf("network %q is neither unix nor tcp", p.Addr.Network)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: program %q: %w", ReattachEnv, name, err)
		}
		configs[name] = &plugin.ReattachConfig{
			Protocol: plugin.Protocol(p.Protocol), ProtocolVersion: p.ProtocolVersion, Pid: p.Pid, Addr: addr, Test: true,
		}
	}
	return configs, nil
}
