package host

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/bertopic-go/bertopic/sdk"
)

// Store keeps finished vectors in a file, so that a run which ends early need
// not embed them again. It is only ever appended to. A record counts once it is
// whole: what a crash has torn off at the end is dropped when the file is opened
// again. Its methods may be called from several goroutines.
//
// The file finished.bin begins with 8 bytes, "BTPSTOR" and the version 1. Each
// record is its length (uint32), a CRC-32C of its body (uint32), and the body;
// numbers are little-endian. The first byte of a body is its kind:
//
//	'F'  a fingerprint: its text. The n-th of these is number n below, from 0.
//	'V'  a row: number of the fingerprint (uint32), key of the content (32 bytes),
//	     status (byte), tokens lost (uint32), length of the reason (uint32), the
//	     reason, then 'N' for no vector, or 'D', count (uint32), float32 values,
//	     or 'S', count (uint32), uint32 columns, float32 values.
type Store struct {
	mu           sync.Mutex
	path         string
	file         *os.File
	size         int64
	fingerprints []string
	rows         map[rowKey]int64 // offset of the record
	broken       error            // of an append; nothing is appended after it
}

type rowKey struct {
	fingerprint uint32
	content     contentKey
}

// finished is a row as the store keeps it.
type finished struct {
	status  RowStatus
	dense   []float32
	columns []uint32 // with values
	values  []float32
}

const (
	storeFile   = "finished.bin"
	storeMagic  = "BTPSTOR\x01"
	recordHead  = 8
	maxRecord   = 1 << 30
	fixedLength = 1 + 4 + 32 + 1 + 4 + 4 + 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// OpenStore opens the store in a folder, which is made where it does not exist.
// Only one process may have it open. To be rid of a store, close it and remove
// the folder.
func OpenStore(dir string) (_ *Store, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open the store of finished vectors in %s: %w", dir, err)
		}
	}()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, storeFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, file: f, rows: make(map[rowKey]int64)}
	if err = tryLock(f); err == nil {
		err = s.read()
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return s, nil
}

// read indexes the file and cuts off a torn end.
func (s *Store) read() error {
	st, err := s.file.Stat()
	if err != nil {
		return err
	}
	if st.Size() < int64(len(storeMagic)) {
		if err := s.file.Truncate(0); err != nil {
			return err
		}
		if _, err := s.file.WriteAt([]byte(storeMagic), 0); err != nil {
			return err
		}
		s.size = int64(len(storeMagic))
		return nil
	}
	head := make([]byte, len(storeMagic))
	if _, err := s.file.ReadAt(head, 0); err != nil {
		return err
	}
	if string(head) != storeMagic {
		return fmt.Errorf("%s is not a store of this version: remove it to begin anew", storeFile)
	}
	s.size = int64(len(storeMagic))
	r := io.NewSectionReader(s.file, 0, st.Size())
	if _, err := r.Seek(s.size, io.SeekStart); err != nil {
		return err
	}
	in := newRecordReader(r)
	for {
		body, err := in.next()
		if err == errTorn {
			break
		}
		if err != nil {
			return err
		}
		if err := s.index(body); err != nil {
			break
		}
		s.size += int64(recordHead + len(body))
	}
	return s.file.Truncate(s.size)
}

// errTorn ends the records: the rest of the file is none.
var errTorn = errors.New("torn record")

type recordReader struct {
	r    io.Reader
	left int64
	body []byte
}

func newRecordReader(r *io.SectionReader) *recordReader {
	at, _ := r.Seek(0, io.SeekCurrent)
	return &recordReader{r: bufio.NewReaderSize(r, 1<<20), left: r.Size() - at}
}

// next returns the body of the next record, which is the reader's.
func (in *recordReader) next() ([]byte, error) {
	var head [recordHead]byte
	if in.left < recordHead {
		return nil, errTorn
	}
	if _, err := io.ReadFull(in.r, head[:]); err != nil {
		return nil, err
	}
	in.left -= recordHead
	n := int64(binary.LittleEndian.Uint32(head[:]))
	if n == 0 || n > maxRecord || n > in.left {
		return nil, errTorn
	}
	in.body = slices.Grow(in.body[:0], int(n))[:n]
	if _, err := io.ReadFull(in.r, in.body); err != nil {
		return nil, err
	}
	in.left -= n
	if crc32.Checksum(in.body, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errTorn
	}
	return in.body, nil
}

// index takes in the record that begins at s.size.
func (s *Store) index(body []byte) error {
	switch {
	case body[0] == 'F':
		s.fingerprints = append(s.fingerprints, string(body[1:]))
		return nil
	case body[0] == 'V' && len(body) >= fixedLength:
		number := binary.LittleEndian.Uint32(body[1:])
		if int(number) >= len(s.fingerprints) {
			return errTorn
		}
		s.rows[rowKey{number, contentKey(body[5:37])}] = s.size
		return nil
	}
	return errTorn
}

// Close closes the file. What was appended is on disk when it returns.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.broken, s.file.Sync())
	unlock(s.file)
	err = errors.Join(err, s.file.Close())
	s.file = nil
	if err != nil {
		return fmt.Errorf("close the store of finished vectors %s: %w", s.path, err)
	}
	return nil
}

// Len returns the number of rows that the store has.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows)
}

