package host

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// canLimitMemory says that memory can be watched on this system.
const canLimitMemory = true

// wholeLook is how many looks at the processes that are known come before one at
// all processes of the machine, for those that have left their parent.
const wholeLook = 20

// memory adds up what a process and those that it has started use.
type memory struct {
	pid   int
	looks int
	group []int // of the process group, as last seen
}

// used returns the resident set of the process in bytes, plus that of the others
// without what is shared, of which the process itself has its part.
func (m *memory) used() int64 {
	if m.looks%wholeLook == 0 {
		m.group = processGroup(m.pid)
	}
	m.looks++
	seen := map[int]bool{}
	total := int64(0)
	var add func(pid int)
	add = func(pid int) {
		if seen[pid] {
			return
		}
		seen[pid] = true
		resident, shared := pages(pid)
		if pid != m.pid {
			resident -= shared
		}
		total += resident
		for _, child := range childrenOf(pid) {
			add(child)
		}
	}
	add(m.pid)
	for _, pid := range m.group {
		add(pid)
	}
	return total * int64(os.Getpagesize())
}

// pages reads the resident and the shared pages of a process.
func pages(pid int) (resident, shared int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	f := strings.Fields(string(text))
	if err != nil || len(f) < 3 {
		return 0, 0
	}
	resident, _ = strconv.ParseInt(f[1], 10, 64)
	shared, _ = strconv.ParseInt(f[2], 10, 64)
	return resident, shared
}

func childrenOf(pid int) []int {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var all []int
	for _, f := range files {
		text, _ := os.ReadFile(f)
		for s := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(s); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}

// processGroup returns the processes of a group.
func processGroup(group int) []int {
	entries, _ := os.ReadDir("/proc")
	var all []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		// pid (name) state parent group ...; the name may hold anything.
		if f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])); len(f) > 2 && f[2] == strconv.Itoa(group) {
			all = append(all, pid)
		}
	}
	return all
}

// preferToEnd has the kernel end this process rather than the host where the
// machine runs out of memory.
func preferToEnd(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte("500"), 0)
}
