"""One container's keeper: starts its process, writes its log in the CRI's format, and keeps its
exit status where the runtime finds it, so that containers outlive the runtime's death."""
import json
import os
import select
import signal
import sys
import time

import process
from node import MARK, Node, read_text, timestamp, write_atomically

CHUNK = 16 * 1024


class Log:
    """Lines `TIME stream F text`; what has no newline yet is kept until it has, or is written P."""

    def __init__(self, path):
        self.file = open(path, 'ab', buffering=0)
        self.rest = {'stdout': b'', 'stderr': b''}

    def add(self, stream, data):
        *lines, self.rest[stream] = (self.rest[stream] + data).split(b'\n')
        for line in lines:
            self.write(stream, b'F', line)
        if len(self.rest[stream]) >= CHUNK:
            self.write(stream, b'P', self.rest[stream])
            self.rest[stream] = b''

    def write(self, stream, tag, line):
        self.file.write(b' '.join([timestamp().encode(), stream.encode(), tag, line]) + b'\n')

    def close(self):
        for stream, rest in self.rest.items():
            if rest:
                self.write(stream, b'F', rest)
        self.file.close()


def detach(supervisor):
    """Becomes a child of the node's first process, and dies with it."""
    if os.fork():
        os._exit(0)
    os.setsid()
    process.wait_until(lambda: os.getppid() == supervisor, 2, 0.002)
    process.die_with_parent(supervisor)


def start(container, pipes):
    pid = os.fork()
    if pid:
        return pid
    process.libc.prctl(process.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    for stream, (_, write) in zip((1, 2), pipes):
        os.dup2(write, stream)
    null = os.open('/dev/null', os.O_RDONLY)
    os.dup2(null, 0)
    os.closerange(3, 256)
    environment = {'PATH': '/usr/local/bin:/usr/bin:/bin', MARK: os.environ[MARK]}
    try:
        os.execve(container['executable'], container['argv'], environment)
    finally:
        os._exit(128)


def keep(log, pid, pipes):
    """Pumps until the process has ended; returns its wait status."""
    readers = {read: name for name, (read, _) in zip(('stdout', 'stderr'), pipes)}
    pidfd = os.pidfd_open(pid)
    ended = False
    while True:
        ready, _, _ = select.select([*readers, *([] if ended else [pidfd])], [], [],
                                    0 if ended else None)
        for fd in ready:
            if fd == pidfd:
                ended = True
                continue
            data = os.read(fd, CHUNK)
            if data:
                log.add(readers[fd], data)
            else:
                del readers[fd]
        if ended and not [fd for fd in ready if fd != pidfd]:
            return os.waitpid(pid, 0)[1]


def main(folder, argv):
    process.become(['containerd-shim-runc-v2', *argv[1:]])
    node, state = Node(folder), argv[-1]
    with open(f'{state}/config.json') as f:
        container = json.load(f)
    detach(int(read_text(node.path('/run/systemd.pid'), '0')))
    log = Log(node.path(container['logPath']))
    pipes = [os.pipe(), os.pipe()]
    pid = start(container, pipes)
    process.show(node, pid)
    for _, write in pipes:
        os.close(write)
    write_atomically(f'{state}/started.json', json.dumps({
        'pid': pid, 'ticks': process.start_ticks(pid), 'shim': os.getpid(), 'at': time.time_ns()}))
    status = keep(log, pid, pipes)
    process.hide(node, pid)
    log.close()
    code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    write_atomically(f'{state}/exited.json', json.dumps({
        'exitCode': code, 'reason': 'Error' if code else 'Completed', 'at': time.time_ns()}))
    sys.exit(0)