// number returns that of a fingerprint, which it writes down where it is new.
func (s *Store) number(fingerprint string) (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.fingerprints, fingerprint); i >= 0 {
		return uint32(i), nil
	}
	if err := s.append(oneRecord(append([]byte{'F'}, fingerprint...))); err != nil {
		return 0, err
	}
	s.fingerprints = append(s.fingerprints, fingerprint)
	return uint32(len(s.fingerprints) - 1), nil
}

func oneRecord(body []byte) []byte {
	b := make([]byte, recordHead, recordHead+len(body))
	b = append(b, body...)
	seal(b)
	return b
}

// seal fills in the head of the record that b is.
func seal(b []byte) {
	binary.LittleEndian.PutUint32(b, uint32(len(b)-recordHead))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[recordHead:], castagnoli))
}

// append writes whole records at the end.
func (s *Store) append(b []byte) error {
	if s.broken == nil && s.file == nil {
		s.broken = os.ErrClosed
	}
	if s.broken == nil {
		if _, err := s.file.WriteAt(b, s.size); err != nil {
			s.broken = err
			_ = s.file.Truncate(s.size)
		}
	}
	if s.broken != nil {
		return fmt.Errorf("keep finished vectors in %s: %w", s.path, s.broken)
	}
	s.size += int64(len(b))
	return nil
}

// put keeps rows, all or none of them.
func (s *Store) put(number uint32, keys []contentKey, rows []finished) error {
	size := 0
	for _, r := range rows {
		size += recordHead + fixedLength + 4 + len(r.status.Reason) + 4*len(r.dense) + 8*len(r.columns)
	}
	b := make([]byte, 0, size)
	offsets := make([]int64, len(rows))
	for i, r := range rows {
		start := len(b)
		offsets[i] = int64(start)
		b = appendFinished(append(b, make([]byte, recordHead)...), number, keys[i], r)
		seal(b[start:])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	base := s.size
	if err := s.append(b); err != nil {
		return err
	}
	for i, key := range keys {
		s.rows[rowKey{number, key}] = base + offsets[i]
	}
	return nil
}

func appendFinished(b []byte, number uint32, key contentKey, r finished) []byte {
	le := binary.LittleEndian
	b = append(b, 'V')
	b = le.AppendUint32(b, number)
	b = append(b, key[:]...)
	b = append(b, byte(r.status.Status))
	b = le.AppendUint32(b, uint32(r.status.TokensLost))
	b = le.AppendUint32(b, uint32(len(r.status.Reason)))
	b = append(b, r.status.Reason...)
	switch {
	case r.dense != nil:
		b = le.AppendUint32(append(b, 'D'), uint32(len(r.dense)))
		b = appendFloats(b, r.dense)
	case r.columns != nil:
		b = le.AppendUint32(append(b, 'S'), uint32(len(r.columns)))
		for _, c := range r.columns {
			b = le.AppendUint32(b, c)
		}
		b = appendFloats(b, r.values)
	default:
		b = append(b, 'N')
	}
	return b
}

func appendFloats(b []byte, values []float32) []byte {
	n := len(b)
	b = slices.Grow(b, 4*len(values))[:n+4*len(values)]
	for i, v := range values {
		binary.LittleEndian.PutUint32(b[n+4*i:], math.Float32bits(v))
	}
	return b
}

// has reports whether a row is there.
func (s *Store) has(number uint32, key contentKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.rows[rowKey{number, key}]
	return ok
}

// get reads a row.
func (s *Store) get(number uint32, key contentKey) (finished, bool, error) {
	s.mu.Lock()
	offset, ok := s.rows[rowKey{number, key}]
	f, size := s.file, s.size
	s.mu.Unlock()
	if !ok {
		return finished{}, false, nil
	}
	fail := func(err error) (finished, bool, error) {
		return finished{}, false, fmt.Errorf("read finished vectors from %s: %w", s.path, err)
	}
	if f == nil {
		return fail(os.ErrClosed)
	}
	body, err := (&recordReader{r: io.NewSectionReader(f, offset, size-offset), left: size - offset}).next()
	if err != nil {
		return fail(err)
	}
	r, err := parseFinished(body)
	if err != nil {
		return fail(err)
	}
	return r, true, nil
}

// parseFinished reads the body of a record of kind 'V'.
func parseFinished(body []byte) (finished, error) {
	le := binary.LittleEndian
	if len(body) < fixedLength || body[0] != 'V' {
		return finished{}, errTorn
	}
	r := finished{status: RowStatus{Status: sdk.Status(body[37]), TokensLost: int(le.Uint32(body[38:]))}}
	n := uint64(le.Uint32(body[42:]))
	rest := body[46:]
	if n > uint64(len(rest)-1) {
		return finished{}, errTorn
	}
	r.status.Reason = string(rest[:n])
	kind, rest := rest[n], rest[n+1:]
	if kind == 'N' && len(rest) == 0 {
		return r, nil
	}
	if len(rest) < 4 {
		return finished{}, errTorn
	}
	n, rest = uint64(le.Uint32(rest)), rest[4:]
	switch {
	case kind == 'D' && uint64(len(rest)) == 4*n:
		r.dense = parseFloats(rest)
	case kind == 'S' && uint64(len(rest)) == 8*n:
		r.columns = make([]uint32, n)
		for i := range r.columns {
			r.columns[i] = le.Uint32(rest[4*i:])
		}
		r.values = parseFloats(rest[4*n:])
	default:
		return finished{}, errTorn
	}
	return r, nil
}

func parseFloats(b []byte) []float32 {
	values := make([]float32, len(b)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return values
}
