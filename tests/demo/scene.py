"""One scene: breaks one thing and shows, from planeguard's journal and status, how it is healed.
Times are counted from the break; they are the journal's own, not when this program came to read."""
import re
import threading
import time

import control
from backoff import announced
from demo_agent import Failed
from outside import Outside

HEALED_SEC, POLL_SEC = 60, 0.05
USEC = 1e6
# a step's phases, as the way of restarting makes them mean
PHASES = {
    'container': {'out': 'the old container is removed', 'new': 'a new container runs'},
    'manifest': {'arm': 'a dead-man would put the manifest back if planeguard died now',
                 'out': 'the manifest is out', 'gone': 'the pod is gone', 'back': 'the manifest is back',
                 'new': 'a new container runs'},
    'restore': {'saved': 'the present manifest is kept aside',
                'replaced': 'the last known good manifest is in its place'},
}


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def in_short(detail):
    """Without what only a machine needs; `planeguard show` has it all."""
    for pattern, short in ((r';.*', ''), (r'1 files in /\S+', 'one file kept'), (r'files in /\S+', 'files kept'),
                           (r'container [0-9a-f]{8,}', 'a container'), (r'(\d+ms)\d+us', r'\1'),
                           (r'/etc/kubernetes/manifests/', '')):
        detail = re.sub(pattern, short, detail)
    return detail


