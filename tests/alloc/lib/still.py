"""Workloads that change nothing: one run, in which each allocation fails in a forked child."""
import os
import subprocess
from base64 import b64encode

import failing
from failing import DRIVER, PLANEGUARD, TOP, Wrong

MANIFEST = b'''apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - name: kube-apiserver
    image: registry.k8s.io/x:v1
    command:
    - kube-apiserver
'''
STORIES = ('hung-healed', 'dry-run', 'crash-running', 'kill-switch', 'limits', 'unknown-lets-nothing-act')


class Still:
    """A command line that only reads. `make` fills the folder that it reads."""

    def __init__(self, name, argv, make=None, later=False):
        self.name, self._argv, self.make, self.later = name, argv, make, later

    def argv(self, folder):
        return [str(a).replace('FOLDER', folder) for a in self._argv]

    def more(self):
        return {'ALLOC_LATER': 1} if self.later else {}

    def prepare(self, folder):
        if self.make:
            self.make(folder)
        self.total, clean = failing.count(self.argv(folder), folder, **self.more())
        plain = failing.run(self.argv(folder))
        if (plain.how, plain.code, plain.out) != (clean.how, clean.code, clean.out):
            raise Wrong(f'{self.name}: two runs without a failure differ: {plain}; {clean}')
        self.judge = failing.Judge(clean)

    def sweep(self, folder, how, first, step):
        """Yields (n, why it is wrong or None)."""
        records = os.path.join(folder, f'records-{how}-{first}')
        end = failing.run(self.argv(folder),
                          failing.environment(f'each:{first}:{step}:{how}', ALLOC_RECORDS=records, **self.more()),
                          timeout=1200)
        if (end.how, end.code, end.out) != ('exit', self.judge.clean.code, self.judge.clean.out):
            raise Wrong(f'{self.name}: the parent of all the failures is not as without them: {end}')
        with open(records, encoding='utf-8', errors='replace') as lines:
            for line in lines:
                n, *fields = line.rstrip('\n').split('\t')
                try:
                    self.judge.record(fields)
                    yield int(n), None
                except Wrong as e:
                    yield int(n), str(e)

    def one(self, folder, how, n, trace=False):
        more = {**self.more(), **({'ALLOC_TRACE': 1} if trace else {})}
        end = failing.run(self.argv(folder), failing.environment(f'nth:{n}:{how}', **more))
        if trace:
            print(end.errors)
        self.judge.end(end)


# ---- what they read ----

def operator(folder):
    """A policy of the operator's own, in force."""
    os.makedirs(f'{folder}/etc/planeguard/policy.d')
    subprocess.run(['cp', TOP / 'tests/decide/policy-enforce.yaml', f'{folder}/etc/planeguard/policy.d/'], check=True)
    with open(f'{folder}/etc/planeguard/planeguard.yaml', 'w') as f:
        f.write('apiVersion: planeguard/v1\nkind: Configuration\nmetadata: {name: planeguard}\n'
                'spec: {policy: enforce}\n')


def faulty(folder):
    operator(folder)
    with open(f'{folder}/etc/planeguard/policy.d/faulty.yaml', 'w') as f:
        f.write('apiVersion: planeguard/v1\nkind: Policy\nmetadata: {name: faulty}\nspec: {mod: enforce}\n')


def must(*argv):
    end = failing.run(argv, failing.environment())
    if (end.how, end.code) != ('exit', 0):
        raise Wrong(f'{argv}: {end}')


def journal(folder):
    must(DRIVER, 'write', folder)


def segment(folder):
    audit = f'{folder}/var/log/planeguard/audit'
    return os.path.join(audit, sorted(os.listdir(audit))[0])


def broken(folder):
    journal(folder)
    with open(segment(folder), 'r+b') as f:
        data = f.read()
        at = data.index(b'"number":33') + len(b'"number":3')
        f.seek(at)
        f.write(b'7')


def torn(folder):
    journal(folder)
    with open(segment(folder), 'r+b') as f:
        f.truncate(os.path.getsize(segment(folder)) - 20)


def node(folder):
    must(DRIVER, 'make', folder)


def healed(folder):
    node(folder)
    must(DRIVER, 'heal', folder)


def certificates(folder):
    def openssl(*words):
        subprocess.run(['openssl', *words], cwd=folder, check=True, capture_output=True)

    ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    openssl('req', '-x509', *ec, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=ca', '-days', '9')
    openssl('req', *ec, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=leaf/O=nodes')
    openssl('x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', '77',
            '-out', 'leaf.crt', '-days', '9')
    with open(f'{folder}/leaf.crt', 'rb') as f:
        data = b64encode(f.read()).decode()
    with open(f'{folder}/kubeconfig', 'w') as f:
        f.write(f'users:\n- name: u\n  user:\n    client-certificate-data: {data}\n    client-key: leaf.key\n')


def verb(name, *words, make=None):
    return Still(name, [PLANEGUARD, '--root', 'FOLDER', '--shipped', TOP, *words], make)


CASES = [
    Still('load', [DRIVER, 'load', 'FOLDER'], operator, later=True),
    *[Still(f'match-{s}', [DRIVER, 'match', f'tests/decide/{s}.story'], later=True) for s in STORIES],
    Still('certificate', [DRIVER, 'certificate', 'FOLDER'], certificates, later=True),
    verb('lint', 'lint', make=operator),
    verb('lint-faulty', 'lint', make=faulty),
    verb('verify', 'journal', 'verify', make=journal),
    verb('verify-broken', 'journal', 'verify', make=broken),
    verb('verify-torn', 'journal', 'verify', make=torn),
    verb('verify-none', 'journal', 'verify'),
    verb('show', 'journal', 'show', make=healed),
    verb('show-broken', 'journal', 'show', make=broken),
    verb('show-json', '-o', 'json', 'journal', 'show', make=healed),
    verb('incidents', 'incidents', make=healed),
    verb('kinds', 'kinds', 'certificate'),
    verb('explain-no-agent', 'explain'),
]
