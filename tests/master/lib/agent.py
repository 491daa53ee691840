"""planeguard at work on a master: its programs, its documents for that master, its answers."""
import json
import os
import shutil
import signal
import subprocess

import create
import process
import scaling
from node import MARK, read_text, write_atomically

TOP = create.TOP
START_SEC, STOP_SEC, ANSWER_SEC = 20, 20, 30
NOT_RUNNING = 3
FINAL = ('resolved', 'cleared', 'withdrawn')
SHARE = '/usr/share/planeguard'
LOG, OBSERVER = '/var/log/agent.log', '/usr/bin/planeguard-observer'
GARBAGE = '/run/faults/observer-garbage'
GUARDS = {'start-up': '{own: 1s, boot: 1s, restarts: 8, within: 1s}', 'settle': '{for: 1s}',
          'fresh-look': '{within: 2s}'}


def program(name, variable):
    """As told by the environment, else what is built: the variant with fault points first."""
    if variable in os.environ:
        return os.environ[variable]
    built = [os.path.join(TOP, 'build', v, name) for v in (os.environ.get('VARIANT', 'test'), 'release')]
    return next((b for b in built if os.access(b, os.X_OK)), built[0])


class Agent:
    LOG = LOG

    def __init__(self, node):
        self.node = node
        self.planeguard = program('planeguard', 'PLANEGUARD')
        self.observer = program('planeguard-observer', 'PLANEGUARD_OBSERVER')
        self.child = None
        self.mode = 'enforce'
        self.guards = dict(GUARDS)
        self.tunings = []

    # its documents

    def write_documents(self):
        """The shipped ones where they are installed, and the same, scaled, in front of them."""
        node = self.node
        for name in ('playbooks', 'policy'):
            if not os.path.isdir(node.path(f'{SHARE}/{name}')):
                shutil.copytree(os.path.join(TOP, name), node.path(f'{SHARE}/{name}'))
        scaling.scale_documents(os.path.join(TOP, 'playbooks'), node.path('/etc/planeguard/playbooks.d'),
                                node.scale, node.ports, self.tunings)
        guards = ''.join(f'    {name}: {value}\n' for name, value in self.guards.items())
        write_atomically(node.path('/etc/planeguard/policy.d/test.yaml'), f'''apiVersion: planeguard/v1
kind: Policy
metadata: {{name: test}}
spec:
  summary: A test on a master in a folder
  mode: {self.mode}
  scaled: true
  guards:
{guards}''')
        write_atomically(node.path('/etc/planeguard/planeguard.yaml'), '''apiVersion: planeguard/v1
kind: Configuration
metadata: {name: planeguard}
spec: {policy: test}
''')
        self.write_observer()

    def write_observer(self):
        """A program that is the observer, or one that talks nonsense while the fault file is there."""
        node = self.node
        garbage = os.path.join(create.LIB, 'garbage_observer.py')
        write_atomically(node.path(OBSERVER), f'''#!/bin/sh
[ -e {node.path(GARBAGE)} ] && exec /usr/bin/python3 -SE {garbage}
exec {self.observer} "$@"
''', 0o755)
        os.chmod(node.path(OBSERVER), 0o755)
        path = node.path('/etc/planeguard/node.yaml')
        text = read_text(path)
        if '\n  observer:' not in text:
            write_atomically(path, text + f'  observer: [{json.dumps(node.path(OBSERVER))}]\n')

    # its life

    def argv(self, *arguments):
        return [self.planeguard, '--root', self.node.dir, *arguments]

    def environment(self, fault=None):
        kept = {k: v for k, v in os.environ.items() if k.endswith('_OPTIONS')}
        return {'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8', 'HOME': '/', MARK: self.node.dir, **kept,
                **({'PLANEGUARD_FAULT': fault} if fault else {})}

    def start(self, fault=None):
        self.write_documents()
        parent = os.getpid()
        with open(self.node.path(LOG), 'ab') as log:
            self.child = subprocess.Popen(
                self.argv('run'), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd='/',
                env=self.environment(fault), start_new_session=True,
                preexec_fn=lambda: process.die_with_parent(parent))

        def is_up():
            return self.child.poll() is not None or self.run('status').returncode != NOT_RUNNING

        if not process.wait_until(is_up, START_SEC, 0.1) or self.child.poll() is not None:
            raise RuntimeError(f'the agent does not start:\n{self.log()}')

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def stop(self, number=signal.SIGTERM):
        """Ends it; its exit code, negative for a signal's."""
        if self.child is None:
            return None
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.send_signal(number)
        try:
            return self.child.wait(STOP_SEC)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise RuntimeError('the agent does not end at SIGTERM') from None

    def signal_all(self, number):
        """The agent, its hands and all else that it started, but not who has left it: the dead-man."""
        for pid in [self.child.pid, *process.descendants(self.child.pid)]:
            process.kill(pid, number)

    def deadmen(self):
        """Nobody's children any more, so the nearest subreaper's: ours."""
        found = []
        for pid in process.descendants(os.getpid()):
            argv = read_text(f'/proc/{pid}/cmdline', '').split('\0')
            if argv[1:5] == ['--root', self.node.dir, 'recover', '--overdue']:
                found.append(pid)
        return found

    def observer_pid(self):
        """The observer is the agent's child of that name, or its nonsense stand-in."""
        for pid in process.descendants(self.child.pid) if self.is_running() else []:
            argv = read_text(f'/proc/{pid}/cmdline', '').split('\0')
            if any(os.path.basename(a) in ('planeguard-observer', 'garbage_observer.py') for a in argv[:3]):
                return pid
        return 0

    # its answers

    def run(self, *arguments):
        return subprocess.run(self.argv(*arguments), capture_output=True, text=True, errors='replace',
                              timeout=ANSWER_SEC, env=self.environment(), cwd='/')

    def json(self, *arguments):
        try:
            return json.loads(self.run(*arguments, '-o', 'json').stdout)
        except ValueError:
            return {}

    def journal(self):
        records = []
        for line in self.run('journal', 'show', '-o', 'json').stdout.splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                pass
        return records

    def incidents(self):
        return self.json('incidents').get('incidents', [])

    def open_incidents(self):
        return [i for i in self.incidents() if i.get('state') not in FINAL]

    def signals(self):
        return {s['signal']: s for s in self.json('signals').get('signals', [])}

    def log(self, lines=40):
        return '\n'.join(read_text(self.node.path(LOG), '').splitlines()[-lines:])
