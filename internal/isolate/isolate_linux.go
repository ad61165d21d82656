package isolate

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func start(newCommand func() *exec.Cmd, network bool, strongest, weakest Kind) (*Process, error) {
	if strongest < weakest {
		return nil, &Unable{fmt.Errorf("the strongest kind that may be tried is %s", strongest)}
	}
	var why error
	for kind := strongest; ; kind-- {
		cmd := newCommand()
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		err := error(nil)
		switch kind {
		case Namespace:
			err = namespaces(cmd.SysProcAttr, network)
		case Filter:
			err = filterThread(network)
		}
		if err == nil {
			err = cmd.Start()
		}
		if err == nil {
			p := &Process{Cmd: cmd, Kind: kind, Why: why}
			if kind == Namespace && !network {
				p.counters.open(cmd.Process.Pid)
			}
			return p, nil
		}
		if kind == None || !forbidden(err) {
			return nil, err
		}
		if kind == Namespace && errors.Is(err, syscall.ENOSPC) {
			err = fmt.Errorf("the system allows no more of them (user.max_user_namespaces): %w", err)
		}
		why = errors.Join(why, fmt.Errorf("%s: %w", kind, err))
		if kind == weakest {
			return nil, &Unable{why}
		}
	}
}

// forbidden reports whether err is what the kernel says where it does not allow
// a namespace or a filter. A program that can't be executed may fail so, too:
// then it will the next time.
func forbidden(err error) bool {
	var e syscall.Errno
	return errors.As(err, &e) && slices.Contains([]syscall.Errno{
		syscall.EPERM, syscall.EACCES, syscall.EINVAL, syscall.ENOSPC, syscall.ENOSYS, syscall.EUSERS, syscall.ENOMEM, syscall.ENOENT,
	}, e)
}

// namespaces asks for namespaces of its own. Users and groups keep their
// numbers, so that files made keep their owner: all of them for root, who may
// hand on all, the user's alone for others. Supplementary groups still count.
func namespaces(a *syscall.SysProcAttr, network bool) (err error) {
	a.Cloneflags |= syscall.CLONE_NEWUSER
	if !network {
		a.Cloneflags |= syscall.CLONE_NEWNET
	}
	if os.Geteuid() != 0 {
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
		return nil
	}
	a.GidMappingsEnableSetgroups = true
	if a.UidMappings, err = ours("/proc/self/uid_map"); err == nil {
		a.GidMappings, err = ours("/proc/self/gid_map")
	}
	return err
}

// ours is a mapping of all numbers that a map of this process's has, to
// themselves.
func ours(path string) ([]syscall.SysProcIDMap, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []syscall.SysProcIDMap
	for line := range strings.Lines(string(text)) {
		var inside, outside, n int
		if _, err := fmt.Sscan(line, &inside, &outside, &n); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		all = append(all, syscall.SysProcIDMap{ContainerID: inside, HostID: inside, Size: n})
	}
	return all, nil
}

// machines are the processors for which there is a filter.
var machines = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// filterThread puts a filter and a Landlock domain on this thread, which what it
// starts inherits for good. Sockets other than unix's and the kernel's own are
// refused, as is io_uring, which could make them past the filter. The domain
// forbids nothing but to look into processes outside of it.
func filterThread(network bool) error {
	machine, ok := machines[runtime.GOARCH]
	if !ok {
		return fmt.Errorf("no filter for %s: %w", runtime.GOARCH, syscall.ENOSYS)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	landlock() // for the host's memory; where it is lacking, the network still is kept
	if network {
		return nil
	}
	const (
		nr, arch, domain = 0, 4, 16 // offsets in struct seccomp_data
		refuse           = unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)
		lacking          = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	is := func(k uint32, then, otherwise uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jt: then, Jf: otherwise}
	}
	program := []unix.SockFilter{
		load(arch),
		is(machine, 0, 8), // calls of another kind of program are refused
		load(nr),
		{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: 0x40000000, Jt: 6}, // x32's
		is(unix.SYS_IO_URING_SETUP, 5, 0),
		is(unix.SYS_SOCKET, 0, 5),
		load(domain),
		is(unix.AF_UNIX, 3, 0),
		is(unix.AF_NETLINK, 2, 0),
		{Code: unix.BPF_RET | unix.BPF_K, K: refuse},
		{Code: unix.BPF_RET | unix.BPF_K, K: lacking},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	f := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if _, _, e := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&f))); e != 0 {
		return e
	}
	return nil
}

// landlock enters a domain that forbids to make block devices, since one has to
// forbid something. A process with CAP_PERFMON reads memory even so.
func landlock() {
	attr := struct{ fs uint64 }{unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK}
	fd, _, e := syscall.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if e == 0 {
		_, _, _ = syscall.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0)
		_ = unix.Close(int(fd))
	}
}

// counters are those of a network namespace. They can be read when the process
// is gone.
type counters struct{ files []*os.File }

func (c *counters) open(pid int) {
	for _, name := range []string{"snmp", "snmp6"} {
		if f, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", pid, name)); err == nil {
			c.files = append(c.files, f)
		}
	}
}

// Attempts returns how often the process, or one that it started, has tried to
// reach another machine or this one over the network. It is known of a process
// that is in a network namespace of its own.
func (p *Process) Attempts() (n int, known bool) {
	for _, f := range p.files {
		text := make([]byte, 16<<10)
		k, _ := f.ReadAt(text, 0)
		n += unroutable(string(text[:k]))
	}
	return n, len(p.files) > 0
}

// Close lets go of what Attempts reads.
func (p *Process) Close() {
	for _, f := range p.files {
		_ = f.Close()
	}
	p.files = nil
}

// unroutable reads the packets without a way from /proc/net/snmp, where names
// and numbers have a line each, or snmp6, where each has one with its name.
func unroutable(text string) int {
	var names []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 2 && f[0] == "Ip6OutNoRoutes":
			n, _ := strconv.Atoi(f[1])
			return n
		case len(f) == 0 || f[0] != "Ip:":
		case names == nil:
			names = f
		default:
			if at := slices.Index(names, "OutNoRoutes"); at > 0 && at < len(f) {
				n, _ := strconv.Atoi(f[at])
				return n
			}
		}
	}
	return 0
}
