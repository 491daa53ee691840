"""The whole agent on a master in a folder (tests/master): its n-th allocation fails somewhere in its
start or while it heals a hung API server; then it is started without a failure, and must heal."""
import os
import sys
import time

import failing
from failing import PLANEGUARD, TOP, Wrong

sys.path.insert(0, str(TOP / 'tests/master/lib'))
os.environ['PLANEGUARD'] = str(PLANEGUARD)
os.environ['PLANEGUARD_OBSERVER'] = str(TOP / 'build/release/planeguard-observer')
import agent  # noqa: E402
import breaks  # noqa: E402
import control  # noqa: E402
import harness  # noqa: E402
import process  # noqa: E402

SCALE, HEALED_SEC = 20, 60
BREAK = 'apiserver-hung'


class FailingAgent(agent.Agent):
    fail = None  # the environment of the next start

    def environment(self, fault=None):
        return {**super().environment(fault), **(self.fail or {})}

    def run(self, *arguments):
        kept, self.fail = self.fail, None  # the verbs are asked without failures
        try:
            return super().run(*arguments)
        finally:
            self.fail = kept

    def begin(self, fail=None):
        """Starts it; False when it died at once."""
        self.fail = fail
        try:
            self.start()
        except RuntimeError:
            if self.is_running() or not fail:
                raise
        self.fail = None
        return self.is_running()


class Whole:
    """A sample only: a run takes many seconds. One node serves them all."""
    name, later = 'agent', False

    def prepare(self, folder):
        process.become_subreaper()
        self.folder = folder
        self.master = harness.Master(SCALE)
        self.node = self.master.__enter__()
        self.manifests = self.read_manifests()
        counts = failing.Counts(folder)
        self.agent = FailingAgent(self.node)
        self.agent.tunings = [(BREAK, 'for', '20s'), ('restart-hung-apiserver', 'by', 'manifest')]
        self.agent.begin(failing.environment('count', ALLOC_COUNTS=counts.path))
        self.started = counts.read()[0]
        self.heal()
        self.total = counts.read()[0]
        self.agent.stop()

    def close(self):
        if hasattr(self, 'agent') and self.agent.is_running():
            self.agent.stop()
        if hasattr(self, 'master'):
            self.master.__exit__()

    def read_manifests(self):
        folder = self.node.path('/etc/kubernetes/manifests')
        found = {}
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), 'rb') as f:
                found[name] = f.read()
        return found

    def resolved(self):
        """Also cleared: the kubelet may come first."""
        return sum(r.get('type') == 'incident' and r.get('to') in ('resolved', 'cleared') for r in
                   (line.get('body', line) for line in self.agent.journal()))

    def heal(self):
        """Breaks the node and waits until the agent has mended it, or is dead (False)."""
        before = self.resolved()
        sees = process.wait_until(lambda: not self.agent.is_running() or
                                  self.agent.signals().get('apiserver-readyz', {}).get('verdict') == 'pass', 60, 0.3)
        if not sees:
            raise Wrong(f'the agent sees no API server: {self.agent.log()[-800:]}')
        breaks.BREAKS[BREAK][1](self.node)
        return self.wait_healed(before)

    def wait_healed(self, before):
        if not process.wait_until(lambda: not self.agent.is_running() or self.resolved() > before, HEALED_SEC, 0.3):
            raise Wrong(f'the hung API server is not healed: {self.agent.log(12)}\n'
                        + self.agent.run('journal', 'show').stdout[-1500:])
        return self.agent.is_running()

    def attempt(self, how, n, trace=False):
        counts = failing.Counts(self.folder)
        more = {'ALLOC_TRACE': 1} if trace else {}
        before = self.resolved()
        fail = failing.environment(f'nth:{n}:{how}', ALLOC_COUNTS=counts.path, **more)
        del fail['ALLOC_FASTER']
        lives = self.agent.begin(fail) and self.heal()
        if not lives:
            said = self.agent.log()[-1200:]
            code = self.agent.child.wait()
            if not failing.Judge(None).is_said('exit' if code >= 0 else 'signal', abs(code), said):
                raise Wrong(f'the agent ended with {code}: {said}')
            self.agent.begin()
            if not control.wait_healthy(self.node, 5) and not self.wait_healed(before):
                raise Wrong(f'the agent without a failure ended: {self.agent.log()[-800:]}')
        if not control.wait_healthy(self.node, 60):
            raise Wrong(f'the node is not healthy: {control.trouble(self.node)}')
        if not lives and not self.heal():
            raise Wrong(f'the agent without a failure ended: {self.agent.log()[-800:]}')
        code = self.agent.stop()
        if code != 0:
            raise Wrong(f'the agent ends with {code}: {self.agent.log()[-800:]}')
        self.judge_node()
        return counts.read()[1] > 0

    def judge_node(self):
        if self.read_manifests() != self.manifests:
            raise Wrong(f'the manifests are not as before: {sorted(self.read_manifests())}')
        stage = self.node.path('/etc/kubernetes/.planeguard')
        if os.path.isdir(stage) and os.listdir(stage):
            raise Wrong(f'in the stage is {os.listdir(stage)}')
        for words in (('journal', 'verify'), ('replay',)):
            end = self.agent.run(*words)
            if end.returncode != 0:
                raise Wrong(f'{words}: exit {end.returncode}: {end.stdout[-500:]} {end.stderr[-300:]}')

    def sweep(self, _, how, first, step):
        for n in range(first, self.total, step):
            began = time.monotonic()
            try:
                self.attempt(how, n)
                yield n, None
            except (Wrong, RuntimeError) as e:
                yield n, f'{e} ({time.monotonic() - began:.0f} s)'
                self.close()  # a node that may be in any state
                self.prepare(self.folder)

    def one(self, _, how, n, trace=False):
        if not self.attempt(how, n, trace):
            print(f'{self.name}: allocation {n} is not reached')
        if trace:
            print(self.agent.log())


CASES = [Whole()]