class Scene:
    def __init__(self, title, name, failure, what, act, alone, way=None, before=None, mends_itself=False):
        """`mends_itself`: the break returns when its cause is gone; times count from then."""
        self.title, self.name, self.failure, self.what = title, name, failure, what
        self.act, self.alone_of, self.wanted_way, self.before = act, alone, way, before
        self.mends_itself = mends_itself
        self.incident = self.playbook = self.way = None
        self.seen = self.acted = self.healed = self.alone = None
        self.proven = self.resolved = False
        self.steps, self.phases, self.told = [], set(), set()
        self.begun = self.begun_wall = self.exited_wall = self.pause_sec = None

    # ---- playing ----

    def play(self, screen, agent):
        self.screen, self.agent, self.node = screen, agent, agent.node
        self.read = len(agent.journal())
        with Outside(self.node) as outside:
            self.break_it()
            end = time.monotonic() + HEALED_SEC
            while not (self.resolved and outside.back):
                if time.monotonic() > end:
                    raise Failed(f'{self.title}: not healed within {HEALED_SEC} s')
                self.look(outside)
                time.sleep(POLL_SEC)
        self.healed = self.healed_at(outside)
        self.alone = self.alone_of(self)
        if self.wanted_way and self.way != self.wanted_way:
            raise Failed(f'{self.title}: healed by {self.way}, expected by {self.wanted_way}')

    def break_it(self):
        if not self.mends_itself:
            self.count_from_here()
            self.act(self.node)
            self.event(self.begun, 'broken', self.what)
            return
        self.event(None, 'broken', self.what)
        begun, failed = time.monotonic(), []
        worker = threading.Thread(target=self.act_apart, args=(failed,), daemon=True)
        worker.start()
        while worker.is_alive():
            if 'person' not in self.told:  # what comes after the mending is told after it
                self.look(None)
            self.screen.show('the kubelet waits longer after each crash', time.monotonic() - begun)
            time.sleep(POLL_SEC)
        if failed:
            raise Failed(f'{self.title}: {failed[0]}')
        self.count_from_here(self.mended)
        self.pause_sec = next(iter(announced(self.node)[-1:]), None)
        crashed = control.newest(self.node, 'kube-apiserver')
        self.exited_wall = crashed['finishedAt'] / 1e9 if crashed and crashed.get('finishedAt') else None
        self.event(self.begun, 'mended', f'the certificate is back, but the kubelet is in a pause of '
                   f'{self.pause_sec or 0:g} s (scaled); times count from here')

    def act_apart(self, failed):
        try:
            self.act(self.node)
            self.mended = now(), time.time()
        except Exception as e:  # told by the main thread
            failed.append(e)

    def count_from_here(self, at=None):
        self.begun, self.begun_wall = at or (now(), time.time())

    def healed_at(self, outside):
        if not outside.back or outside.back < self.begun:
            raise Failed(f'{self.title}: /readyz was never seen to come back')
        return outside.back - self.begun

    # ---- looking ----

    def event(self, at, word, text, label=None):
        self.screen.event(None if at is None or self.begun is None else max(at - self.begun, 0), word,
                          text, label)

    def look(self, outside):
        """All that is new since the last look, in its order."""
        found = self.phase()
        records = self.agent.journal()
        found += [(r['usec'] / USEC, r) for r in records[self.read:]]
        self.read = len(records)
        if outside and outside.back and 'answers' not in self.told:
            self.told.add('answers')
            found.append((outside.back, None))
        for at, what in sorted(found, key=lambda f: f[0]):
            if what is None:
                self.event(at, 'answers', '/readyz gives 200 again, asked by this demo')
            elif isinstance(what, str):
                self.event(at, 'phase', what, '')
            else:
                teller = getattr(self, 'tell_' + what['type'].replace('-', '_'), None)
                if teller:
                    teller(at, what)
        if self.begun:
            self.screen.show(self.doing, now() - self.begun)

    def phase(self):
        """The running step's phase, when it is a new one: [(when it was seen, words)]."""
        incident = next((i for i in self.agent.json('status').get('incidents', [])
                         if i['failure'] == self.failure), None)
        self.doing = 'planeguard waits for the signals'
        if not incident:
            return []
        self.doing = f"{self.failure} is {incident['state']}"
        phase = incident.get('phase')
        if not phase:
            return []
        self.doing += f' ({phase})'
        words = PHASES.get(self.way or 'restore', {}).get(phase)
        if not words or phase in self.phases:
            return []
        self.phases.add(phase)
        return [(now(), words)]

    # ---- telling: a record's type each ----

    def tell_signal(self, at, r):
        if r.get('verdict') == 'fail' and 'signal' not in self.told:
            self.told.add('signal')
            self.event(at, 'seen', f"{r['signal']} fails: {r['reason']}")
            if not self.mends_itself:
                self.seen = at - self.begun

    def tell_incident(self, at, r):
        if r.get('failure') != self.failure:
            return
        self.incident = r['incident']
        to = r['to']
        if to == 'suspected':
            self.event(at, 'incident', f"{self.failure}: {r['why']}")
        elif to == 'confirmed':
            if self.mends_itself and r['from'] == 'escalated':
                self.seen = max(at - self.begun, 0) if self.begun else 0
                self.event(at, 'seen', 'what was needed is back: planeguard tries again')
            else:
                self.event(at, 'confirmed', r['why'])
        elif to == 'held':
            self.event(at, 'held', r['why'])
        elif to == 'resolved':
            self.resolved = True
            self.event(at, 'resolved', f"{self.failure} is closed")

    def tell_escalate(self, at, r):
        if r.get('incident') == self.incident:
            self.told.add('person')
            self.event(at, 'person', 'nothing allowed would help yet, so a person is told: '
                       + (r.get('advice') or r.get('why') or ''))

    def tell_plan(self, at, r):
        if r.get('incident') != self.incident:
            return
        self.playbook, self.steps = r['playbook'], r['steps']
        self.way = next((s['by'] for s in self.steps if 'by' in s), None)
        way = f', by {self.way}' if self.way else ''
        self.event(at, 'planned', f"{self.playbook}: {len(self.steps)} steps{way}")

    def tell_guard(self, at, r):
        if r.get('incident') != self.incident:
            return
        against = [g for g in r['guards'] if g['verdict'] != 'allow']
        if not against:
            self.event(at, 'allowed', f"all {len(r['guards'])} guards say yes")

    def tell_intent(self, at, r):
        if r.get('incident') != self.incident:
            return
        if self.acted is None:
            self.acted = at - self.begun
        self.event(at, 'step', r['step'], f"step {r['index'] + 1}")

    def tell_result(self, at, r):
        if r.get('incident') != self.incident:
            return
        if r['of'] == 'verify':
            self.proven = r['outcome'] == 'proven'
            self.event(at, 'proven' if self.proven else 'held', r['detail'])
        elif r['of'] == 'step':
            self.event(at, 'done', in_short(r['detail']), '' if r['outcome'] == 'done' else r['outcome'])
