package host

import "path/filepath"

// Dirs returns the folders in which programs are looked for, in order: dirs,
// then the usual ones.
func Dirs(dirs []string) []string { return searchDirs(dirs) }

// UserDir returns the one of them in the user's data folder, "" where the user
// has none.
func UserDir() string {
	data := userData()
	if data == "" {
		return ""
	}
	return filepath.Join(data, "bertopic", "plugins")
}
