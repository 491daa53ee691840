"""What can be broken, and how it is mended. Saved originals lie in DIR/run/saved."""
import os
import shutil
import signal

import control
import node as n
import pki
import process

MANIFEST = f'{n.MANIFESTS}/kube-apiserver.yaml'
BACKOFF_CRASHES, BACKOFF_SEC = 5, 300


def saved(node, path):
    return node.path('/run/saved/' + os.path.basename(path))


def save(node, path):
    if not os.path.exists(saved(node, path)):
        shutil.copy2(node.path(path), saved(node, path))


def put_back(node, path):
    """By one rename, as a careful person does."""
    if os.path.exists(saved(node, path)):
        os.makedirs(os.path.dirname(node.path(path)), exist_ok=True)
        os.rename(saved(node, path), node.path(path))


def rewrite(node, path, change):
    """Changes a manifest's text and moves it in by one rename."""
    save(node, path)
    new = node.path('/run/saved/.new')
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as f:
        f.write(change(n.read_text(saved(node, path))))
    os.rename(new, node.path(path))


def take_out(node, path):
    os.rename(node.path(path), saved(node, path))


def set_flag(text, flag):
    name = flag.partition('=')[0]
    lines = [f'    - {flag}' if line.strip().startswith(f'- {name}=') else line
             for line in text.splitlines()]
    if f'    - {flag}' not in lines:
        lines.insert(lines.index('    - kube-apiserver') + 1, f'    - {flag}')
    return '\n'.join(lines) + '\n'


def flag_break(flag):
    return (lambda node: rewrite(node, MANIFEST, lambda text: set_flag(text, flag)),
            lambda node: put_back(node, MANIFEST))


def signal_container(name, number):
    def act(node):
        pid = control.pid_of(node, name)
        if pid:
            process.kill(pid, number)
    return act


def unit_pid(node, name):
    return int(control.unit_properties(node, name)['MainPID'])


def signal_unit(name, number):
    def act(node):
        pid = unit_pid(node, name)
        if pid:
            process.kill(pid, number)
    return act


def give_up(name):
    """Its process is killed and systemd doesn't start it again."""
    def act(node):
        fault = node.path(f'{n.FAULTS}/{name}-gives-up')
        os.makedirs(os.path.dirname(fault), exist_ok=True)
        open(fault, 'w').close()
        try:
            signal_unit(name, signal.SIGKILL)(node)
            if not process.wait_until(
                    lambda: control.unit_properties(node, name)['ActiveState'] == 'failed', 10):
                raise RuntimeError(f'{name} did not fail')
        finally:
            os.unlink(fault)
    return act


def unit_job(verb, name):
    return lambda node: control.unit(node, verb, name, 'replace')


def hang(node):
    n.write_atomically(node.path(n.FAULTS + '/apiserver-hang'),
                       str(control.pid_of(node, 'kube-apiserver')))


def unhang(node):
    if os.path.exists(node.path(n.FAULTS + '/apiserver-hang')):
        os.unlink(node.path(n.FAULTS + '/apiserver-hang'))


def hostile(way):
    path = n.FAULTS + '/apiserver-hostile'

    def mend(node):
        if os.path.exists(node.path(path)):
            os.unlink(node.path(path))
    return lambda node: n.write_atomically(node.path(path), way), mend


def truncate(keep):
    def act(node):
        save(node, MANIFEST)
        with open(node.path(MANIFEST), 'r+') as f:  # in place, as an interrupted editor leaves it
            f.truncate(int(os.path.getsize(saved(node, MANIFEST)) * keep))
    return act


def stray(node):
    shutil.copy(node.path(MANIFEST), node.path(MANIFEST + '.bak'))


def unstray(node):
    if os.path.exists(node.path(MANIFEST + '.bak')):
        os.unlink(node.path(MANIFEST + '.bak'))


def back_off(node):
    """Crashes the API server until its backoff is long, by a cause that is then gone."""
    certificate = n.PKI + '/apiserver.crt'
    first = control.newest(node, 'kube-apiserver')
    take_out(node, certificate)
    try:
        process.kill(first['pid'])
        goal = first['metadata']['attempt'] + BACKOFF_CRASHES

        def crashed():
            c = control.newest(node, 'kube-apiserver')
            return c and c['metadata']['attempt'] >= goal and c['state'] == 'CONTAINER_EXITED'

        if not process.wait_until(crashed, node.scaled(BACKOFF_SEC, 10)):
            raise RuntimeError('the API server did not crash as often as it should')
    finally:
        put_back(node, certificate)


def expire(authority, path, subject, usages, sans=()):
    """The same certificate, but one that has expired; key and certificate as one pair."""
    def act(node):
        for end in ('.key', '.crt'):
            save(node, path + end)
        pair = pki.issue(node.path(f'{n.PKI}/{authority}'), subject, usages, sans, days=-1,
                         algorithm='ECDSA-P256')
        pki.put_pair(node.path(path), *pair)

    def mend(node):
        for end in ('.key', '.crt'):
            put_back(node, path + end)
    return act, mend


