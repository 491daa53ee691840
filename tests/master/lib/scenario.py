"""Scenarios: one command a line, `#` begins a comment. README.md beside the runner lists them.

A command is a method `do_WORD`; an expectation is a method `expect_WORD` that returns '' or what it
saw instead, and is asked again until its time is over."""
import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import time

import breaks
import control
import manifests
import process
import scaling
from agent import GARBAGE, Agent
from harness import Master
from node import MANIFESTS, read_text

DISK_BYTES = 1 << 20  # less than the journal would like to reserve ahead
CLONE_NEWNS, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 0x4000, 0x40000, 2
ASK_AGAIN_SEC = 0.1
JOURNAL = '/var/log/planeguard'


class Expected(Exception):
    """An expectation that did not come true."""


class Skip(Exception):
    pass


class Mistake(Exception):
    """The scenario itself is wrong."""


def parse(path):
    """[(line number, words)]"""
    with open(path) as f:
        lines = list(enumerate(f.read().splitlines(), 1))
    parsed = [(number, shlex.split(line, comments=True)) for number, line in lines]
    return [(number, words) for number, words in parsed if words]


def take_time(words, word='within', otherwise=0.0):
    """(the words before `within T`, T in seconds)."""
    if len(words) >= 2 and words[-2] == word:
        return words[:-2], scaling.to_seconds(words[-1])
    return words, otherwise


