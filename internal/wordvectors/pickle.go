package wordvectors

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A pickle is a program for a stack machine whose calls make Python objects.
// Here nothing is called: a call becomes an object that notes what would be
// called and with what, and the few that stand for lists, dictionaries and
// NumPy arrays are understood afterwards (keyedvectors.go).

// Values of a pickle are nil, bool, int64, float64, string, []byte, pyTuple,
// *pyList, *pyDict, pyGlobal and *pyObject.
type (
	pyTuple  []any
	pyList   struct{ items []any }
	pyDict   struct{ keys, values []any }
	pyGlobal struct{ module, name string }
	pyObject struct {
		class any     // what would be called
		args  pyTuple // with what
		state any     // what __setstate__ would get
		items *pyDict // of a kind of dictionary
		list  *pyList // of a kind of list
	}
	pyMark struct{}
)

// get returns the value of a key that is a string.
func (d *pyDict) get(key string) any {
	if d == nil {
		return nil
	}
	for i, k := range d.keys {
		if k == key {
			return d.values[i]
		}
	}
	return nil
}

// is tells whether the object is of a class of that name, in whatever module.
func (o *pyObject) is(name string) bool {
	g, ok := o.class.(pyGlobal)
	return ok && g.name == name
}

type unpickler struct {
	data  []byte
	at    int
	stack []any
	memo  map[int]any
}

// unpickle reads a pickle of protocol 0 to 5.
func unpickle(data []byte) (v any, err error) {
	u := &unpickler{data: data, memo: map[int]any{}}
	v, err = u.run()
	if err != nil {
		return nil, fmt.Errorf("pickle, byte %d: %w", u.at, err)
	}
	return v, nil
}

var (
	errPickleEnd   = errors.New("the file ends here: it was cut off")
	errPickleStack = errors.New("the file is damaged")
)

func (u *unpickler) take(n int) ([]byte, error) {
	if n < 0 || n > len(u.data)-u.at {
		return nil, errPickleEnd
	}
	b := u.data[u.at : u.at+n]
	u.at += n
	return b, nil
}

// number reads a little-endian unsigned number of n bytes.
func (u *unpickler) number(n int) (int, error) {
	b, err := u.take(n)
	if err != nil {
		return 0, err
	}
	var v uint64
	for i := n - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	if v > math.MaxInt64 {
		return 0, errPickleStack
	}
	return int(v), nil
}

func (u *unpickler) line() (string, error) {
	for i := u.at; i < len(u.data); i++ {
		if u.data[i] == '\n' {
			s := string(u.data[u.at:i])
			u.at = i + 1
			return s, nil
		}
	}
	return "", errPickleEnd
}

// counted reads a length of n bytes and so many bytes.
func (u *unpickler) counted(n int) ([]byte, error) {
	size, err := u.number(n)
	if err != nil {
		return nil, err
	}
	return u.take(size)
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

func (u *unpickler) pop() (any, error) {
	if len(u.stack) == 0 {
		return nil, errPickleStack
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	if _, ok := v.(pyMark); ok {
		return nil, errPickleStack
	}
	return v, nil
}

func (u *unpickler) top() (any, error) {
	if len(u.stack) == 0 {
		return nil, errPickleStack
	}
	return u.stack[len(u.stack)-1], nil
}

// popMark returns what is above the topmost mark.
func (u *unpickler) popMark() ([]any, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(pyMark); ok {
			items := append([]any(nil), u.stack[i+1:]...)
			u.stack = u.stack[:i]
			return items, nil
		}
	}
	return nil, errPickleStack
}

func (u *unpickler) tuple(n int) error {
	items := make(pyTuple, n)
	for i := n - 1; i >= 0; i-- {
		v, err := u.pop()
		if err != nil {
			return err
		}
		items[i] = v
	}
	u.push(items)
	return nil
}

// call notes a call.
func (u *unpickler) call(class any, args any) error {
	t, ok := args.(pyTuple)
	if !ok {
		return errPickleStack
	}
	// Protocol 2 has bytes as text that is encoded again.
	if g, ok := class.(pyGlobal); ok && g == (pyGlobal{"_codecs", "encode"}) && len(t) == 2 {
		if s, ok := t[0].(string); ok && t[1] == "latin1" {
			b := make([]byte, 0, len(s))
			for _, r := range s {
				if r > 0xff {
					return errPickleStack
				}
				b = append(b, byte(r))
			}
			u.push(b)
			return nil
		}
	}
	u.push(&pyObject{class: class, args: t})
	return nil
}

func (u *unpickler) appendTo(target any, items []any) error {
	switch t := target.(type) {
	case *pyList:
		t.items = append(t.items, items...)
	case *pyObject:
		if t.list == nil {
			t.list = &pyList{}
		}
		t.list.items = append(t.list.items, items...)
	default:
		return errPickleStack
	}
	return nil
}

func (u *unpickler) setItems(target any, items []any) error {
	var d *pyDict
	switch t := target.(type) {
	case *pyDict:
		d = t
	case *pyObject:
		if t.items == nil {
			t.items = &pyDict{}
		}
		d = t.items
	}
	if d == nil || len(items)%2 != 0 {
		return errPickleStack
	}
	for i := 0; i < len(items); i += 2 {
		d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
	}
	return nil
}

func (u *unpickler) run() (any, error) {
	for {
		op, err := u.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' {
			return u.pop()
		}
		if err := u.step(op[0]); err != nil {
			return nil, err
		}
	}
}

