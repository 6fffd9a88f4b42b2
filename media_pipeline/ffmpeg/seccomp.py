"""The filter of system calls for programs that read untrusted files; pure.

Landlock closes off files. This filter refuses what Landlock does not know of: sockets of any kind, the mode and owner
of files, limits of other processes of the same user and signals to them, new processes, and parts of the kernel that no
decoder needs. Everything else is allowed: an ffmpeg of another year may need calls that today's does not.
"""

# A refused call returns an error, after which the program can go on.
EPERM, ENOSYS = 1, 38
REFUSED, UNKNOWN, ALLOWED = 0x0005_0000 | EPERM, 0x0005_0000 | ENOSYS, 0x7FFF_0000
# Instructions of classic BPF: load a word, compare it, return.
LOAD, AND, IS_EQUAL, IS_AT_LEAST, HAS_BITS, RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
# Offsets in struct seccomp_data.
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
# Stands in an instruction for the number of the program's process, which only the launcher knows.
OWN_PID = -1

PR_SET_PDEATHSIG = 1
F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY = 8, 10, 15, 1024, 1026
CLONE_THREAD = 0x0001_0000
CLONE_NAMESPACES = 0x7E02_0000  # all of CLONE_NEW*
O_WRONLY, O_RDWR, O_ACCMODE, O_TRUNC = 1, 2, 3, 0o1000
X32_CALLS = 0x4000_0000  # the second table of system calls on x86-64

# The AUDIT_ARCH_* of each machine, and its column in the tables below.
ARCHITECTURES = {"x86_64": (0xC000_003E, 0), "aarch64": (0xC000_00B7, 1)}
SECCOMP_CALL = {"x86_64": 317, "aarch64": 277}

Numbers = tuple[int | None, int | None]  # on x86-64 and on aarch64
Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, value

REFUSED_CALLS: dict[str, Numbers] = {
    # Sockets: the network, and those of Redis and PostgreSQL, which Landlock lets a program connect to.
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    # Other processes of the same user.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "move_pages": (279, 239), "migrate_pages": (256, 238), "ioprio_set": (251, 30),
    # The attributes of a file, and truncate, which Landlock knows of since its third version only.
    "truncate": (76, 45), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54), "utime": (132, None),
    "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466), "file_setattr": (469, 469),
    "inotify_init": (253, None), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
    "open_by_handle_at": (304, 265),
    # Other views of the machine.
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "setns": (308, 268),
    "unshare": (272, 97), "fsopen": (430, 430), "fspick": (433, 433), "fsconfig": (431, 431), "fsmount": (432, 432),
    "move_mount": (429, 429), "open_tree": (428, 428), "open_tree_attr": (467, 467), "mount_setattr": (442, 442),
    # Means by which processes share data without files.
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "shmget": (29, 194), "shmat": (30, 196),
    "shmctl": (31, 195), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192), "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    # Memory that no limit counts.
    "memfd_create": (319, 279), "memfd_secret": (447, 447),
    # Parts of the kernel that have been broken into before, and the machine as a whole.
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "modify_ldt": (154, None), "iopl": (172, None),
    "ioperm": (173, None), "personality": (135, 92), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "quotactl": (179, 60), "quotactl_fd": (443, 443), "acct": (163, 89),
    "syslog": (103, 116), "vhangup": (153, 58), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "clock_adjtime": (305, 266), "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162),
}  # fmt: skip
# Their arguments are behind a pointer, which a filter cannot follow. The filter answers that the kernel does not know
# these calls, and the C library then takes the older ones.
UNKNOWN_CALLS: dict[str, Numbers] = {"clone3": (435, 435), "openat2": (437, 437)}
# Calls on a process, and which argument names it; 0 is the caller.
CALLS_ON_A_PROCESS: dict[str, tuple[Numbers, int]] = {
    "prlimit64": ((302, 261), 0), "sched_setaffinity": ((203, 122), 0), "sched_setscheduler": ((144, 119), 0),
    "sched_setparam": ((142, 118), 0), "sched_setattr": ((314, 274), 0),
}  # fmt: skip
SIGNAL_CALLS: dict[str, tuple[Numbers, int]] = {
    "kill": ((62, 129), 0), "tkill": ((200, 130), 0), "tgkill": ((234, 131), 0),
}  # fmt: skip
# Allowed for one process only. For a group or a user, 0 would mean the caller's, which may be the worker's as well.
SETPRIORITY: Numbers = (141, 140)
PRIO_PROCESS = 0
FORK_CALLS: dict[str, Numbers] = {"fork": (57, None), "vfork": (58, None)}
CLONE: Numbers = (56, 220)
# Calls that open a file, and which argument has the flags.
OPEN: dict[str, tuple[Numbers, int]] = {"open": ((2, None), 1), "openat": ((257, 56), 2)}
# Calls that do many things: which argument says what is to be done, and the values that are refused.
ORDERS: dict[str, tuple[Numbers, int, tuple[int, ...]]] = {
    # The program must end with the worker.
    "prctl": ((157, 167), 0, (PR_SET_PDEATHSIG,)),
    # An open file can be told to send a signal to any process of the user.
    "fcntl": ((72, 25), 1, (F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY)),
}


