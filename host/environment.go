package host

import (
	"runtime"
	"slices"
	"strings"
)

// A program gets these variables of the host's and those that its description
// names, and no other: a key meant for one program reaches that program alone.
var (
	passedNames = []string{
		"PATH", "HOME", "USER", "TMPDIR", "LANG", "LANGUAGE", "TZ", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
	}
	passedPrefixes = []string{"LC_", "SSL_CERT_", "ORT_", "BERTOPIC_LOG_PLUGIN_"}
	passedSuffixes = []string{"_PROXY"} // and in lower case
	passedWindows  = []string{"SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PATHEXT", "COMSPEC"}
)

// Environment picks from host, a list as of os.Environ, what a program gets that
// asks for the variables extra, and adds what keeps it from writing where it lies.
func Environment(host, extra []string) []string {
	var passed []string
	for _, pair := range host {
		name, _, ok := strings.Cut(pair, "=")
		if ok && name != "" && (passes(name) || slices.Contains(extra, name)) {
			passed = append(passed, pair)
		}
	}
	// Python would write bytecode into the folder that the lock is to cover.
	return append(passed, "PYTHONDONTWRITEBYTECODE=1")
}

func passes(name string) bool {
	if runtime.GOOS == "windows" && slices.Contains(passedWindows, strings.ToUpper(name)) {
		return true
	}
	return slices.Contains(passedNames, name) ||
		slices.ContainsFunc(passedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) ||
		slices.ContainsFunc(passedSuffixes, func(s string) bool { return strings.HasSuffix(strings.ToUpper(name), s) })
}
