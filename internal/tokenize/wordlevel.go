package tokenize

// wordLevel looks each piece up as a whole.
type wordLevel struct {
	ids     map[string]int64
	unknown int64
}

func (m *wordLevel) tokenize(e *Encoding, word []byte) {
	id, ok := m.ids[string(word)]
	if !ok {
		id = m.unknown
	}
	e.IDs = append(e.IDs, id)
}
