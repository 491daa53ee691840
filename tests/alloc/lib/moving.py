"""Workloads that change a node: a node, a process, and a look at what it left for each allocation."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import failing
import still
from failing import DRIVER, PLANEGUARD, TOP, Wrong
from still import must

MANIFESTS, STAGE = 'etc/kubernetes/manifests', 'etc/kubernetes/.planeguard'
WHOLE, NOT_THERE, TORN = 0, 2, 3


class Moving:
    """`make` fills a node once; each allocation fails on a copy of it. `after` judges what is left."""
    later = False

    def __init__(self, name, argv, make, after, later=False, normal=lambda text: text):
        self.name, self._argv, self.make, self.after = name, argv, make, after
        self.later, self.normal = later, normal

    def argv(self, node):
        return [str(a).replace('FOLDER', node) for a in self._argv]

    def more(self):
        return {'ALLOC_LATER': 1} if self.later else {}

    def node(self, folder):
        """A fresh copy."""
        return shutil.copytree(self.template, tempfile.mkdtemp(dir=folder) + '/node', symlinks=True)

    def prepare(self, folder):
        self.template = folder + '/template'
        os.mkdir(self.template)
        self.make(self.template)
        node = self.node(folder)
        self.total, clean = failing.count(self.argv(node), folder, **self.more())
        self.judge = failing.Judge(clean, self.normal)
        self.after(node, clean)
        shutil.rmtree(os.path.dirname(node))

    def sweep(self, folder, how, first, step):
        n = first
        while True:
            reached, why = self.attempt(folder, how, n)
            if not reached:
                return
            yield n, why
            n += step

    def attempt(self, folder, how, n, trace=False):
        """(was the n-th allocation reached, why it is wrong or None)."""
        node = self.node(folder)
        counts = failing.Counts(folder)
        more = {**self.more(), **({'ALLOC_TRACE': 1} if trace else {})}
        end = failing.run(self.argv(node), failing.environment(f'nth:{n}:{how}', ALLOC_COUNTS=counts.path, **more))
        if trace:
            print(end.errors)
        try:
            self.judge.end(end)
            self.after(node, end)
            why = None
        except Wrong as e:
            why = f'{e} (after {end})'
        shutil.rmtree(os.path.dirname(node))
        reached = counts.read()[1] > 0
        os.unlink(counts.path)
        return reached, why

    def one(self, folder, how, n, trace=False):
        reached, why = self.attempt(folder, how, n, trace)
        if why:
            raise Wrong(why)
        if not reached:
            print(f'{self.name}: allocation {n} is not reached')


# ---- what must hold of what is left ----

def planeguard(node, *words):
    return failing.run([PLANEGUARD, '--root', node, '--shipped', TOP, *words])


def expect(condition, text):
    if not condition:
        raise Wrong(text)


def journal_is(node, *codes):
    end = planeguard(node, 'journal', 'verify')
    expect(end.how == 'exit' and end.code in codes, f'journal verify: {end}; expected {codes}')


def records(node):
    end = planeguard(node, '-o', 'json', 'journal', 'show')
    return end.out.count(b'\n')


def written(node, end):
    """All that was said to be durable is in the journal, which is whole but for a tear."""
    said = [int(n) for n in re.findall(rb'durable up to (\d+)', end.out)]
    journal_is(node, WHOLE, TORN, *([] if said else [NOT_THERE]))
    if said:
        expect(records(node) > said[-1], f'record {said[-1]} was durable and is gone')
    must(DRIVER, 'write', node)
    journal_is(node, WHOLE)


def read_all(folder):
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), 'rb') as f:
            found[name] = f.read()
    return found


def at_home(node, manifests):
    found, stage = read_all(f'{node}/{MANIFESTS}'), os.listdir(f'{node}/{STAGE}')
    expect(found == manifests, f'the manifests are {sorted(found)}, expected {sorted(manifests)} to the byte')
    expect(not stage, f'in the stage is {stage}')


def recovered(node):
    """Recovery, until nobody else is at it (the dead-man); then it has nothing to do."""
    until = time.monotonic() + failing.HANG_SEC
    while True:
        end = planeguard(node, 'recover')
        expect(end.how == 'exit' and end.code == 0, f'recover: {end}')
        if b'the agent runs' not in end.out:
            break
        expect(time.monotonic() < until, 'somebody keeps the lock')
        time.sleep(0.02)
    again = planeguard(node, 'recover')
    expect(again.out == b'nothing to put back\n', f'recover does something the second time: {again}')


def was_recovered(node, _):
    recovered(node)
    at_home(node, {'kube-apiserver.yaml': b'a: b\n', 'etcd.yaml': b'c: d\n'})
    journal_is(node, WHOLE, TORN, NOT_THERE)
    must(DRIVER, 'write', node)
    journal_is(node, WHOLE)


def was_healed(node, _):
    template = {'kube-apiserver.yaml': still.MANIFEST}
    recovered(node)
    at_home(node, template)
    journal_is(node, WHOLE, TORN, NOT_THERE)
    must(DRIVER, 'mend', node)
    end = failing.run([DRIVER, 'mend', node])
    expect(end.out == b'already already\n', f'what is taken back is taken back again: {end}')
    at_home(node, template)
    end = failing.run([DRIVER, 'heal', node], failing.environment('count', ALLOC_LATER=1))
    expect(end.out == b'healed\n' and end.code == 0, f'it does not heal afterwards: {end}')
    at_home(node, template)
    journal_is(node, WHOLE)


def unchanged(node, _):
    at_home(node, {'kube-apiserver.yaml': still.MANIFEST})


# ---- the nodes ----

def empty(_):
    pass


def manifests_out(node):
    """One is out, one is out and somebody put it back, and a file was being written."""
    from hashlib import sha256
    must(DRIVER, 'make', node)
    os.unlink(f'{node}/{MANIFESTS}/kube-apiserver.yaml')
    for pod, text in (('kube-apiserver', 'a: b\n'), ('etcd', 'c: d\n')):
        name = f'out-{sha256(text.encode()).hexdigest()}-+{MANIFESTS.replace("/", "+")}+{pod}.yaml'
        with open(f'{node}/{STAGE}/{name}', 'w') as f:
            f.write(text)
    with open(f'{node}/{STAGE}/.new-1234', 'w') as f:
        f.write('half')


# ---- with an agent ----

class Agent:
    """`planeguard run` on a node of which nothing is named."""

    def __init__(self, node, env=None):
        self.node, self.log = node, tempfile.TemporaryFile()
        self.child = subprocess.Popen([PLANEGUARD, '--root', node, '--shipped', TOP, 'run'], env=env or
                                      failing.environment(), stdin=subprocess.DEVNULL, stdout=self.log,
                                      stderr=self.log, cwd=TOP)

    def is_up(self):
        """Waits until it answers (True) or is dead."""
        until = time.monotonic() + failing.HANG_SEC
        while self.child.poll() is None:
            if planeguard(self.node, 'status').code in (0, 1, 4):
                return True
            expect(time.monotonic() < until, f'the agent neither answers nor ends: {self.said()}')
            time.sleep(0.02)
        return False

    def said(self):
        self.log.seek(0)
        return self.log.read().decode('utf-8', 'replace')

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            code = self.child.wait(failing.HANG_SEC)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            return failing.End('hang', 0, b'', self.said())
        return failing.End('signal' if code < 0 else 'exit', abs(code), b'', self.said())


class Status(Moving):
    """`planeguard status`, asked of a living agent, which must live on."""

    def prepare(self, folder):
        super_node = folder + '/agent'
        os.mkdir(super_node)
        self.agent = Agent(super_node)
        expect(self.agent.is_up(), f'the agent does not start: {self.agent.said()}')
        self.living = super_node
        until = time.monotonic() + failing.HANG_SEC  # its answer is the same only when all was looked at
        while b'not-looked-yet' in planeguard(super_node, 'status').out:
            expect(time.monotonic() < until, 'the agent never looks')
            time.sleep(0.05)
        super().prepare(folder)

    def argv(self, node):
        return super().argv(self.living)

    def close(self):
        self.agent.stop()

    def lives(self, *_):
        expect(self.agent.child.poll() is None, 'the agent has ended, because of a verb')


class Start(Moving):
    """The agent's start and its first moments."""
    more_after = 0.3

    def prepare(self, folder):
        self.template = folder + '/template'
        os.mkdir(self.template)
        counts = failing.Counts(folder)
        node = self.node(folder)
        self.live(node, failing.environment('count', ALLOC_COUNTS=counts.path))
        self.total = counts.read()[0]

    def live(self, node, env=None):
        agent = Agent(node, env)
        up = agent.is_up()
        if up:
            time.sleep(self.more_after)
        end = agent.stop()
        if up and (end.how, end.code) == ('exit', 0):
            return end
        if end.how != 'exit' or env is None or not failing.Judge(None).is_said(end.how, end.code, end.errors):
            raise Wrong(f'the agent: {end}')
        return end

    def attempt(self, folder, how, n, trace=False):
        node, counts = self.node(folder), failing.Counts(folder)
        more = {'ALLOC_TRACE': 1} if trace else {}
        try:
            end = self.live(node, failing.environment(f'nth:{n}:{how}', ALLOC_COUNTS=counts.path, **more))
            if trace:
                print(end.errors)
            journal_is(node, WHOLE, TORN, NOT_THERE)
            self.live(node)
            journal_is(node, WHOLE)
            why = None
        except Wrong as e:
            why = str(e)
        shutil.rmtree(os.path.dirname(node))
        return counts.read()[1] > 0, why


def digits(text):
    return re.sub(rb'[0-9.]+(ms|s|m|h)?', b'#', text)


def places(text):
    return re.sub(rb'/[^" ]*/node', b'NODE', text)


STATUS = Status('status', [PLANEGUARD, '--root', 'FOLDER', 'status'], empty, None, normal=digits)
STATUS.after = STATUS.lives

CASES = [
    Moving('write', [DRIVER, 'write', 'FOLDER'], empty, written, later=True),
    Moving('recover', [PLANEGUARD, '--root', 'FOLDER', 'recover'], manifests_out, was_recovered),
    Moving('plan', [DRIVER, 'plan', 'FOLDER'], still.node, unchanged, later=True, normal=places),
    Moving('heal', [DRIVER, 'heal', 'FOLDER'], still.node, was_healed, later=True),
    STATUS,
    Start('start', [], empty, None),
]
