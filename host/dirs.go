package host

// Dirs returns the folders in which programs are looked for, in order: dirs,
// then the usual ones.
func Dirs(dirs []string) []string { return searchDirs(dirs) }
