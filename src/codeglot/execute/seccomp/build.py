"""Compile the deny list with libseccomp: `python -m codeglot.execute.seccomp.build` writes one filter per processor.

Needs the package `pyseccomp` and the library libseccomp; what it writes is shipped, so running needs neither.
"""

import errno
import tempfile
from pathlib import Path

import pyseccomp as seccomp

ARCHITECTURES = {"x86_64": seccomp.Arch.X86_64, "aarch64": seccomp.Arch.AARCH64}

DENIED = (
    # looking into, or steering, other processes
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp"),
    # large and young parts of the kernel
    *("bpf", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "perf_event_open"),
    *("add_key", "request_key", "keyctl", "fanotify_init", "lookup_dcookie"),
    # mounts and namespaces
    *("mount", "umount2", "pivot_root", "chroot", "setns", "fsopen", "fsconfig", "fsmount", "fspick"),
    *("move_mount", "open_tree", "mount_setattr", "name_to_handle_at", "open_by_handle_at"),
    # memory that no limit counts
    *("shmget", "shmat", "msgget", "semget", "memfd_create", "memfd_secret"),
    # memory that is still counted when the next program begins
    "mq_open",
    # the machine
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "syslog", "acct"),
    *("quotactl", "quotactl_fd", "vhangup", "nfsservctl", "ioperm", "iopl", "modify_ldt"),
)
NEW_NAMESPACE_FLAGS = (
    0x00000080,  # time
    0x00020000,  # mount
    0x02000000,  # cgroup
    0x04000000,  # host name
    0x08000000,  # IPC
    0x10000000,  # user
    0x20000000,  # pid
    0x40000000,  # network
)
LAST_SOCKET_FAMILY = 10
"""AF_INET6; families above it (netlink, packet, vsock ...) are denied, and those below but for UNIX and IPv4."""
ALLOWED_SOCKET_FAMILIES = (1, 2, 10)
STEERED_BY_FIRST_ARGUMENT = ("prlimit64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler")
STEERED_BY_SECOND_ARGUMENT = {"setpriority": 0, "ioprio_set": 1}
"""With the kind of target in the first argument that is a process, not a group or a user."""
FIRST_PROCESS = 1
"""Starts program after program; whatever one of them laid on it would last."""
IPV6, FLOW_LABELS = 41, 32
"""Level and name of a socket's option: a flow label outlives its socket."""
DENIED_IOCTLS = (
    0x5412,  # TIOCSTI: types into a terminal
    0x541C,  # TIOCLINUX
    # what lasts on the folder of a box, which is used again
    0x40086602,  # FS_IOC_SETFLAGS
    0x40087602,  # FS_IOC_SETVERSION
    0x40086604,  # EXT4_IOC_SETVERSION
    0x401C5820,  # FS_IOC_FSSETXATTR
    0x800C6613,  # FS_IOC_SET_ENCRYPTION_POLICY
    0xC0506617,  # FS_IOC_ADD_ENCRYPTION_KEY
)


def build(machine: str) -> bytes:
    """The filter for one processor, as `bwrap --seccomp` reads it."""
    denied = seccomp.ERRNO(errno.EPERM)
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    if ARCHITECTURES[machine] != seccomp.Arch.NATIVE:
        rules.remove_arch(seccomp.Arch.NATIVE)
        rules.add_arch(ARCHITECTURES[machine])
    for name in DENIED:
        rules.add_rule(denied, name)
    # Its flags lie in memory, where a filter cannot look; libraries fall back to clone.
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for flag in NEW_NAMESPACE_FLAGS:
        rules.add_rule(denied, "unshare", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
        if flag > 0xFF:  # the low byte of clone's flags is the signal to the parent
            rules.add_rule(denied, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    rules.add_rule(denied, "socket", seccomp.Arg(0, seccomp.GT, LAST_SOCKET_FAMILY))
    for family in set(range(LAST_SOCKET_FAMILY)) - set(ALLOWED_SOCKET_FAMILIES):
        rules.add_rule(denied, "socket", seccomp.Arg(0, seccomp.EQ, family))
    for name in STEERED_BY_FIRST_ARGUMENT:
        rules.add_rule(denied, name, seccomp.Arg(0, seccomp.MASKED_EQ, 0xFFFFFFFF, FIRST_PROCESS))
    for name, process in STEERED_BY_SECOND_ARGUMENT.items():
        rules.add_rule(denied, name, seccomp.Arg(0, seccomp.NE, process))
        rules.add_rule(denied, name, seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, FIRST_PROCESS))
    is_of_ipv6 = seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, IPV6)
    rules.add_rule(denied, "setsockopt", is_of_ipv6, seccomp.Arg(2, seccomp.MASKED_EQ, 0xFFFFFFFF, FLOW_LABELS))
    for request in DENIED_IOCTLS:
        rules.add_rule(denied, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, request))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


if __name__ == "__main__":
    for machine in ARCHITECTURES:
        Path(__file__).with_name(f"{machine}.bpf").write_bytes(build(machine))
