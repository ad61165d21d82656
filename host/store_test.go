package host

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/sdk"
)

func sample() ([]contentKey, []finished) {
	k := newKeyer()
	rows := []finished{
		{dense: []float32{1, -2.5, 0}},
		{status: RowStatus{Status: sdk.Empty}},
		{status: RowStatus{Status: sdk.Failed, Reason: "the picture is torn"}},
		{status: RowStatus{Status: sdk.Truncated, TokensLost: 12}, columns: []uint32{1, 70000}, values: []float32{3, 4}},
		{columns: []uint32{}, values: []float32{}},
		{dense: []float32{}},
	}
	keys := make([]contentKey, len(rows))
	for i := range rows {
		keys[i] = k.key(sdk.Row{HasText: true, Text: string(rune('a' + i))})
	}
	return keys, rows
}

func mustOpen(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := mustOpen(t, dir)
	keys, rows := sample()
	one, err1 := s.number("one")
	two, err2 := s.number("two")
	again, err3 := s.number("one")
	if err := errors.Join(err1, err2, err3); err != nil || one == two || one != again {
		t.Fatal(one, two, again, err)
	}
	if err := errors.Join(s.put(one, keys[:4], rows[:4]), s.put(two, keys[4:], rows[4:])); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(dir); !errors.Is(err, errLocked) {
		t.Errorf("two have it open: %v", err)
	}
	check := func(s *Store) {
		t.Helper()
		for i := range keys {
			number, other := one, two
			if i >= 4 {
				number, other = two, one
			}
			r, ok, err := s.get(number, keys[i])
			if err != nil || !ok || !reflect.DeepEqual(r, rows[i]) {
				t.Errorf("row %d: %+v %v %v", i, r, ok, err)
			}
			if s.has(other, keys[i]) {
				t.Errorf("row %d is there for another fingerprint", i)
			}
		}
	}
	check(s)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.put(one, keys[:1], rows[:1]); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	s = mustOpen(t, dir)
	check(s)
	if n, err := s.number("two"); err != nil || n != two || s.Len() != len(keys) {
		t.Errorf("number %d, %d rows: %v", n, s.Len(), err)
	}
}

// A file that was cut at any byte keeps what is whole, and goes on.
func TestStoreTorn(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, storeFile)
	s := mustOpen(t, dir)
	keys, rows := sample()
	number, err := s.number("f")
	if err != nil {
		t.Fatal(err)
	}
	var ends []int64
	for i := range keys {
		if err := s.put(number, keys[i:i+1], rows[i:i+1]); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, s.size)
	}
	s.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		if err := os.WriteFile(path, whole[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, e := range ends {
			if int64(cut) >= e {
				want++
			}
		}
		s, err := OpenStore(dir)
		if err != nil || s.Len() != want {
			t.Fatalf("cut at %d of %d: %d rows, not %d: %v", cut, len(whole), s.Len(), want, err)
		}
		number, err := s.number("f")
		if err != nil {
			t.Fatal(err)
		}
		for i := want; i < len(keys); i++ {
			if err := s.put(number, keys[i:i+1], rows[i:i+1]); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		if mended, err := os.ReadFile(path); err != nil || !bytes.Equal(mended, whole) {
			t.Fatalf("cut at %d: it was not mended: %v", cut, err)
		}
	}
	// A bit that was turned over ends what counts.
	bad := bytes.Clone(whole)
	bad[ends[2]+20] ^= 4
	if err := os.WriteFile(path, bad, 0o644); err != nil {
		t.Fatal(err)
	}
	if s := mustOpen(t, dir); s.Len() != 3 {
		t.Errorf("%d rows before the turned bit, not 3", s.Len())
	}
}

// A disk that takes no more ends the run: what can't be kept would be lost.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir())
	e := open(t, "specimen", nil)
	if _, err := s.number(e.Fingerprint()); err != nil {
		t.Fatal(err)
	}
	sound := s.file
	readOnly, err := os.Open(s.path)
	if err != nil {
		t.Fatal(err)
	}
	s.file = readOnly
	if _, err := e.Embed(t.Context(), texts(100), s); err == nil || !strings.Contains(err.Error(), "keep finished vectors in "+s.path) {
		t.Errorf("error %v", err)
	}
	s.file = sound
	if err := s.Close(); err == nil {
		t.Error("Close does not speak of it")
	}
	readOnly.Close()
}

func TestStoreOfAnotherKind(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, storeFile), []byte("something else"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(dir); err == nil {
		t.Error("it was taken for a store")
	}
}

func FuzzStore(f *testing.F) {
	keys, rows := sample()
	b := append([]byte(storeMagic), oneRecord([]byte("Fx"))...)
	f.Add(b)
	for i := range rows {
		b = append(b, oneRecord(appendFinished(nil, 0, keys[i], rows[i]))...)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, storeFile), data, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := OpenStore(dir)
		if err != nil {
			return
		}
		n := s.Len()
		for k := range s.rows {
			_, _, _ = s.get(k.fingerprint, k.content)
		}
		s.Close()
		if s, err = OpenStore(dir); err != nil || s.Len() != n {
			t.Errorf("%d rows, then %d: %v", n, s.Len(), err)
		}
		s.Close()
	})
}

func TestContentKey(t *testing.T) {
	dir := t.TempDir()
	picture := filepath.Join(dir, "p.png")
	if err := os.WriteFile(picture, []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	k := newKeyer()
	byPath := sdk.Row{Images: []sdk.ImageSource{{Path: picture}}}
	seen := map[contentKey]int{}
	for i, r := range []sdk.Row{
		{}, {HasText: true}, {HasText: true, Text: "a"}, {HasText: true, Text: "b"}, byPath,
		{HasText: true, Text: "a", Images: []sdk.ImageSource{{Data: []byte("x")}}},
		{Images: []sdk.ImageSource{{Data: []byte("x")}}},
		{Images: []sdk.ImageSource{{Data: []byte("x")}, {Data: nil}}},
		{Images: []sdk.ImageSource{{Path: filepath.Join(dir, "gone")}}},
	} {
		key := k.key(r)
		if j, ok := seen[key]; ok {
			t.Errorf("rows %d and %d have one key", j, i)
		}
		seen[key] = i
		if newKeyer().key(r) != key {
			t.Errorf("row %d has two keys", i)
		}
	}
	before := k.key(byPath)
	if err := os.WriteFile(picture, []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	if k.key(byPath) == before {
		t.Error("a changed picture has its old key")
	}
}
