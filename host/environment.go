package host

import (
	"runtime"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/sdk"
)

// A program gets these variables of the host's and those that its description
// names, and no other: a key meant for one program reaches that program alone.
var (
	passedNames = []string{
		"PATH", "HOME", "USER", "TMPDIR", "LANG", "LANGUAGE", "TZ", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
	}
	passedPrefixes = []string{"LC_", "SSL_CERT_", "ORT_", "BERTOPIC_LOG_PLUGIN_"}
	passedSuffixes = []string{"_PROXY"} // and in lower case; to programs that declare network alone
	passedWindows  = []string{"SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PATHEXT", "COMSPEC"}
)

// Environment picks from host, a list as of os.Environ, what a program of this
// description gets, and adds what keeps it from writing where it lies. Proxies,
// whose addresses may hold a password, are for those that declare network.
func Environment(host []string, d sdk.Description) []string {
	var passed []string
	for _, pair := range host {
		name, _, ok := strings.Cut(pair, "=")
		if ok && name != "" && (passes(name) || d.Network && isProxy(name) || slices.Contains(d.Env, name)) {
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
		slices.ContainsFunc(passedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

func isProxy(name string) bool {
	return slices.ContainsFunc(passedSuffixes, func(s string) bool { return strings.HasSuffix(strings.ToUpper(name), s) })
}
