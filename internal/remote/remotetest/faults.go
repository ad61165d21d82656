package remotetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// first lets a fault happen to the first n requests that it is asked about.
func first(n int, f Fault) Fault {
	var mu sync.Mutex
	return func(s *Server, w http.ResponseWriter, r *Request) bool {
		mu.Lock()
		yes := n > 0
		if yes {
			n--
		}
		mu.Unlock()
		return yes && f(s, w, r)
	}
}

// Storm answers n requests with 429 and no word on when to come back.
func Storm(n int) Fault { return StormWith(n, nil) }

// StormWith answers n requests with 429 and headers.
func StormWith(n int, headers map[string]string) Fault {
	return first(n, func(s *Server, w http.ResponseWriter, r *Request) bool {
		for k, v := range headers {
			w.Header().Set(k, v)
		}
		s.refuse(w, r, http.StatusTooManyRequests, "Rate limit reached for requests", "")
		return true
	})
}

// Code answers n requests with a status and a message.
func Code(n, code int, message string) Fault {
	return first(n, func(s *Server, w http.ResponseWriter, r *Request) bool {
		s.refuse(w, r, code, message, "")
		return true
	})
}

// For lets a fault happen to requests that hold a text with part in it.
func For(part string, f Fault) Fault {
	return func(s *Server, w http.ResponseWriter, r *Request) bool { return r.holds(part) && f(s, w, r) }
}

func (r *Request) holds(part string) bool {
	return slices.ContainsFunc(r.Texts, func(t string) bool { return strings.Contains(t, part) })
}

// Every spoils every k-th request by another fault.
func Every(k int, f Fault) Fault {
	return func(s *Server, w http.ResponseWriter, r *Request) bool { return r.Number%k == 0 && f(s, w, r) }
}

// HTML answers n requests with a page, as gateways do.
func HTML(n, code int) Fault {
	return first(n, func(_ *Server, w http.ResponseWriter, _ *Request) bool {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(code)
		fmt.Fprint(w, "<html><head><title>Bad gateway</title></head><body>Try again.</body></html>")
		return true
	})
}

// Cut breaks n answers off in the middle.
func Cut(n int) Fault {
	return first(n, func(_ *Server, w http.ResponseWriter, _ *Request) bool {
		w.Header().Set("Content-Length", "100000")
		fmt.Fprint(w, `{"data": [{"index": 0, "embedding": [0.5, 0.25`)
		return true
	})
}

// Slow sends n answers a byte at a time, and never to the end.
func Slow(n int, pause time.Duration) Fault {
	return first(n, func(_ *Server, w http.ResponseWriter, _ *Request) bool {
		for range 200 {
			if _, err := fmt.Fprint(w, " "); err != nil {
				break
			}
			w.(http.Flusher).Flush()
			time.Sleep(pause)
		}
		return true
	})
}

// Spoil changes n good answers.
func Spoil(n int, change func(r *Request, vectors [][]float32) [][]float32) Fault {
	return first(n, func(s *Server, w http.ResponseWriter, r *Request) bool {
		vectors := make([][]float32, len(r.Texts))
		for i, t := range r.Texts {
			vectors[i] = Vector(t, r.dimension)
		}
		s.send(w, r, r.object(change(r, vectors), len(r.Texts), false), nil)
		return true
	})
}

// Short leaves one vector out of n answers.
func Short(n int) Fault {
	return Spoil(n, func(_ *Request, v [][]float32) [][]float32 { return v[1:] })
}

// Narrow answers n times with vectors of one value less.
func Narrow(n int) Fault {
	return Spoil(n, func(r *Request, v [][]float32) [][]float32 {
		for i := range v {
			v[i] = v[i][1:]
		}
		return v
	})
}

// Zeros answers n times with zeros for texts with part in them.
func Zeros(n int, part string) Fault {
	return For(part, Spoil(n, func(r *Request, v [][]float32) [][]float32 {
		for i, t := range r.Texts {
			if strings.Contains(t, part) {
				clear(v[i])
			}
		}
		return v
	}))
}

// NaN answers n times with a bare NaN, which is no JSON, in the vectors of texts
// with part in them.
func NaN(n int, part string) Fault {
	return For(part, first(n, func(s *Server, w http.ResponseWriter, r *Request) bool {
		list := make([]string, len(r.Texts))
		for i, t := range r.Texts {
			v, _ := json.Marshal(Vector(t, r.dimension))
			list[i] = string(v)
			if strings.Contains(t, part) {
				list[i] = "[NaN," + list[i][strings.Index(list[i], ",")+1:]
			}
			if !r.Cohere {
				list[i] = fmt.Sprintf(`{"index": %d, "embedding": %s}`, i, list[i])
			}
		}
		all := "[" + strings.Join(list, ", ") + "]"
		if r.Cohere {
			fmt.Fprintf(w, `{"embeddings": {"float": %s}}`, all)
		} else {
			fmt.Fprintf(w, `{"data": %s}`, all)
		}
		return true
	}))
}

// Indices gives n answers of OpenAI's API other indices.
func Indices(n int, change func(i, rows int) any) Fault {
	return first(n, func(s *Server, w http.ResponseWriter, r *Request) bool {
		data := make([]map[string]any, len(r.Texts))
		for i, t := range r.Texts {
			data[i] = map[string]any{"embedding": Vector(t, r.dimension)}
			if x := change(i, len(r.Texts)); x != nil {
				data[i]["index"] = x
			}
		}
		s.send(w, r, map[string]any{"data": data}, nil)
		return true
	})
}

// Reordered sends the vectors of all answers of OpenAI's API in another order,
// each with its index: no fault at all.
func Reordered() Fault {
	return func(s *Server, w http.ResponseWriter, r *Request) bool {
		vectors := make([][]float32, len(r.Texts))
		for i, t := range r.Texts {
			vectors[i] = Vector(t, r.dimension)
		}
		object := r.object(vectors, len(r.Texts), true)
		slices.Reverse(object["data"].([]map[string]any))
		s.send(w, r, object, r.Texts)
		return true
	}
}

// Named returns a fault by its name in standin's flag, as in storm=5.
func Named(text string) (Fault, error) {
	name, arg, _ := strings.Cut(text, "=")
	n, _ := strconv.Atoi(arg)
	switch name {
	case "storm":
		return Storm(n), nil
	case "500":
		return Every(max(2, n), Code(1<<30, http.StatusInternalServerError, "the server had an error")), nil
	case "cut":
		return Every(max(2, n), Cut(1<<30)), nil
	case "html":
		return Every(max(2, n), HTML(1<<30, http.StatusBadGateway)), nil
	case "short":
		return Every(max(2, n), Short(1<<30)), nil
	case "forbidden":
		return For(arg, Code(1<<30, http.StatusBadRequest, "the text is against the rules")), nil
	case "nan":
		return NaN(1<<30, arg), nil
	case "reordered":
		return Reordered(), nil
	}
	return nil, fmt.Errorf("no fault is called %q: there are storm=N, 500=EVERY, cut=EVERY, html=EVERY, short=EVERY, forbidden=TEXT, nan=TEXT, reordered", name)
}
