package remote

import "fmt"

// Service is the API of a provider. Its methods may be called from several
// goroutines.
type Service interface {
	// Body is the JSON of a request for the vectors of texts.
	Body(texts []string, f Form) ([]byte, error)
	// Parse reads the answer to a request for n vectors and puts them in the
	// order of the texts. The error is about the answer as a whole: it is no
	// JSON of this API, counts or indices are wrong. Values are checked by the
	// Client.
	Parse(body []byte, n int) (Reply, error)
}

// Form says how a request is put.
type Form struct {
	Floats bool // vectors as lists of numbers, where the service has a choice
}

// Reply is what a service answered.
type Reply struct {
	Vectors []Vector
	Tokens  int // as the server counts them; 0: it does not say
}

// Vector is one vector of a reply, or what is wrong with it.
type Vector struct {
	Values []float32
	Fault  error
}

// Check returns what is wrong with the values of a vector that should have the
// given dimension; 0: any.
func (v Vector) Check(dimension int) error {
	switch {
	case v.Fault != nil:
		return v.Fault
	case len(v.Values) == 0:
		return fmt.Errorf("the server's vector is empty")
	case dimension > 0 && len(v.Values) != dimension:
		return &dimensionError{have: len(v.Values), want: dimension}
	}
	zero := true
	for i, x := range v.Values {
		if x-x != 0 { // NaN or infinite
			return fmt.Errorf("value %d of the server's vector is %v", i, x)
		}
		zero = zero && x == 0
	}
	if zero {
		return fmt.Errorf("the server's vector is all zeros")
	}
	return nil
}

type dimensionError struct{ have, want int }

func (e *dimensionError) Error() string {
	return fmt.Sprintf("the server's vector has %d values, not %d", e.have, e.want)
}
