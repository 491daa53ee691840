"""Dry-run: the same failure, a plan down to its bytes, and the proof that nothing was changed."""
import os
import re

import breaks
import control
import snapshot
from demo_agent import Failed
from node import read_text, write_atomically

FAILURE, MANIFEST = 'apiserver-manifest-bad', breaks.MANIFEST
CRICTL, CALLS = '/usr/bin/crictl', '/run/crictl.calls'
READ_ONLY = {'version', 'info', 'ps', 'pods', 'inspect', 'inspectp', 'images', 'logs'}
WELL_SEC, REHEARSED_SEC, CRASHES_SEC = 60, 60, 6


def containers(node):
    return {c['id']: c for c in control.containers(node)}


def started_by_kubelet(node):
    """Ids of all containers that the kubelet's own log says it started."""
    log = read_text(node.path('/var/log/kubelet.log'), '')
    return set(re.findall(r'"ContainerStarted","Data":"([0-9a-f]+)"', log))


def witness_crictl(node):
    """From here on each call of crictl, planeguard's only way to the runtime, is written down."""
    real = node.path(CRICTL + '.real')
    os.rename(node.path(CRICTL), real)
    write_atomically(node.path(CRICTL), f'''#!/bin/sh
echo "$*" >>{node.path(CALLS)}
exec {real} "$@"
''', 0o755)


def calls_of_crictl(node):
    """The verbs of all calls: the first word behind the options, each of which takes a value."""
    verbs = []
    for line in read_text(node.path(CALLS), '').splitlines():
        words = line.split()
        while words and words[0].startswith('-'):
            words = words[2:]
        verbs.append(words[0] if words else '')
    return verbs


def rehearsed(agent, since):
    return next((r['incident'] for r in agent.journal()[since:] if r['type'] == 'incident'
                 and r['failure'] == FAILURE and r['to'] == 'rehearsed'), None)


def play(screen, agent):
    node = agent.node
    screen.heading('Once more in dry-run: the plan, and nothing else')
    agent.mode = 'dry-run'
    agent.start()
    if not screen.wait(lambda: agent.is_well() and not agent.open_incidents(), WELL_SEC,
                       'until all signals pass'):
        raise Failed('not all signals pass in dry-run')
    witness_crictl(node)
    since = len(agent.journal())
    whole = snapshot.take(node)
    breaks.BREAKS['apiserver-flag'][1](node)
    before, containers_before = snapshot.take(node), containers(node)
    screen.event(None, 'broken', '--no-such-flag is in kube-apiserver.yaml again')
    incident = screen.wait(lambda: rehearsed(agent, since), REHEARSED_SEC, 'until it is rehearsed')
    if not incident:
        raise Failed('dry-run did not come to a rehearsed plan')
    screen.event(None, 'planned', f'{FAILURE} is rehearsed: gone through, not done')
    show_plan(screen, agent)
    prove(screen, agent, since, {'whole': whole, 'before': before, 'containers': containers_before})
    agent.stop()


def show_plan(screen, agent):
    done = agent.run('plan')
    screen.line()
    screen.line('$ planeguard plan', 'dim')
    screen.diff(done.stdout + done.stderr, 0)
    if done.returncode != 2 or '--no-such-flag' not in done.stdout:
        raise Failed(f'the plan does not show what would change: exit {done.returncode}')


def prove(screen, agent, since, was):
    """Compares when the kubelet has had the time to crash it some more."""
    node = agent.node
    attempts = {c['metadata']['attempt'] for c in was['containers'].values()
                if c['metadata']['name'] == 'kube-apiserver'}
    screen.wait(lambda: control.newest(node, 'kube-apiserver')['metadata']['attempt'] > max(attempts, default=0),
                CRASHES_SEC, 'until the kubelet has tried again')
    after, now = snapshot.take(node), containers(node)
    records = agent.journal()[since:]
    broken = snapshot.differences(was['whole'], was['before'])
    changed = snapshot.differences(was['before'], after)
    own, calls = started_by_kubelet(node), calls_of_crictl(node)
    new = [i for i in now if i not in was['containers']]
    strange = [i for i in new if i not in own]
    acting = [c for c in calls if c not in READ_ONLY]
    effects = [r for r in records if r['type'] == 'effect']
    screen.line()
    screen.line('Did it change anything? Compared right after the break and now:', 'bold')
    screen.line(f"  Left out: {', '.join(snapshot.LIVELY)}", 'dim')
    screen.line("  (run folders, logs, the agent's own state, the runtime's and etcd's)", 'dim')
    result = [
        verdict(screen, not changed, f'{len(after)} files and folders: names, kinds, modes, owners, times, '
                'SHA-256', changed),
        verdict(screen, broken == [os.path.dirname(MANIFEST), MANIFEST],
                'before the break to after it: only kube-apiserver.yaml and its folder\'s time', broken),
        verdict(screen, not strange, f"{len(new)} new containers, crash by crash: the kubelet's log names "
                'each as started by it', strange),
        verdict(screen, calls and not acting, f"{len(calls)} calls of crictl, the agent's only way to the "
                f"runtime: {', '.join(sorted(set(calls)))} only", acting or 'no call at all'),
        verdict(screen, not effects, f'{len(records)} records of the journal: none is of a change', effects),
    ]
    if not all(result):
        raise Failed('dry-run changed something')


def verdict(screen, good, text, found):
    screen.event(None, 'same' if good else 'differs', text if good else f'{text}: {found}')
    return good
