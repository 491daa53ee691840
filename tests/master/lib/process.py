"""Processes: their names, whose children they are, how they end.

Every process of a master dies with its stand-in systemd (PR_SET_PDEATHSIG down the tree) and
carries MARK in its environment, by which a leftover could be found.
"""
import ctypes
import os
import signal
import time

from node import MARK, PROC, read_text

PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 1, 15, 36
libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent=None):
    """To be called in the child; `parent` is who must be alive now."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def become_subreaper():
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def become(argv):
    """Makes /proc/self/cmdline show `argv` alone: without interpreter and script. What is left over
    of the room goes in front of argv[0]'s name as slashes, since its end can't be moved without
    privilege."""
    libc.prctl(PR_SET_NAME, os.path.basename(argv[0]).encode()[:15])
    fields = read_text('/proc/self/stat').rsplit(')', 1)[1].split()
    start, end = int(fields[45]), int(fields[46])
    text = b'\0'.join(a.encode() for a in argv) + b'\0'
    if 0 < len(text) <= end - start:
        text = b'/' * (end - start - len(text)) + text
        ctypes.memmove(start, text, len(text))


def python(program, launcher, *arguments):
    """argv for the stand-in behind `launcher`: its argv[0] is the program's name from the start."""
    return [program, '-SE', launcher, *arguments]


def stat_of(pid):
    """(state, parent, start ticks) or None."""
    text = read_text(f'/proc/{pid}/stat')
    if not text:
        return None
    fields = text.rsplit(')', 1)[1].split()
    return fields[0], int(fields[1]), int(fields[19])


def is_alive(pid, ticks=None):
    s = stat_of(pid)
    return s is not None and s[0] not in 'ZX' and (ticks is None or s[2] == ticks)


def start_ticks(pid):
    s = stat_of(pid)
    return s[2] if s else 0


def show(node, pid):
    """Lists the process in the node's own process source."""
    try:
        os.symlink(f'/proc/{pid}', node.path(f'{PROC}/{pid}'))
    except FileExistsError:
        pass


def hide(node, pid):
    try:
        os.unlink(node.path(f'{PROC}/{pid}'))
    except FileNotFoundError:
        pass


def all_pids():
    return [int(n) for n in os.listdir('/proc') if n.isdigit()]


def descendants(root):
    children = {}
    for pid in all_pids():
        s = stat_of(pid)
        if s and s[0] not in 'ZX':
            children.setdefault(s[1], []).append(pid)
    found, todo = [], [root]
    while todo:
        for child in children.get(todo.pop(), []):
            found.append(child)
            todo.append(child)
    return found


def zombies(parent):
    """Children of `parent` that have ended and nobody has waited for."""
    children = read_text(f'/proc/{parent}/task/{parent}/children')
    pids = map(int, children.split()) if children is not None else all_pids()
    found = [(pid, stat_of(pid)) for pid in pids]
    return [pid for pid, s in found if s and s[0] == 'Z' and s[1] == parent]


def marked(directory):
    """Processes that carry this master's mark, whoever their parent is."""
    mark = f'{MARK}={directory}'.encode()
    found = []
    for pid in all_pids():
        try:
            with open(f'/proc/{pid}/environ', 'rb') as f:
                if mark in f.read().split(b'\0') and pid != os.getpid():
                    found.append(pid)
        except OSError:
            pass
    return [p for p in found if is_alive(p)]


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def wait_until(condition, seconds, step=0.02):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() >= end:
            return value
        time.sleep(step)
