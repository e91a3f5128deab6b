"""Makes a running process try a system call, as somebody would who has taken it over: with ptrace(2), from outside.

    with Inside(pid) as p:
        p.call("socket", 2, 3, 1)     # what the kernel says: a number, or -errno
        p.call("openat", -100, p.text("/etc/passwd"), os.O_WRONLY, 0)

Nothing of this is in the program. The process stops where it is, makes the call with its own rights and filters, and goes
on as if nothing had happened. A descriptor that it got is closed again. 64-bit x86 only: elsewhere can_inject() is false.
"""

import ctypes
import errno
import os
import platform
import signal

NUMBERS = {
    "read": 0, "write": 1, "open": 2, "close": 3, "mmap": 9, "ioctl": 16, "getpid": 39, "socket": 41, "fork": 57, "vfork": 58, "execve": 59, "kill": 62,
    "rename": 82, "mkdir": 83, "creat": 85, "link": 86, "unlink": 87, "symlink": 88, "chmod": 90, "chown": 92, "umask": 95, "ptrace": 101,
    "setuid": 105, "setgid": 106, "setresuid": 117, "capset": 126, "mknod": 133, "personality": 135, "pivot_root": 155, "prctl": 157,
    "chroot": 161, "mount": 165, "reboot": 169, "sethostname": 170, "init_module": 175, "tgkill": 234, "kexec_load": 246, "add_key": 248,
    "openat": 257, "mkdirat": 258, "unshare": 272, "perf_event_open": 298, "setns": 308, "process_vm_writev": 311, "finit_module": 313,
    "seccomp": 317, "memfd_create": 319, "bpf": 321, "execveat": 322, "userfaultfd": 323, "io_uring_setup": 425, "truncate": 76,
    "clock_settime": 227, "clone": 56, "pidfd_open": 434, "process_vm_readv": 310,
}
PTRACE_PEEKDATA, PTRACE_POKEDATA, PTRACE_CONT, PTRACE_SINGLESTEP, PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_DETACH = 2, 5, 7, 9, 12, 13, 17
PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Registers(ctypes.Structure):
    _fields_ = [(n, ctypes.c_ulonglong) for n in ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
                                                  "fs_base gs_base ds es fs gs").split()]


def can_inject():
    return platform.machine() == "x86_64" and os.geteuid() == 0


def ptrace(request, pid, address=None, data=None):
    ctypes.set_errno(0)
    r = libc.ptrace(request, pid, address, data)
    if r == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), f"ptrace {request}: {os.strerror(ctypes.get_errno())}")
    return r & 0xFFFFFFFFFFFFFFFF


class Inside:
    def __init__(self, pid):
        self.pid, self.stepping = pid, False

    def __enter__(self):
        ptrace(PTRACE_SEIZE, self.pid)
        ptrace(PTRACE_INTERRUPT, self.pid)
        self._wait()
        self.saved = Registers()
        ptrace(PTRACE_GETREGS, self.pid, None, ctypes.addressof(self.saved))
        # what is written for a call lies below the stack and its red zone, and is put back
        self.scratch = (self.saved.rsp - 8192) & ~0xFFF
        self.kept = [(a, ptrace(PTRACE_PEEKDATA, self.pid, a)) for a in range(self.scratch, self.scratch + 512, 8)]
        self.code = self._find_syscall()
        self.used = 0
        return self

    def __exit__(self, *exc):
        for address, word in self.kept:
            ptrace(PTRACE_POKEDATA, self.pid, address, word)
        ptrace(PTRACE_SETREGS, self.pid, None, ctypes.addressof(self.saved))
        ptrace(PTRACE_DETACH, self.pid)

    def _wait(self):
        while True:
            _, status = os.waitpid(self.pid, WALL)
            if not os.WIFSTOPPED(status):
                raise OSError(errno.ESRCH, f"the process is gone: {status:#x}")
            if os.WSTOPSIG(status) == signal.SIGTRAP:
                return
            # a signal that came in between (a child has ended): not now
            ptrace(PTRACE_SINGLESTEP if self.stepping else PTRACE_CONT, self.pid)

    def _find_syscall(self):
        """Where the C library has the instruction `syscall`."""
        with open(f"/proc/{self.pid}/maps") as maps, open(f"/proc/{self.pid}/mem", "rb") as memory:
            for line in maps:
                words = line.split()
                if "x" not in words[1] or "/libc" not in words[-1]:
                    continue
                begin, end = (int(x, 16) for x in words[0].split("-"))
                memory.seek(begin)
                at = memory.read(end - begin).find(b"\x0f\x05")
                if at >= 0:
                    return begin + at
        raise OSError(errno.ENOENT, "no system call instruction was found")

    def text(self, text):
        """The address of a string in the process, until the end of the next call."""
        return self.bytes(text.encode() + b"\0")

    def bytes(self, raw):
        raw += b"\0" * (-len(raw) % 8)
        at = self.scratch + self.used
        self.used += len(raw)
        assert self.used <= 512
        for i in range(0, len(raw), 8):
            ptrace(PTRACE_POKEDATA, self.pid, at + i, int.from_bytes(raw[i:i + 8], "little"))
        return at

    def call(self, name, *args):
        r = Registers.from_buffer_copy(self.saved)
        r.rax, r.orig_rax, r.rip, r.rsp = NUMBERS[name], 0xFFFFFFFFFFFFFFFF, self.code, self.scratch - 512
        for register, value in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), args):
            setattr(r, register, value & 0xFFFFFFFFFFFFFFFF)
        ptrace(PTRACE_SETREGS, self.pid, None, ctypes.addressof(r))
        self.stepping = True
        ptrace(PTRACE_SINGLESTEP, self.pid)
        self._wait()
        ptrace(PTRACE_GETREGS, self.pid, None, ctypes.addressof(r))
        self.used = 0
        return ctypes.c_longlong(r.rax).value
