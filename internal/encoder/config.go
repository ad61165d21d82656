package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// config is a config.json. Its readers note a wrong or missing value and go
// on; err gives what they noted.
type config struct {
	values map[string]any
	errs   []error
}

func readConfig(path string) (*config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c := &config{}
	if err := json.Unmarshal(raw, &c.values); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if c.values["model_type"] == nil {
		return nil, fmt.Errorf("read %s: no model_type: this is not the configuration of a transformers model", path)
	}
	return c, nil
}

func (c *config) err() error { return errors.Join(c.errs...) }

func (c *config) fail(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("config.json: "+format, args...))
}

func (c *config) has(key string) bool { return c.values[key] != nil }

// int reads a positive count.
func (c *config) int(key string) int {
	v, ok := c.values[key].(float64)
	if !ok || v != float64(int(v)) || v < 1 || v > 1<<31-1 {
		c.fail("%s is %v, not a positive whole number", key, c.values[key])
		return 1
	}
	return int(v)
}

// countOr is int with a value for a missing one.
func (c *config) countOr(key string, missing int) int {
	if !c.has(key) {
		return missing
	}
	return c.int(key)
}

// intOr reads a whole number of any sign, with a value for a missing one.
func (c *config) intOr(key string, missing int) int {
	if !c.has(key) {
		return missing
	}
	v, ok := c.values[key].(float64)
	if !ok || v != float64(int(v)) {
		c.fail("%s is %v, not a whole number", key, c.values[key])
		return missing
	}
	return int(v)
}

func (c *config) floatOr(key string, missing float64) float64 {
	if !c.has(key) {
		return missing
	}
	v, ok := c.values[key].(float64)
	if !ok {
		c.fail("%s is %v, not a number", key, c.values[key])
		return missing
	}
	return v
}

func (c *config) boolOr(key string, missing bool) bool {
	if !c.has(key) {
		return missing
	}
	v, ok := c.values[key].(bool)
	if !ok {
		c.fail("%s is %v, not true or false", key, c.values[key])
	}
	return v
}

func (c *config) str(key string) string {
	s, _ := c.values[key].(string)
	return s
}

func (c *config) strOr(key, missing string) string {
	if s := c.str(key); s != "" {
		return s
	}
	return missing
}

// sub reads an object, which is empty where it is missing.
func (c *config) sub(key string) *config {
	v, _ := c.values[key].(map[string]any)
	return &config{values: v}
}

// first returns the first of several names of a setting that is there, and the
// first name where none is.
func (c *config) first(keys ...string) string {
	for _, k := range keys {
		if c.has(k) {
			return k
		}
	}
	return keys[0]
}

// heads checks that a width is cut into heads without rest and returns the
// width of one.
func (c *config) heads(width, heads int) int {
	if width%heads != 0 {
		c.fail("a width of %d cannot be cut into %d attention heads", width, heads)
		return 1
	}
	return width / heads
}

// only refuses a setting that changes the computation in a way that is not
// built.
func (c *config) only(key string, want any) {
	switch {
	case !c.has(key) || c.values[key] == want:
	case want == nil:
		c.fail("%s is set, which is not built: put an ONNX export into the folder as onnx/model.onnx", key)
	default:
		c.fail("%s is %v; only %v is built: put an ONNX export into the folder as onnx/model.onnx", key, c.values[key], want)
	}
}
