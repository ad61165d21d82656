//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// interruptChildren sends an interrupt to the children of this process that
// are called name and work in the folder dir: other scripts run beside this one.
func interruptChildren(name, dir string) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		b, err := os.ReadFile(stat)
		if err != nil {
			continue
		}
		// pid (name) state ppid
		text := string(b)
		open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
		fields := strings.Fields(text[end+1:])
		if open < 0 || text[open+1:end] != name || fields[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		pid, _ := strconv.Atoi(strings.TrimSpace(text[:open]))
		if cwd, err := os.Readlink(filepath.Join(filepath.Dir(stat), "cwd")); err != nil || cwd != dir {
			continue
		}
		syscall.Kill(pid, syscall.SIGINT)
	}
}
