"""Runs programs whose allocations fail (tests/alloc/fail.c), and judges how they end."""
import dataclasses
import os
import pathlib
import re
import signal
import struct
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = TOP / 'build/alloc'
FAIL, DRIVER = BUILD / 'fail.so', BUILD / 'driver'
PLANEGUARD = TOP / 'build/release/planeguard'
ENDED, SAYS_ENDED = 71, 'planeguard: out of memory, ending'
HANG_SEC = 60
ERRORS_MAX = 400  # of fail.c


class Wrong(Exception):
    """What must hold doesn't."""


@dataclasses.dataclass
class End:
    """How a process ended: `how` is exit, signal or hang."""
    how: str
    code: int
    out: bytes
    errors: str

    def __str__(self):
        return f'{self.how} {self.code}; stdout: {self.out[-200:]!r}; stderr: {self.errors[-300:]!r}'


def environment(fail=None, **more):
    kept = {'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8', 'HOME': '/', 'ALLOC_TOP': str(TOP)}
    if fail:
        kept.update(ALLOC_FAIL=fail, LD_PRELOAD=str(FAIL), ALLOC_FASTER='100')
    return {**kept, **{k: str(v) for k, v in more.items()}}


def run(argv, env=None, timeout=HANG_SEC):
    process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=env or environment(), cwd=TOP,
                               start_new_session=True)
    try:
        out, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, errors = process.communicate()
        return End('hang', 0, out, errors.decode('utf-8', 'replace'))
    how = 'signal' if process.returncode < 0 else 'exit'
    return End(how, abs(process.returncode), out, errors.decode('utf-8', 'replace'))


class Counts:
    """The file in which a preloaded program says how many allocations it made and how many failed."""

    def __init__(self, folder):
        handle, self.path = tempfile.mkstemp(dir=folder)
        os.write(handle, bytes(4096))
        os.close(handle)

    def read(self):
        with open(self.path, 'rb') as f:
            return struct.unpack('QQ', f.read(16))


def count(argv, folder, **more):
    """How many allocations a run without a failure makes, and its end."""
    counts = Counts(folder)
    end = run(argv, environment('count', ALLOC_COUNTS=counts.path, **more))
    return counts.read()[0], end


def one_line(text):
    return re.sub(r'[\n\t]', ' ', text)[:ERRORS_MAX].strip()


def fnv(data, hash_=0xcbf29ce484222325):
    for byte in data:
        hash_ = (hash_ ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return hash_


class Judge:
    """Of one workload whose clean run ended like `clean`. A process may end by base/mem.h's rule, may be
    right, or may say that memory was short. `normal` takes out of an output what differs each time."""

    def __init__(self, clean, normal=lambda text: text):
        self.clean, self.normal, self.hashes = clean, normal, {}

    def suffix(self, length):
        if length not in self.hashes:
            self.hashes[length] = fnv(self.clean.out[len(self.clean.out) - length:])
        return self.hashes[length]

    def is_said(self, how, code, errors, out=''):
        """The two ends that any workload may have. A verdict (`journal verify`: unreadable) is on standard
        output, but then it is none of a run without a failure."""
        if how != 'exit':
            return False
        if code == ENDED:
            return SAYS_ENDED in errors
        if code != 0 and 'memory' in errors.lower():
            return True
        return self.clean is not None and code not in (0, self.clean.code) and 'memory' in out.lower()

    def record(self, fields):
        """A line of ALLOC_RECORDS. What a process had printed before it forked its parent prints."""
        how, code, length, hash_, errors, out = fields
        code, length = int(code), int(length)
        if self.is_said(how, code, errors, out):
            return
        same = (how == 'exit' and code == self.clean.code and 0 < length <= len(self.clean.out)
                or length == len(self.clean.out)) and self.suffix(length) == int(hash_, 16)
        if how != 'exit' or code != self.clean.code or not same or \
                one_line(errors) != one_line(self.clean.errors):
            raise Wrong(f'{how} {code}, {length} bytes of output, stderr: {errors[:300]!r}; '
                        f'expected the answer of a run without a failure (exit {self.clean.code}), or '
                        f'{ENDED} with its message, or an error that speaks of memory')

    def end(self, end):
        if self.is_said(end.how, end.code, end.errors, end.out.decode('utf-8', 'replace')):
            return
        if (end.how, end.code, self.normal(end.out)) != ('exit', self.clean.code, self.normal(self.clean.out)):
            raise Wrong(f'{end}; expected exit {self.clean.code} with {self.normal(self.clean.out)[-200:]!r}, '
                        f'or {ENDED} with its message, or an error that speaks of memory')
