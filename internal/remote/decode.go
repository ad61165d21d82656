package remote

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
)

// bareNaN is what servers in Python write for numbers that JSON does not have.
var bareNaN = regexp.MustCompile(`([\[,:]\s*)-?(?:NaN|Infinity)\b`)

// Decode reads JSON into v. NaN and Infinity are read as null, so that they spoil
// their own vector alone.
func Decode(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	if err == nil {
		return nil
	}
	if bareNaN.Match(body) && json.Unmarshal(bareNaN.ReplaceAll(body, []byte("${1}null")), v) == nil {
		return nil
	}
	return fmt.Errorf("the answer is no JSON of this service: %w", err)
}

// ParseVector reads a vector: a list of numbers, or the base64 of little-endian
// float32.
func ParseVector(raw json.RawMessage) Vector {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return Vector{Fault: errors.New("the server's vector is missing")}
	}
	if raw[0] != '"' {
		var numbers []*float64
		if err := json.Unmarshal(raw, &numbers); err != nil {
			return Vector{Fault: errors.New("the server's vector is not a list of numbers")}
		}
		values := make([]float32, len(numbers))
		for i, x := range numbers {
			if x == nil {
				return Vector{Fault: fmt.Errorf("value %d of the server's vector is not a number", i)}
			}
			values[i] = float32(*x)
		}
		return Vector{Values: values}
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return Vector{Fault: errors.New("the server's vector is not a string of JSON")}
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return Vector{Fault: errors.New("the server's vector is not base64")}
	}
	if len(data)%4 != 0 {
		return Vector{Fault: fmt.Errorf("the server's vector has %d bytes, which is no number of float32", len(data))}
	}
	values := make([]float32, len(data)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return Vector{Values: values}
}
