"""How much memory a conversion may take: a file that claims tensors without end must not take the machine down."""

import resource

# What is mapped but never touched: libraries, stacks, reserves of the allocator.
RESERVE = 2 << 30
# Where it can't be told what is free.
OTHERWISE = 8 << 30


def limit():
    """Lets allocations fail that are more than the machine has free, where it would end some other process instead."""
    wanted = available() + RESERVE
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    for given in (soft, hard):
        if given != resource.RLIM_INFINITY:
            wanted = min(wanted, given)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    return wanted


def available():
    """Bytes that are free for a new process, by the machine and by the control group that this one is in."""
    found = [_of_the_machine(), _of_the_group()]
    known = [number for number in found if number is not None]
    return min(known) if known else OTHERWISE


def _of_the_machine():
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    return None


def _of_the_group():
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            maximum = file.read().strip()
        with open("/sys/fs/cgroup/memory.current", encoding="ascii") as file:
            return None if maximum == "max" else max(0, int(maximum) - int(file.read()))
    except (OSError, ValueError):
        return None