// step does one operation; the letters are those of Python's pickletools.
func (u *unpickler) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		n, err := u.number(1)
		if err == nil && n > 5 {
			err = fmt.Errorf("protocol %d is not known", n)
		}
		return err
	case 0x95: // FRAME
		_, err := u.take(8)
		return err
	case '(':
		u.push(pyMark{})
	case '0':
		_, err := u.pop()
		return err
	case '1':
		_, err := u.popMark()
		return err
	case '2':
		v, err := u.top()
		u.push(v)
		return err
	case 'N':
		u.push(nil)
	case 0x88, 0x89:
		u.push(op == 0x88)
	case 'K', 'M', 'J', 'I', 'L', 0x8a, 0x8b, 'F', 'G':
		return u.scalar(op)
	case 'X', 0x8c, 0x8d, 'V', 'B', 'C', 0x8e, 0x96, 'U', 'T', 'S':
		return u.text(op)
	case ')':
		u.push(pyTuple{})
	case 't':
		items, err := u.popMark()
		u.push(pyTuple(items))
		return err
	case 0x85, 0x86, 0x87:
		return u.tuple(int(op-0x85) + 1)
	case ']':
		u.push(&pyList{})
	case 'l', 0x91: // a list; a frozen set
		items, err := u.popMark()
		u.push(&pyList{items})
		return err
	case 0x8f: // a set
		u.push(&pyList{})
	case '}':
		u.push(&pyDict{})
	case 'd':
		items, err := u.popMark()
		if err != nil {
			return err
		}
		d := &pyDict{}
		u.push(d)
		return u.setItems(d, items)
	case 'a', 'e', 's', 'u', 0x90:
		return u.extend(op)
	case 'c', 0x93, 'R', 0x81, 0x92, 'b', 'o', 'i':
		return u.object(op)
	case 'q', 'r', 'p', 0x94, 'h', 'j', 'g':
		return u.memory(op)
	default:
		return fmt.Errorf("the operation %#x is not read: persistent and shared objects are not supported", op)
	}
	return nil
}

func (u *unpickler) scalar(op byte) error {
	switch op {
	case 'K', 'M':
		n, err := u.number(1 + int(op-'K')/2)
		u.push(int64(n))
		return err
	case 'J':
		n, err := u.number(4)
		u.push(int64(int32(n)))
		return err
	case 'G':
		b, err := u.take(8)
		if err != nil {
			return err
		}
		var v uint64
		for _, x := range b {
			v = v<<8 | uint64(x)
		}
		u.push(math.Float64frombits(v))
		return nil
	case 0x8a, 0x8b:
		b, err := u.counted(1 + 3*int(op-0x8a))
		if err != nil {
			return err
		}
		if len(b) > 8 {
			u.push(nil) // larger than any count that is wanted
			return nil
		}
		var v int64
		for i := len(b) - 1; i >= 0; i-- {
			v = v<<8 | int64(b[i])
		}
		if n := len(b); n > 0 && n < 8 && b[n-1] >= 0x80 {
			v -= 1 << (8 * n)
		}
		u.push(v)
		return nil
	}
	s, err := u.line()
	if err != nil {
		return err
	}
	s = strings.TrimSuffix(s, "L")
	switch {
	case op == 'I' && (s == "00" || s == "01"):
		u.push(s == "01")
		return nil
	case op == 'F':
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return errPickleStack
		}
		u.push(v)
		return nil
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return errPickleStack
	}
	u.push(v)
	return nil
}

