"""What a scenario may expect: `expect WORD...` is the method `expect_WORD`, which returns '' when it
is so, else what is seen instead. It is asked again until its time is over."""
import contextlib
import os
import subprocess
import time

import control
import manifests
import process
import scaling
import snapshot
from node import MANIFESTS, read_text

ASK_AGAIN_SEC = 0.1
REFUSED = 5  # the agent's exit code when another one runs on its root
STAGE, KNOWN_GOOD = '/etc/kubernetes/.planeguard', '/var/lib/planeguard/known-good'


class Expected(Exception):
    """An expectation that did not come true."""


class Mistake(Exception):
    """The scenario itself is wrong."""


def take_time(words, word='within', otherwise=0.0):
    """(the words before `within T`, T in seconds)."""
    if len(words) >= 2 and words[-2] == word:
        return words[:-2], scaling.to_seconds(words[-1])
    return words, otherwise


def field(record, path):
    for key in path.split('.'):
        record = record.get(key) if isinstance(record, dict) else None
    return ('true' if record else 'false') if isinstance(record, bool) else str(record)


def matches(record, wanted):
    """KEY=VALUE, or KEY~PART of the value."""
    for word in wanted:
        key, sign, value = word.partition('=') if '~' not in word.partition('=')[0] else word.partition('~')
        saw = field(record, key)
        if not (value in saw if sign == '~' else saw == value):
            return False
    return True


class Expectations:
    """For Scenario, which has node, agent, before, broken, since, ..."""

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

    # ---- the node ----

    def expect_healthy(self):
        return '; '.join(control.trouble(self.node))

    def expect_container(self, name, state):
        """expect container NAME running|exited."""
        c = control.newest(self.node, name)
        saw = c['state'].removeprefix('CONTAINER_').lower() if c else 'none'
        return '' if saw == state else saw

    def manifests(self):
        found = {}
        folder = self.node.path(MANIFESTS)
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            with contextlib.suppress(OSError), open(os.path.join(folder, name), 'rb') as f:
                found[name] = f.read()
        return found

    def expect_manifests(self, what):
        now = self.manifests()
        if what in ('unchanged', 'as-broken'):
            wanted = self.before if what == 'unchanged' else self.broken
            return ', '.join(sorted(k for k in now.keys() | wanted.keys() if now.get(k) != wanted.get(k)))
        if what != 'complete':
            raise Mistake('expect manifests unchanged|as-broken|complete')
        wrong = [f'{k} is strange there' for k in now if k not in self.before]
        for pod in manifests.PODS:
            text = now.get(f'{pod}.yaml')
            if text is None:
                wrong.append(f'{pod} is missing')
            elif not text.endswith(b'status: {}\n') or b'kind: Pod' not in text:
                wrong.append(f'{pod} is not whole')
        return ', '.join(wrong)

    def staged(self):
        """What lies in the agent's stage: manifests that are out, files half written."""
        folder = self.node.path(STAGE)
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def expect_manifest(self, pod, what):
        """expect manifest POD out: it is in the stage and not in its place."""
        if what != 'out':
            raise Mistake('expect manifest POD out')
        there = f'{pod}.yaml' in self.manifests()
        staged = any(n.startswith('out-') and n.endswith(f'+{pod}.yaml') for n in self.staged())
        return '' if staged and not there else f"stage: {' '.join(self.staged()) or 'empty'}"

    def expect_stage(self, what):
        if what != 'empty':
            raise Mistake('expect stage empty')
        return ' '.join(self.staged())

    def container_ids(self):
        """The API server's and etcd's; the others come and go with the API server."""
        return {c['id'] for c in control.containers(self.node)
                if c['metadata']['name'] in ('kube-apiserver', 'etcd')}

    def expect_unchanged(self, *what):
        """expect unchanged files|containers: since `remember`."""
        changed = []
        if 'files' in what:
            changed += snapshot.differences(self.files, snapshot.take(self.node))
        if 'containers' in what:
            changed += sorted(f'container {i:.13}' for i in self.container_ids() ^ self.containers)
        if not what or set(what) - {'files', 'containers'}:
            raise Mistake('expect unchanged files|containers')
        return ', '.join(changed)

    # ---- the agent ----

    def expect_agent(self, what):
        if what not in ('running', 'dead'):
            raise Mistake('expect agent running|dead')
        return '' if self.agent.is_running() == (what == 'running') else \
            f'exit {self.agent.child.poll()}' if what == 'running' else 'it runs'

    def expect_second(self, *words):
        """expect second agent refused: another one ends with that code while the first goes on."""
        if words != ('agent', 'refused'):
            raise Mistake('expect second agent refused')
        done = subprocess.run(self.agent.argv('run'), capture_output=True, text=True, timeout=30,
                              env=self.agent.environment())
        return '' if done.returncode == REFUSED and self.agent.is_running() else \
            f'exit {done.returncode}: {done.stderr.strip()[-200:]}'

    def expect_observer(self, *words):
        """expect observer below N MiB: of memory in RAM, at its peak."""
        if len(words) != 3 or words[0] != 'below' or words[2] != 'MiB':
            raise Mistake('expect observer below N MiB')
        pid = process.wait_until(self.agent.observer_pid, 5)
        lines = dict(line.partition(':')[::2] for line in read_text(f'/proc/{pid}/status', '').splitlines())
        saw = int(lines.get('VmHWM', '0 kB').split()[0])
        return '' if 0 < saw < int(words[1]) * 1024 else f'{saw} KiB'

    def expect_dead_man(self, what):
        if what not in ('armed', 'gone'):
            raise Mistake('expect dead-man armed|gone')
        return '' if bool(self.agent.deadmen()) == (what == 'armed') else \
            f'{len(self.agent.deadmen())} of them'

    def expect_known(self, *words):
        """expect known good POD: a manifest of it is kept."""
        if len(words) != 2 or words[0] != 'good':
            raise Mistake('expect known good POD')
        folder = self.node.path(f'{KNOWN_GOOD}/{words[1]}')
        kept = os.listdir(folder) if os.path.isdir(folder) else []
        return '' if any(name.endswith('.yaml') for name in kept) else 'none is kept'

    def expect_log(self, *words):
        """expect log contains TEXT: what the agent itself said."""
        return self.expect_output(*words, text=read_text(self.node.path(self.agent.LOG), ''))

    def expect_output(self, *words, text=None):
        """expect output contains TEXT: of the last `run`."""
        if len(words) != 2 or words[0] != 'contains':
            raise Mistake('expect log|output contains TEXT')
        text = self.output if text is None else text
        return '' if words[1] in text else f'...{text[-400:]}'

    # ---- what it sees and records ----

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
        records = [r for r in self.agent.journal() if r.get('type') == words[0]]
        if any(matches(r, words[1:]) for r in records):
            return ''
        return f'{len(records)} records {words[0]}, none like that'