def own_mounts():
    """A mount namespace of our own: what is mounted from here on goes with this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(None, b'/', None, MS_REC | MS_PRIVATE, None) != 0:
        raise Skip(f'a disk of its own needs root: {os.strerror(ctypes.get_errno())}')


def mount_tmpfs(path, size):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b'tmpfs', path.encode(), b'tmpfs', 0, f'size={size},mode=0755'.encode()) != 0:
        raise Skip(f'no tmpfs can be mounted here: {os.strerror(ctypes.get_errno())}')


def unmount(path):
    ctypes.CDLL(None).umount2(path.encode(), MNT_DETACH)


class Scenario:
    def __init__(self, path):
        self.name = os.path.basename(path).removesuffix('.scenario')
        self.lines = parse(path)
        self.stack = contextlib.ExitStack()
        self.node = self.agent = self.master = None
        self.before = {}   # the manifests' bytes at the beginning
        self.since = 0     # records of the journal before the last break
        self.at = 0

    def run(self, on_failure):
        """`on_failure(e)` is called while the master still stands."""
        with self.stack:
            try:
                if self.needs_disk():
                    own_mounts()
                for self.at, words in self.lines:
                    self.command(*words)
            except Exception as e:
                on_failure(e)
                raise

    def needs_disk(self):
        return any(words[0] == 'disk' for _, words in self.lines)

    def command(self, name, *words):
        act = getattr(self, 'do_' + name, None)
        if act is None:
            raise Mistake(f'no command {name}')
        if self.node is None and name != 'master':
            raise Mistake('the first command is `master scale N`')
        act(*words)

    def evidence(self):
        """For a failure: what a person would look at."""
        if not self.agent:
            return ''
        parts = [('trouble', '\n'.join(control.trouble(self.node))), ('agent', self.agent.log())]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            story = self.agent.run('journal', 'show').stdout.splitlines()
            parts.append(('journal', '\n'.join(story[-60:])))
        kubelet = read_text(self.node.path('/var/log/kubelet.log'), '').splitlines()
        parts.append(('kubelet', '\n'.join(kubelet[-10:])))
        return ''.join(f'  -- {title}\n' + ''.join(f'    {line}\n' for line in text.splitlines())
                       for title, text in parts)

    # ---- commands ----

    def do_master(self, *words):
        if len(words) != 2 or words[0] != 'scale':
            raise Mistake('master scale N')
        self.master = Master(float(words[1]))
        self.node = self.stack.enter_context(self.master)
        self.agent = Agent(self.node)
        for path in (self.agent.planeguard, self.agent.observer):
            if not os.access(path, os.X_OK):
                raise Mistake(f'{path} is not built')
        if self.needs_disk():
            mount_tmpfs(self.node.path(JOURNAL), DISK_BYTES)
            self.stack.callback(unmount, self.node.path(JOURNAL))
        self.stack.callback(self.end_agent)
        self.before = self.manifests()

    def end_agent(self):
        if self.agent.is_running():
            self.agent.child.kill()
            self.agent.child.wait()

    def do_guard(self, name, *value):
        """guard NAME {...}: in place of the test policy's; before the agent starts."""
        self.agent.guards[name] = ' '.join(value)

    def do_document(self, name, key, value):
        """document NAME KEY VALUE: sets one value of a shipped document, as for a real node."""
        self.agent.tunings.append((name, key, value))

    def do_agent(self, *words):
        if words in (('observe',), ('dry-run',), ('enforce',)):
            self.agent.mode = words[0]
            self.agent.start()
        elif words == ('restart',):
            self.agent.stop()
            self.agent.start()
        elif words == ('start',):
            self.agent.start()
        elif words == ('stop',):
            code = self.agent.stop()
            if code != 0:
                raise Expected(f'expected the agent to end with 0, saw {code}')
        elif words in (('kill',), ('kill', '-9')):
            self.agent.stop(signal.SIGKILL)
        else:
            raise Mistake('agent observe|dry-run|enforce|start|restart|stop|kill -9')

    def do_kill(self, *words):
        """kill agent at POINT: starts the agent anew so that it dies there."""
        if len(words) != 3 or words[:2] != ('agent', 'at'):
            raise Mistake('kill agent at POINT')
        self.agent.stop()
        self.agent.start(fault=words[2])

    def do_recover(self):
        done = self.agent.run('recover')
        if done.returncode != 0:
            raise Expected(f'expected recover to end with 0, saw {done.returncode}: {done.stderr.strip()}')

    def do_observer(self, what):
        if what == 'garbage':
            with open(self.node.path(GARBAGE), 'w'):
                pass
        elif what == 'mend' and os.path.exists(self.node.path(GARBAGE)):
            os.unlink(self.node.path(GARBAGE))
        numbers = {'kill': signal.SIGKILL, 'stop': signal.SIGSTOP, 'continue': signal.SIGCONT,
                   'garbage': signal.SIGKILL, 'mend': signal.SIGKILL}
        if what not in numbers:
            raise Mistake('observer kill|stop|continue|garbage|mend')
        pid = process.wait_until(self.agent.observer_pid, 5)
        if not pid:
            raise Expected('expected an observer to run, saw none')
        process.kill(pid, numbers[what])

    def do_break(self, what):
        if what not in breaks.BREAKS:
            raise Mistake(f'nothing called {what} can be broken')
        self.since = len(self.agent.journal())
        breaks.BREAKS[what][1](self.node)

    def do_mend(self, what):
        if what not in breaks.BREAKS:
            raise Mistake(f'nothing called {what} can be mended')
        breaks.BREAKS[what][2](self.node)

    def do_healthy(self, *words):
        self.do_expect('healthy', *words)

    def do_sleep(self, text):
        time.sleep(scaling.to_seconds(text))

    def do_run(self, *words):
        """run [exit N] ARGV...; `planeguard` is the agent's program on this master."""
        wanted = 0
        if words[:1] == ('exit',):
            wanted, words = int(words[1]), words[2:]
        words = [w.replace('$DIR', self.node.dir) for w in words]
        argv = self.agent.argv(*words[1:]) if words[0] == 'planeguard' else words
        done = subprocess.run(argv, capture_output=True, text=True, errors='replace', timeout=120,
                              env=self.agent.environment())
        if done.returncode != wanted:
            raise Expected(f'expected exit {wanted}, saw {done.returncode}: '
                           f'{(done.stdout + done.stderr).strip()[-400:]}')

    def do_reboot(self):
        """Power off and on: the agent too."""
        self.end_agent()
        control.stop(self.node)
        self.master.start()

    def do_disk(self, what):
        path = self.node.path(JOURNAL + '/filler')
        if what == 'free':
            os.unlink(path)
        elif what == 'fill':
            with open(path, 'wb', buffering=0) as f, contextlib.suppress(OSError):
                while f.write(b'\0' * 4096):
                    pass
        else:
            raise Mistake('disk fill|free')

    def do_expect(self, *words):
        negated = words[:1] == ('not',)
        words, seconds = take_time(words[1:] if negated else words)
        expectation = getattr(self, 'expect_' + words[0].replace('-', '_'), None)
        if expectation is None:
            raise Mistake(f'expect {words[0]} is not known')
        end = time.monotonic() + seconds
        while True:
            saw = expectation(*words[1:])
            if bool(saw) == negated:
                return
            if time.monotonic() >= end:
                raise Expected(f"expected {'not ' if negated else ''}{' '.join(words)}"
                               f"{f' within {seconds:g}s' if seconds else ''}, saw {saw or 'it'}")
            time.sleep(ASK_AGAIN_SEC)

    # ---- expectations: '' when it is so, else what is seen instead ----

    def expect_healthy(self):
        return '; '.join(control.trouble(self.node))

    def expect_incident(self, failure, state):
        """It came to that state since the last break."""
        states = [r.get('to') for r in self.agent.journal()[self.since:]
                  if r.get('type') == 'incident' and r.get('failure') == failure]
        return '' if state in states else f"{failure}: {' '.join(map(str, states)) or 'no incident'}"

    def expect_no(self, *words):
        """expect no incident [FAILURE]: none is open."""
        if words[:1] != ('incident',):
            raise Mistake('expect no incident [FAILURE]')
        found = [i for i in self.agent.open_incidents() if words[1:] in ((), (i.get('failure'),))]
        return ', '.join(f"{i.get('failure')} {i.get('state')} ({i.get('why', '')})" for i in found)

    def expect_signal(self, name, verdict, reason=None):
        s = self.agent.signals().get(name)
        if s is None:
            return 'no such signal'
        good = s.get('verdict') == verdict and reason in (None, s.get('reason'))
        return '' if good else f"{s.get('verdict')} {s.get('reason')} {s.get('facts', '')}"

    def expect_journal(self, what, *words):
        if what == 'whole':
            done = self.agent.run('journal', 'verify')
            return '' if done.returncode == 0 else \
                f'exit {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}'
        if what != 'contains' or not words:
            raise Mistake('expect journal whole | contains TYPE KEY=VALUE...')
        wanted = dict(w.partition('=')[::2] for w in words[1:])
        records = [r for r in self.agent.journal() if r.get('type') == words[0]]
        if any(all(self.field(r, k) == v for k, v in wanted.items()) for r in records):
            return ''
        return f'{len(records)} records {words[0]}, none like that'

    @staticmethod
    def field(record, path):
        for key in path.split('.'):
            record = record.get(key) if isinstance(record, dict) else None
        return ('true' if record else 'false') if isinstance(record, bool) else str(record)

    def manifests(self):
        found = {}
        folder = self.node.path(MANIFESTS)
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            with contextlib.suppress(OSError), open(os.path.join(folder, name), 'rb') as f:
                found[name] = f.read()
        return found

    def expect_manifests(self, what):
        now = self.manifests()
        if what == 'unchanged':
            return ', '.join(sorted(k for k in now.keys() | self.before.keys()
                                    if now.get(k) != self.before.get(k)))
        if what != 'complete':
            raise Mistake('expect manifests unchanged|complete')
        wrong = [f'{k} is strange there' for k in now if k not in self.before]
        for pod in manifests.PODS:
            text = now.get(f'{pod}.yaml')
            if text is None:
                wrong.append(f'{pod} is missing')
            elif not text.endswith(b'status: {}\n') or b'kind: Pod' not in text:
                wrong.append(f'{pod} is not whole')
        return ', '.join(wrong)

    def expect_second(self, *words):
        """expect second agent refused: another one ends with an error while the first goes on."""
        done = subprocess.run(self.agent.argv('run'), capture_output=True, text=True, timeout=30,
                              env=self.agent.environment())
        return '' if done.returncode not in (0, None) and self.agent.is_running() else \
            f'exit {done.returncode}'

    def expect_agent(self, what):
        if what not in ('running', 'dead'):
            raise Mistake('expect agent running|dead')
        return '' if self.agent.is_running() == (what == 'running') else \
            f'exit {self.agent.child.poll()}' if what == 'running' else 'it runs'

    def expect_container(self, name, state):
        """expect container NAME running|exited."""
        c = control.newest(self.node, name)
        saw = c['state'].removeprefix('CONTAINER_').lower() if c else 'none'
        return '' if saw == state else saw