def filter_for(machine: str, *, may_start_programs: bool) -> list[Instruction]:
    """The filter for a machine as `uname -m` names it; empty where its system calls are not known.

    A program that may start others may also send signals to them.
    """
    if machine not in ARCHITECTURES:
        return []
    architecture, column = ARCHITECTURES[machine]
    refused, own_only = dict(REFUSED_CALLS), dict(CALLS_ON_A_PROCESS)
    if not may_start_programs:
        refused |= FORK_CALLS
        own_only |= SIGNAL_CALLS
    program: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (IS_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, REFUSED),
        (LOAD, 0, 0, NUMBER_AT),
    ]
    if machine == "x86_64":
        program += [(IS_AT_LEAST, 0, 1, X32_CALLS), (RETURN, 0, 0, UNKNOWN)]
    rules: list[tuple[Numbers, list[Instruction]]] = [
        *((numbers, [(RETURN, 0, 0, REFUSED)]) for numbers in refused.values()),
        *((numbers, [(RETURN, 0, 0, UNKNOWN)]) for numbers in UNKNOWN_CALLS.values()),
        *((numbers, own_process_rule(argument)) for numbers, argument in own_only.values()),
        *((numbers, truncation_rule(argument)) for numbers, argument in OPEN.values()),
        *((numbers, orders_rule(argument, orders)) for numbers, argument, orders in ORDERS.values()),
        (SETPRIORITY, [load(0), (IS_EQUAL, 1, 0, PRIO_PROCESS), (RETURN, 0, 0, REFUSED), *own_process_rule(1)]),
        (CLONE, clone_rule(may_start_programs=may_start_programs)),
    ]
    for numbers, rule in rules:
        number = numbers[column]
        # None: this machine does not have the call.
        if number is not None:
            # Every rule ends in a return: it may have loaded an argument in the place of the call's number.
            program += [(IS_EQUAL, 0, len(rule), number), *rule]
    return [*program, (RETURN, 0, 0, ALLOWED)]


def load(argument: int) -> Instruction:
    # The lower half of the argument: the numbers of processes, flags and orders are no longer.
    return (LOAD, 0, 0, ARGUMENTS_AT + 8 * argument)


def own_process_rule(argument: int) -> list[Instruction]:
    """Allows the call on the program's own process only."""
    # 0 is the caller or, for a signal, its group, in which a program that starts no other is alone.
    own: list[Instruction] = [(IS_EQUAL, 2, 0, 0), (IS_EQUAL, 1, 0, OWN_PID)]
    return [load(argument), *own, (RETURN, 0, 0, REFUSED), (RETURN, 0, 0, ALLOWED)]


def truncation_rule(argument: int) -> list[Instruction]:
    """Refuses to empty a file while opening it to read, for which older versions of Landlock ask only to read."""
    return [
        load(argument),
        (AND, 0, 0, O_TRUNC | O_ACCMODE),
        (IS_EQUAL, 3, 0, O_TRUNC | O_WRONLY),
        (IS_EQUAL, 2, 0, O_TRUNC | O_RDWR),
        (HAS_BITS, 0, 1, O_TRUNC),
        (RETURN, 0, 0, REFUSED),
        (RETURN, 0, 0, ALLOWED),
    ]


def orders_rule(argument: int, orders: tuple[int, ...]) -> list[Instruction]:
    """Refuses the call with one of these orders."""
    compared = [(IS_EQUAL, len(orders) - number, 0, order) for number, order in enumerate(orders)]
    return [load(argument), *compared, (RETURN, 0, 0, ALLOWED), (RETURN, 0, 0, REFUSED)]


def clone_rule(*, may_start_programs: bool) -> list[Instruction]:
    """Refuses new namespaces and, unless programs may be started, everything but threads."""
    rule = [load(0), (HAS_BITS, 0, 1, CLONE_NAMESPACES), (RETURN, 0, 0, REFUSED)]
    if not may_start_programs:
        rule += [(HAS_BITS, 1, 0, CLONE_THREAD), (RETURN, 0, 0, REFUSED)]
    return [*rule, (RETURN, 0, 0, ALLOWED)]
