"""The scenes: what is broken, how planeguard is to heal it, and what the kubelet alone would have
needed where that is known by construction."""
import math
import time

import breaks
import control
import yaml
from backoff import back_off
from demo_agent import BY_MANIFEST, OPERATORS, SCALE, SOONER_SEC, Failed
from node import MANIFESTS, read_text
from scene import Scene

RELOAD_SEC, WELL_SEC, ANEW_SEC = 15, 30, 3


def until_liveness(scene):
    """The kubelet's liveness probe has to fail as often as the manifest says, in this node's time."""
    manifest = yaml.safe_load(read_text(scene.node.path(f'{MANIFESTS}/kube-apiserver.yaml')))
    probe = manifest['spec']['containers'][0]['livenessProbe']
    each = max(probe.get('timeoutSeconds', 1), probe.get('periodSeconds', 10))
    return f'more than {probe.get("failureThreshold", 3) * each / SCALE:.1f} s'


def until_backoff_ends(scene):
    """What was left of the pause that it had announced, when the cause was gone."""
    if not scene.pause_sec or not scene.exited_wall:
        return 'unknown'
    left = scene.exited_wall + scene.pause_sec / SCALE - scene.begun_wall
    return f'more than {math.floor(left * 10) / 10:.1f} s'


def never(_):
    return 'never'


def say_operators_own(screen, name, lines):
    screen.line(f'  The operator has put {name} into {OPERATORS}.', 'yellow')
    for text in lines:
        screen.line(f'  {text}', 'yellow')


def reload_by_manifest(screen, agent):
    """The operator's playbook of the same name takes the shipped one's place."""
    records = len(agent.journal())
    agent.add_operators('by-manifest.yaml', BY_MANIFEST)
    if not screen.wait(lambda: any(r['type'] == 'config' and not r.get('refused')
                                   for r in agent.journal()[records:]), RELOAD_SEC,
                       'until the new document is in force'):
        raise Failed("the operator's document was not taken in")
    # Its `passedSince` wants to have seen readyz pass, and a reload begins to look anew.
    anew = time.monotonic() + ANEW_SEC
    screen.wait(lambda: time.monotonic() > anew, RELOAD_SEC, 'until all is looked at anew')
    say_operators_own(screen, 'by-manifest.yaml', [
        'It replaces the shipped playbook restart-hung-apiserver, which says `by: container`:',
        '    static-pod.restart: {pod: kube-apiserver, by: manifest, downWithin: 90s}',
        'This line alone is why the manifest goes out and back now.'])


def say_sooner(screen, _):
    say_operators_own(screen, 'sooner.yaml', [
        f'`for: {SOONER_SEC}s` of apiserver-hung ({SOONER_SEC / SCALE:g} s here) instead of the shipped time, which lets the',
        "kubelet's own liveness probe come first. Else there would be nothing to see."])


SCENES = [
    Scene('The API server hangs', 'hung', 'apiserver-hung',
          'it takes connections and answers nothing', breaks.BREAKS['apiserver-hung'][1],
          until_liveness, 'container', say_sooner),
    Scene('Its manifest is deleted', 'manifest deleted', 'apiserver-manifest-missing',
          'kube-apiserver.yaml is gone from the manifests folder',
          breaks.BREAKS['apiserver-manifest-deleted'][1], never),
    Scene('Its manifest gets a bad flag', 'bad flag', 'apiserver-manifest-bad',
          '--no-such-flag is in kube-apiserver.yaml now', breaks.BREAKS['apiserver-flag'][1], never),
    Scene('It hangs again, and goes the way of the manifest', 'hung again', 'apiserver-hung',
          'it takes connections and answers nothing', breaks.BREAKS['apiserver-hung'][1],
          until_liveness, 'manifest', reload_by_manifest),
    Scene('It crash-loops, and waits on when the cause is gone', 'crash backoff',
          'apiserver-manifest-bad',
          'the certificate that it serves with is taken away: it crashes again and again',
          back_off, until_backoff_ends, mends_itself=True),
]


def play_all(screen, agent):
    for number, scene in enumerate(SCENES, 1):
        screen.heading(f'{number}/{len(SCENES)}  {scene.title}')
        if scene.before:
            scene.before(screen, agent)
        if not screen.wait(lambda: agent.is_well() and not agent.open_incidents(), WELL_SEC,
                           'until all is well again'):
            raise Failed('not all signals pass before the scene: ' + '; '.join(control.trouble(agent.node)))
        scene.play(screen, agent)
        time.sleep(1)
    return SCENES
