"""planeguard with the demo's policy, the scaled copies of the shipped documents where they are
installed, and the operator's own documents in front of them."""
import glob
import os
import shutil
import signal

import scaling
from agent import SHARE, TOP, Agent
from node import write_atomically

SCALE = 15
POLICY = '''apiVersion: planeguard/v1
kind: Policy
metadata: {{name: demo}}
spec:
  summary: A demo on a master in a folder, with times divided by {scale}
  mode: {mode}
  scaled: true
  guards:
    start-up: {{own: 1s, boot: 1s, restarts: 8, within: 1s}}
    settle: {{for: 1s}}
    fresh-look: {{within: 2s}}
'''
CONFIGURATION = '''apiVersion: planeguard/v1
kind: Configuration
metadata: {name: planeguard}
spec: {policy: demo}
'''
# An operator's own documents, with a real node's times: they replace shipped ones of the same name.
HUNG, SOONER_SEC = 'playbooks/kube-apiserver/apiserver-hung.yaml', 15


def sooner():
    """The shipped failure with another `for`, and nothing else changed."""
    with open(os.path.join(TOP, HUNG)) as f:
        shipped = f.read().partition('\n---\n')[0] + '\n'
    return scaling.tune_text(shipped, [('apiserver-hung', 'for', f'{SOONER_SEC}s')])


BY_MANIFEST = '''apiVersion: planeguard/v1
kind: Playbook
metadata: {name: restart-hung-apiserver}
spec:
  summary: Take the manifest out until the pod is gone, and put it back
  treats: apiserver-hung
  order: 10
  risk: medium
  requires:
    - {signal: kubelet-healthz, is: pass}
    - {signal: etcd-health, is: pass}
    - {signal: apiserver-manifest, is: pass}
    - {signal: apiserver-readyz, is: pass, passedSince: kubelet-unit}
  steps:
    - name: keep the evidence
      evidence.collect: {components: [kube-apiserver, etcd]}
    - name: take the static pod out and back
      static-pod.restart: {pod: kube-apiserver, by: manifest, downWithin: 90s}
  verify:
    - {signal: apiserver-livez, is: pass, within: 2m, hold: 20s}
    - {signal: apiserver-readyz, is: pass, within: 2m, hold: 20s}
  limits: {attempts: 2, per: 1h, cooldown: 1m}
  onFailure: undo
'''
OPERATORS = '/etc/planeguard/playbooks.d'


class Failed(Exception):
    """The demo did not show what it is there to show."""


class DemoAgent(Agent):
    def __init__(self, node):
        super().__init__(node)
        self.operators = {'sooner.yaml': sooner()}

    def write_documents(self):
        node = self.node
        if not os.path.isdir(node.path(f'{SHARE}/policy')):
            shutil.copytree(os.path.join(TOP, 'policy'), node.path(f'{SHARE}/policy'))
            scaling.scale_documents(os.path.join(TOP, 'playbooks'), node.path(f'{SHARE}/playbooks'),
                                    node.scale, node.ports)
        for name, text in self.operators.items():
            write_atomically(node.path(f'{OPERATORS}/{name}'),
                             scaling.scale_text(text, node.scale, node.ports))
        write_atomically(node.path('/etc/planeguard/policy.d/demo.yaml'),
                         POLICY.format(scale=SCALE, mode=self.mode))
        write_atomically(node.path('/etc/planeguard/planeguard.yaml'), CONFIGURATION)
        self.write_observer()

    def add_operators(self, name, text):
        """While it runs: it takes them in at SIGHUP."""
        self.operators[name] = text
        self.write_documents()
        self.child.send_signal(signal.SIGHUP)

    def is_well(self):
        signals = self.signals()
        return bool(signals) and all(s['verdict'] == 'pass' for s in signals.values())

    def has_known_good(self):
        return bool(glob.glob(self.node.path('/var/lib/planeguard/known-good/kube-apiserver/*.yaml')))

    def end(self):
        if self.is_running():
            self.child.kill()
            self.child.wait()
