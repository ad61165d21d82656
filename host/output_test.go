package host

import (
	"fmt"
	"testing"
)

// Numbers of a program's log stay as they were written.
func TestRecordNumbers(t *testing.T) {
	r, ok := parseRecord([]byte(`{"@level": "info", "@message": "sent", "tokens": 1083774, "share": 0.25}`))
	if !ok || fmt.Sprint(r) != "INFO sent share=0.25 tokens=1083774" {
		t.Errorf("the record is %v, %v", r, ok)
	}
	if _, ok := parseRecord([]byte(`{"@level": "info", "@message": "sent"} and more`)); ok {
		t.Error("a line with more than a record is one")
	}
}