func (u *unpickler) text(op byte) error {
	size, isText := 1, false
	switch op {
	case 'X':
		size, isText = 4, true
	case 0x8c:
		isText = true
	case 0x8d:
		size, isText = 8, true
	case 'B', 'T':
		size = 4
	case 0x8e, 0x96:
		size = 8
	case 'V', 'S':
		s, err := u.line()
		if err != nil {
			return err
		}
		if op == 'S' {
			s = strings.Trim(s, `'"`)
		}
		if strings.Contains(s, `\`) {
			q, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
			if err != nil {
				return errPickleStack
			}
			s = q
		}
		u.push(s)
		return nil
	}
	b, err := u.counted(size)
	if err != nil {
		return err
	}
	// Strings of Python 2 are bytes that mostly stand for text; an array's
	// values are among them, so they stay what they are.
	if isText || op == 'U' || op == 'T' {
		u.push(string(b))
	} else {
		u.push(b)
	}
	return nil
}

// extend adds to a list or a dictionary.
func (u *unpickler) extend(op byte) error {
	var items []any
	var err error
	switch op {
	case 'a':
		var v any
		v, err = u.pop()
		items = []any{v}
	case 's':
		if err = u.tuple(2); err == nil {
			var v any
			if v, err = u.pop(); err == nil {
				items = v.(pyTuple)
			}
		}
	default:
		items, err = u.popMark()
	}
	if err != nil {
		return err
	}
	target, err := u.top()
	if err != nil {
		return err
	}
	if op == 's' || op == 'u' {
		return u.setItems(target, items)
	}
	return u.appendTo(target, items)
}

func (u *unpickler) object(op byte) error {
	switch op {
	case 'c':
		module, err := u.line()
		if err != nil {
			return err
		}
		name, err := u.line()
		u.push(pyGlobal{module, name})
		return err
	case 'i', 'o':
		var class any
		if op == 'i' {
			if err := u.object('c'); err != nil {
				return err
			}
			class, _ = u.pop()
		}
		items, err := u.popMark()
		if err != nil {
			return err
		}
		if op == 'o' {
			if len(items) == 0 {
				return errPickleStack
			}
			class, items = items[0], items[1:]
		}
		return u.call(class, pyTuple(items))
	case 0x92: // NEWOBJ_EX: class, args, keywords
		if _, err := u.pop(); err != nil {
			return err
		}
	}
	b, err := u.pop()
	if err != nil {
		return err
	}
	if op == 'b' {
		target, err := u.top()
		if err != nil {
			return err
		}
		if o, ok := target.(*pyObject); ok {
			o.state = b
		}
		return nil
	}
	a, err := u.pop()
	if err != nil {
		return err
	}
	if op == 0x93 {
		module, ok1 := a.(string)
		name, ok2 := b.(string)
		if !ok1 || !ok2 {
			return errPickleStack
		}
		u.push(pyGlobal{module, name})
		return nil
	}
	return u.call(a, b)
}

// memory puts the top of the stack away, or fetches what was.
func (u *unpickler) memory(op byte) (err error) {
	key := len(u.memo)
	switch op {
	case 'q', 'h':
		key, err = u.number(1)
	case 'r', 'j':
		key, err = u.number(4)
	case 'p', 'g':
		var s string
		if s, err = u.line(); err == nil {
			if key, err = strconv.Atoi(s); err != nil {
				err = errPickleStack
			}
		}
	}
	if err != nil {
		return err
	}
	if op == 'h' || op == 'j' || op == 'g' {
		v, ok := u.memo[key]
		if !ok {
			return errPickleStack
		}
		u.push(v)
		return nil
	}
	v, err := u.top()
	u.memo[key] = v
	return err
}
