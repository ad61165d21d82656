package hubtest

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// GensimData is a stand-in for a copy of gensim-data: the list, and a file for
// each name.
type GensimData struct {
	URL    string
	server *httptest.Server
}

// Packed is content as a gzip file.
func Packed(content string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(content)) // a buffer takes all
	z.Close()
	return b.Bytes()
}

// MD5 is the sum that the list has.
func MD5(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// NewGensimData serves files of vectors by their names; a name of several files
// is one that lies there in parts. list may change what the list says, and fault
// answer a request itself.
func NewGensimData(files map[string][][]byte, list func(models map[string]map[string]any), fault func(w http.ResponseWriter, r *http.Request) bool) *GensimData {
	models, content := map[string]map[string]any{}, map[string][]byte{}
	for name, parts := range files {
		entry := map[string]any{"file_name": name + ".gz", "parts": len(parts), "file_size": 1, "license": "none"}
		if len(parts) == 1 {
			entry["checksum"] = MD5(parts[0])
			content["/"+name+"/"+name+".gz"] = parts[0]
		} else {
			for i, p := range parts {
				entry[fmt.Sprintf("checksum-%d", i)] = MD5(p)
				content[fmt.Sprintf("/%s/%s.gz_%02d", name, name, i)] = p
			}
		}
		models[name] = entry
	}
	if list != nil {
		list(models)
	}
	text, _ := json.Marshal(map[string]any{"corpora": map[string]any{"text8": map[string]any{}}, "models": models}) // maps of strings and numbers
	content["/list.json"] = text
	g := &GensimData{}
	g.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault != nil && fault(w, r) {
			return
		}
		b, ok := content[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, strings.TrimPrefix(r.URL.Path, "/"), time.Time{}, bytes.NewReader(b))
	}))
	g.URL = g.server.URL
	return g
}

// Close stops the server.
func (g *GensimData) Close() { g.server.Close() }