def expire_kubelet(node):
    path = os.path.realpath(node.path(n.KUBELET_CLIENT))
    shutil.copy2(path, node.path('/run/saved/kubelet-client'))
    certificate, key = pki.issue(node.path(n.PKI + '/ca'), [('O', 'system:nodes'), (
        'CN', f'system:node:{node.name}')], ['clientAuth'], days=-1, algorithm='ECDSA-P256')
    pki.put(path, certificate + key, 0o600)


def unexpire_kubelet(node):
    if os.path.exists(node.path('/run/saved/kubelet-client')):
        os.rename(node.path('/run/saved/kubelet-client'),
                  os.path.realpath(node.path(n.KUBELET_CLIENT)))


def nothing(_):
    pass


# name: (what it is, break, mend)
BREAKS = {
    'apiserver-hung': ('accepts connections, answers nothing, until the process ends', hang, unhang),
    'apiserver-stopped': ('SIGSTOP', signal_container('kube-apiserver', signal.SIGSTOP),
                          signal_container('kube-apiserver', signal.SIGCONT)),
    'apiserver-endless': ('a verbose health check is answered without an end', *hostile('endless')),
    'apiserver-drip': ('... with one byte a second', *hostile('drip')),
    'apiserver-headers': ('... with 10 MiB of headers', *hostile('headers')),
    'apiserver-redirect': ('... with a redirect elsewhere', *hostile('redirect')),
    'apiserver-bomb': ('... with 1 GiB of zeros, compressed', *hostile('bomb')),
    'apiserver-garble': ("... with a terminal's control sequences", *hostile('garble')),
    'apiserver-killed': ('SIGKILL: the kubelet starts it again',
                         signal_container('kube-apiserver', signal.SIGKILL), nothing),
    'apiserver-flag': ('its manifest has a flag that does not exist', *flag_break('--no-such-flag')),
    'apiserver-value': ('its manifest has a flag with a bad value',
                        *flag_break('--secure-port=notaport')),
    'apiserver-missing-cert': ('its manifest names a certificate that is not there',
                               *flag_break('--tls-cert-file=/etc/kubernetes/pki/nope.crt')),
    'apiserver-etcd-address': ('its manifest names an address of etcd where nothing listens',
                               *flag_break('--etcd-servers=https://127.0.0.1:2399')),
    'apiserver-manifest-deleted': ('its manifest is gone', lambda node: take_out(node, MANIFEST),
                                   lambda node: put_back(node, MANIFEST)),
    'apiserver-manifest-empty': ('its manifest has no bytes', truncate(0),
                                 lambda node: put_back(node, MANIFEST)),
    'apiserver-manifest-half': ('its manifest ends in the middle', truncate(0.5),
                                lambda node: put_back(node, MANIFEST)),
    'apiserver-stray': ('a copy of its manifest lies beside it', stray, unstray),
    'apiserver-backoff': ('crash loop in a long backoff, whose cause is gone', back_off, nothing),
    'apiserver-cert-expired': ('its serving certificate has expired', *expire(
        'ca', n.PKI + '/apiserver', [('CN', 'kube-apiserver')], ['serverAuth'],
        ['DNS:kubernetes', 'IP:127.0.0.1'])),
    'apiserver-etcd-client-expired': ('its certificate for etcd has expired', *expire(
        'etcd/ca', n.PKI + '/apiserver-etcd-client', [('CN', 'kube-apiserver-etcd-client')],
        ['clientAuth'])),
    'etcd-stopped': ('SIGSTOP', signal_container('etcd', signal.SIGSTOP),
                     signal_container('etcd', signal.SIGCONT)),
    'etcd-killed': ('SIGKILL: the kubelet starts it again',
                    signal_container('etcd', signal.SIGKILL), nothing),
    'etcd-down': ('its manifest is taken out', lambda node: take_out(node, f'{n.MANIFESTS}/etcd.yaml'),
                  lambda node: put_back(node, f'{n.MANIFESTS}/etcd.yaml')),
    'kubelet-stopped': ('its unit is stopped', unit_job('StopUnit', 'kubelet.service'),
                        unit_job('StartUnit', 'kubelet.service')),
    'kubelet-failed': ('its unit has failed for good', give_up('kubelet.service'),
                       unit_job('StartUnit', 'kubelet.service')),
    'kubelet-hung': ('SIGSTOP', signal_unit('kubelet.service', signal.SIGSTOP),
                     signal_unit('kubelet.service', signal.SIGCONT)),
    'kubelet-killed': ('SIGKILL: systemd starts it again',
                       signal_unit('kubelet.service', signal.SIGKILL), nothing),
    'kubelet-cert-expired': ('its client certificate has expired', expire_kubelet, unexpire_kubelet),
    'runtime-stopped': ('its unit is stopped', unit_job('StopUnit', 'containerd.service'),
                        unit_job('StartUnit', 'containerd.service')),
    'runtime-failed': ('its unit has failed for good', give_up('containerd.service'),
                       unit_job('StartUnit', 'containerd.service')),
    'runtime-hung': ('SIGSTOP', signal_unit('containerd.service', signal.SIGSTOP),
                     signal_unit('containerd.service', signal.SIGCONT)),
    'runtime-killed': ('SIGKILL: systemd starts it again',
                       signal_unit('containerd.service', signal.SIGKILL), nothing),
}
