// Program standin serves a stand-in for embedding services, by which the openai
// and cohere embedders can be tried without an account:
//
//	go run ./internal/remote/remotetest/standin -listen 127.0.0.1:8089
//	bertopic conformance openai --options plugins/openai/testdata/conformance.toml
//
// Its vectors mean nothing but that texts with words in common are near each
// other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/bertopic-go/bertopic/internal/remote/remotetest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("standin", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:8089", "address; port 0 takes any that is free")
	var cfg remotetest.Config
	flags.IntVar(&cfg.Dimension, "dimension", 64, "of the vectors, where a request does not say")
	flags.IntVar(&cfg.Limit, "limit", 0, "words of a text at most; 0: no limit")
	flags.BoolVar(&cfg.NoBase64, "no-base64", false, "refuse base64")
	flags.DurationVar(&cfg.Delay, "delay", 0, "before each answer")
	flags.Func("fault", "storm=N, 500=EVERY, cut=EVERY, html=EVERY, short=EVERY, forbidden=TEXT, nan=TEXT, reordered; may be given again", func(s string) error {
		f, err := remotetest.Named(s)
		cfg.Faults = append(cfg.Faults, f)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return 2
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Fprintln(stderr, "listen:", err)
		return 1
	}
	fmt.Fprintf(stdout, "base_url = \"http://%s/v1\" for openai, \"http://%s\" for cohere\n", l.Addr(), l.Addr())
	server := &http.Server{Handler: remotetest.New(cfg), ReadHeaderTimeout: 10 * time.Second}
	go func() { <-ctx.Done(); _ = server.Close() }()
	if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(stderr, "serve:", err)
		return 1
	}
	return 0
}
