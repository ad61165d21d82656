// Program bertopic-embedder-plain is an embedder as another language's would be:
// a gRPC server and a handshake, without go-plugin and so without mutual TLS, its
// health service, its shutdown. Called bertopic-embedder-plain-cert, it offers a
// certificate in its handshake that it does nothing with. It is noisy on standard output. It writes down
// each text that it embeds, so that a test can count.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/proto"
)

type plain struct {
	Log       string
	DieAfter  int
	Poison    string
	Invariant bool
	Pause     int
	seen      atomic.Int64
}

func (p *plain) Describe() sdk.Description {
	return sdk.Description{
		Name: name(), Version: "1.0.0", Summary: "counts", Modalities: []sdk.Modality{sdk.Text},
		Options: []sdk.Option{
			{Name: "log", Type: sdk.String, Default: "", Help: "file for the texts"},
			{Name: "die_after", Type: sdk.Integer, Default: 0, Help: "texts after which the process ends"},
			{Name: "poison", Type: sdk.String, Default: "", Help: "a text with this ends the process"},
			{Name: "pause", Type: sdk.Integer, Default: 0, Help: "milliseconds that a batch takes longer"},
			{Name: "invariant", Type: sdk.Boolean, Default: true, Help: "do not look at the batch"},
		},
		Env: []string{"BERTOPIC_TEST_KEY"},
	}
}

func (p *plain) Configure(_ context.Context, s sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	o := struct {
		Log       *string
		DieAfter  *int `json:"die_after"`
		Poison    *string
		Invariant *bool
		Pause     *int
	}{&p.Log, &p.DieAfter, &p.Poison, &p.Invariant, &p.Pause}
	if err := s.Decode(&o); err != nil {
		return sdk.Info{}, nil, err
	}
	remark := "keys: " + os.Getenv("BERTOPIC_TEST_KEY") + os.Getenv("BERTOPIC_TEST_OTHER_KEY")
	return sdk.Info{Dimension: 4, Metric: sdk.Euclidean, BatchInvariant: p.Invariant}, sdk.Diagnostics{{Summary: remark}}, nil
}

func (p *plain) Embed(_ context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	d := &sdk.Dense{Rows: len(rows), Columns: 4}
	for i, r := range rows {
		if p.seen.Add(1) == int64(p.DieAfter) || p.Poison != "" && strings.Contains(r.Text, p.Poison) {
			fmt.Fprintln(os.Stderr, "out of luck at", r.Text)
			os.Exit(7)
		}
		h := fnv.New64a()
		h.Write([]byte(r.Text))
		if !p.Invariant {
			fmt.Fprint(h, i, len(rows))
		}
		sum := h.Sum(nil)
		for k := range 4 {
			d.Data = append(d.Data, float32(binary.LittleEndian.Uint16(sum[2*k:])))
		}
	}
	time.Sleep(time.Duration(p.Pause) * time.Millisecond)
	if p.Log != "" {
		f, err := os.OpenFile(p.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return sdk.Vectors{}, err
		}
		defer f.Close()
		var b strings.Builder
		for _, r := range rows {
			fmt.Fprintln(&b, r.Text)
		}
		if _, err := f.WriteString(b.String()); err != nil {
			return sdk.Vectors{}, err
		}
	}
	fmt.Println(strings.Repeat("chatter ", 20000))
	return sdk.Vectors{Dense: d}, nil
}

func name() string { return strings.TrimPrefix(filepath.Base(os.Args[0]), "bertopic-embedder-") }

// certificate is one as go-plugin writes it into the handshake.
func certificate() string {
	if name() != "plain-cert" {
		return ""
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return "|" + base64.RawStdEncoding.EncodeToString(cert)
}

func main() {
	p := &plain{}
	if len(os.Args) > 1 { // --describe
		sdk.Serve(p)
		return
	}
	parent := os.Getppid()
	s, err := sdk.NewServer(p)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	path := filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	g := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	proto.RegisterEmbedderServer(g, s)
	fmt.Println("welcome to the native library")
	fmt.Print("loading 100% ")
	fmt.Printf("1|1|unix|%s|grpc%s\n", path, certificate())
	go func() {
		for os.Getppid() == parent {
			time.Sleep(100 * time.Millisecond)
		}
		os.Exit(1)
	}()
	if err := g.Serve(l); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
