package main

import (
	"net/http"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bertopic-go/bertopic/internal/hub/hubtest"
)

// hubCommand, "hub [slow|gated|cut]", starts a hub with the model
// sentence-transformers/mini and names it in HF_ENDPOINT, and a copy of
// gensim-data in GENSIM_DATA_URL. WEIGHTS is where the weights gather while they
// come. A slow hub holds its breath after a part of the weights when it is asked
// for all of them, one that is cut drops the connection there, and a gated one
// wants the token hf_good.
func hubCommand(ts *testscript.TestScript, neg bool, args []string) {
	const name = "sentence-transformers/mini"
	repo := hubtest.SentenceTransformer()
	release := make(chan struct{})
	mode := strings.Join(args, "")
	repo.Gated = mode == "gated"
	weights := repo.Files["model.safetensors"]
	var hub *hubtest.Server
	fault := func(w http.ResponseWriter, r *http.Request, n int) bool {
		if r.URL.RawQuery == "" || r.URL.Path != "/"+name+"/model.safetensors" || r.Header.Get("Range") != "" {
			return false
		}
		switch mode {
		case "cut":
			hub.Cut(w, r, 100_000)
			return true
		case "slow":
			w.Header().Set("Content-Length", "200000")
			w.Write([]byte(weights[:100_000]))
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-release:
			}
			return true
		}
		return false
	}
	hubtest.New(map[string]*hubtest.Repo{name: repo}, func(s *hubtest.Server) {
		hub = s
		s.Fault = fault
		if repo.Gated {
			s.Token = "hf_good"
		}
	})
	vectors := hubtest.NewGensimData(map[string][][]byte{
		"glove-wiki-gigaword-50": {hubtest.Packed("the 0.5 1\nriver 2 3\n")},
	}, nil, nil)
	ts.Defer(func() { close(release); hub.Close(); vectors.Close() })
	ts.Setenv("HF_ENDPOINT", hub.URL)
	ts.Setenv("GENSIM_DATA_URL", vectors.URL)
	ts.Setenv("WEIGHTS", filepath.Join(ts.Getenv("XDG_CACHE_HOME"), "bertopic", "models", "sentence-transformers", ".mini.part", hubtest.SHA256(weights)+".incomplete"))
}
