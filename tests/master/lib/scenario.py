"""Scenarios: one command a line, `#` begins a comment. README.md beside the runner lists them.

A command is a method `do_WORD`; what may be expected is in expectations.py."""
import contextlib
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time

import breaks
import control
import mounts
import process
import scaling
import snapshot
from agent import GARBAGE, TOP, Agent
from expectations import Expectations, Expected, Mistake
from harness import Master
from node import read_text

DISK_BYTES = 1 << 20  # less than the journal would like to reserve ahead
JOURNAL, KILL_SWITCH = '/var/log/planeguard', '/run/planeguard/kill-switch'
LOCK = '/run/planeguard/lock'
ON_CI = os.environ.get('CI', '') not in ('', '0', 'false')


class Skip(Exception):
    pass


def parse(path):
    """[(line number, words)], whether it is for CI only."""
    with open(path) as f:
        text = f.read()
    parsed = [(number, shlex.split(line, comments=True))
              for number, line in enumerate(text.splitlines(), 1)]
    return [(number, words) for number, words in parsed if words], \
        re.search(r'(?m)^# only with CI=true$', text) is not None


class Scenario(Expectations):
    def __init__(self, path):
        self.name = os.path.basename(path).removesuffix('.scenario')
        self.lines, self.is_for_ci = parse(path)
        self.stack = contextlib.ExitStack()
        self.node = self.agent = self.master = None
        self.before = {}   # the manifests' bytes at the beginning
        self.broken = {}   # ... after the last break
        self.files, self.containers = {}, set()  # at the last `remember`
        self.output = ''   # of the last `run`
        self.since = 0     # records of the journal before the last break
        self.at = 0

    def run(self, on_failure):
        """`on_failure(e)` is called while the master still stands."""
        if self.is_for_ci and not ON_CI:
            raise Skip('only with CI=true')
        with self.stack:
            try:
                if self.needs_disk():
                    mounts.own_mounts()
                for self.at, words in self.lines:
                    self.command(*words)
                self.replay()
            except mounts.Unavailable as e:
                raise Skip(str(e)) from e
            except Exception as e:
                on_failure(e)
                raise

    def replay(self):
        """Whatever happened: from its journal the core must come to the same decisions again."""
        if self.agent is None or self.agent.child is None:
            return
        self.agent.stop()
        done = self.agent.run('replay', '-o', 'json')
        keep = os.environ.get('KEEP_JOURNALS')
        if keep:
            shutil.copytree(self.node.path(JOURNAL + '/audit'), os.path.join(keep, self.name),
                            dirs_exist_ok=True)
        seen = json.loads(done.stdout) if done.stdout else {}
        if done.returncode != 0 or not seen['events']:
            raise Expected(f'expected the same decisions from the journal, saw exit {done.returncode}: '
                           f'{(done.stdout + done.stderr).strip()[-6000:]}')
        if seen['notCompared']:
            raise Expected(f'expected all of the journal to be compared, saw {seen["notCompared"]}')

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
            mounts.mount_tmpfs(self.node.path(JOURNAL), DISK_BYTES)
            self.stack.callback(mounts.unmount, self.node.path(JOURNAL))
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
        elif words == ('hang',):
            self.agent.signal_all(signal.SIGSTOP)
        elif words == ('continue',):
            self.agent.signal_all(signal.SIGCONT)
        elif words == ('reload',):
            self.agent.child.send_signal(signal.SIGHUP)
        else:
            raise Mistake('agent observe|dry-run|enforce|start|restart|stop|kill -9|hang|continue|reload')

    def do_power(self, *words):
        """power off: kills the agent, all it started and its dead-man, and leaves the node's files."""
        if words != ('off',):
            raise Mistake('power off')
        for pid in self.agent.deadmen():
            process.kill(pid)
        self.agent.signal_all(signal.SIGKILL)
        self.agent.child.wait()
        self.wait_for_lock()

    def wait_for_lock(self):
        """Until the last of them is really gone: a power cut leaves nobody behind who holds the lock."""
        until = time.monotonic() + 20
        with open(self.node.path(LOCK), 'rb') as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise Expected('somebody still holds the lock 20 s after the power was cut')
                    time.sleep(0.02)

    def do_switch(self, what):
        path = self.node.path(KILL_SWITCH)
        if what == 'pull':
            with open(path, 'w'):
                pass
        elif what == 'release':
            os.unlink(path)
        else:
            raise Mistake('switch pull|release')

    def do_change(self, *words):
        """change document NAME KEY VALUE: the same below a living agent."""
        if len(words) != 4 or words[0] != 'document':
            raise Mistake('change document NAME KEY VALUE')
        self.agent.tunings.append(words[1:])
        self.agent.write_documents()

    def do_put(self, source, target):
        """put SOURCE TARGET: a file of tests/ to that place of the node, by one rename."""
        path = self.node.path(target)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(os.path.join(TOP, 'tests', source), path + '.tmp')
        os.rename(path + '.tmp', path)

    def do_remove(self, target):
        os.unlink(self.node.path(target))

    def do_remember(self, *what):
        """remember files|containers: as they are now."""
        if not what or set(what) - {'files', 'containers'}:
            raise Mistake('remember files|containers')
        if 'files' in what:
            self.files = snapshot.take(self.node)
        if 'containers' in what:
            self.containers = self.container_ids()

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
        self.broken = self.manifests()

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
        self.output = done.stdout + done.stderr
        if done.returncode != wanted:
            raise Expected(f'expected exit {wanted}, saw {done.returncode}: '
                           f'{self.output.strip()[-400:]}')

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
