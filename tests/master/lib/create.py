"""Makes the node in a folder."""
import json
import os
import random
import socket
import sys

import manifests
import node as n
import pki

LIB = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(LIB)))
ETCD = os.path.join(TOP, 'build/tools/etcd/usr/bin/etcd')
# program on the node -> module of the stand-in
PROGRAMS = {
    '/usr/bin/crictl': 'crictl', '/usr/bin/kubeadm': 'kubeadm', '/usr/bin/kubelet': 'kubelet',
    '/usr/bin/containerd': 'runtime', '/usr/bin/containerd-shim-runc-v2': 'shim',
    '/usr/lib/systemd/systemd': 'systemd',
    '/usr/local/bin/kube-apiserver': 'apiserver',
    '/usr/local/bin/kube-controller-manager': 'component',
    '/usr/local/bin/kube-scheduler': 'component',
}
FOLDERS = ['/etc/kubernetes/manifests', '/etc/kubernetes/tmp', '/etc/kubernetes/pki/etcd',
           '/etc/planeguard/policy.d', '/etc/planeguard/playbooks.d', '/var/lib/kubelet/pki',
           '/var/lib/containerd', '/var/lib/planeguard', '/var/log/pods', '/var/log/planeguard',
           '/run/containerd', '/run/faults', '/run/saved', '/run/planeguard', '/run/proc',
           '/usr/bin', '/usr/local/bin', '/usr/lib/systemd', '/tmp']
SOCKET_PATH_MAX = 107


def free_ports(names):
    """Ports of loopback below the kernel's ephemeral range, so that no client takes them."""
    chosen = {}
    while len(chosen) < len(names):
        port = random.SystemRandom().randrange(12000, 32000)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(('127.0.0.1', port))
            except OSError:
                continue
        if port not in chosen.values():
            chosen[names[len(chosen)]] = port
    return chosen


def launcher(module, folder):
    return f'''#!/usr/bin/python3 -SE
import sys
sys.pycache_prefix = {os.path.join(TOP, 'build/pycache')!r}
sys.path[:1] = [{LIB!r}, '/usr/lib/python3/dist-packages']
import {module}
sys.exit({module}.main({folder!r}, sys.argv))
'''


def write(folder, path, text, mode=0o644):
    os.makedirs(os.path.dirname(folder + path), exist_ok=True)
    with open(os.open(folder + path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), 'w') as f:
        f.write(text)
    os.chmod(folder + path, mode)


def make_pki(folder, name, server, algorithm):
    base = folder + n.PKI
    for path, common_name in pki.AUTHORITIES.items():
        pki.make_authority(f'{base}/{path}', common_name, algorithm)
    sans = {
        'apiserver': [f'DNS:{d}' for d in ('kubernetes', 'kubernetes.default',
                                           'kubernetes.default.svc',
                                           'kubernetes.default.svc.cluster.local', name)]
                     + ['IP:10.96.0.1', 'IP:127.0.0.1'],
        'etcd-server': ['DNS:localhost', f'DNS:{name}', 'IP:127.0.0.1', 'IP:0:0:0:0:0:0:0:1'],
    }
    sans['etcd-peer'] = sans['etcd-server']
    for leaf, (file, authority, subject, usages) in pki.LEAVES.items():
        subject = [(k, v.format(node=name)) for k, v in subject]
        pki.put_pair(f'{base}/{file}', *pki.issue(f'{base}/{authority}', subject, usages,
                                                  sans.get(leaf, ()), algorithm=algorithm))
    pki.service_account_keys(f'{base}/sa', algorithm)
    make_kubeconfigs(folder, name, server, algorithm)


def make_kubeconfigs(folder, name, server, algorithm):
    base = folder + n.PKI
    with open(f'{base}/ca.crt') as f:
        ca_text = f.read()
    for file, subject in pki.KUBECONFIGS.items():
        certificate, key = pki.issue(f'{base}/ca', subject, ['clientAuth'], algorithm=algorithm)
        write(folder, f'/etc/kubernetes/{file}',
              pki.kubeconfig(dict(subject)['CN'], server, ca_text, certificate, key), 0o600)
    certificate, key = pki.issue(f'{base}/ca', [('O', 'system:nodes'), ('CN', f'system:node:{name}')],
                                 ['clientAuth'], algorithm=algorithm)
    write(folder, '/var/lib/kubelet/pki/kubelet-client-2026-01-01-00-00-00.pem', certificate + key,
          0o600)
    os.symlink('kubelet-client-2026-01-01-00-00-00.pem', folder + n.KUBELET_CLIENT)
    write(folder, '/etc/kubernetes/kubelet.conf',
          pki.kubelet_kubeconfig(f'system:node:{name}', server, ca_text, n.KUBELET_CLIENT), 0o600)
    # what the controller manager and the scheduler serve with: in memory on a real node
    os.makedirs(folder + '/run/self-signed')
    pki.make_authority(folder + '/run/self-signed/serving', 'localhost', 'ECDSA-P256')


def node_yaml(folder, name, scale):
    """What planeguard may know of this node (agent/config/node.h)."""
    crictl = [folder + '/usr/bin/crictl', '--runtime-endpoint',
              f'unix://{folder}{n.RUNTIME_SOCKET}', '--timeout', '10s']
    kubeadm = [folder + '/usr/bin/kubeadm', '--rootfs', folder]
    check_ms = max(int(20000 / scale), 50)
    return f'''# This node's parts: below another root than / planeguard knows of nothing else.
apiVersion: planeguard/v1
kind: Node
metadata: {{name: {name}}}
spec:
  name: {name}
  bus: unix:path={folder}{n.BUS_SOCKET}
  crictl: {json.dumps(crictl)}
  kubeadm: {json.dumps(kubeadm)}
  proc: {folder}{n.PROC}
  manifests: {n.MANIFESTS}
  stage: /etc/kubernetes/.planeguard
  podLogs: {n.POD_LOGS}
  kubeletCheck: {check_ms}ms
'''


def create(folder, scale=1.0, name='master-1', algorithm='RSA-2048'):
    folder = os.path.realpath(folder)
    if os.path.exists(folder) and os.listdir(folder):
        sys.exit(f'master: {folder} is not empty')
    if len(folder + n.RUNTIME_SOCKET) > SOCKET_PATH_MAX:
        sys.exit(f'master: {folder} is too long a path for the sockets below it')
    if not os.access(ETCD, os.X_OK):
        sys.exit(f'master: no {ETCD}: run tests/master/fetch-etcd first')
    for path in FOLDERS:
        os.makedirs(folder + path, exist_ok=True)
    os.makedirs(folder + '/var/lib/etcd', mode=0o700)
    ports = free_ports(list(n.STANDARD_PORTS))
    make_pki(folder, name, f"https://127.0.0.1:{ports['apiserver']}", algorithm)
    for pod, writer in manifests.WRITERS.items():
        write(folder, f'{n.MANIFESTS}/{pod}.yaml', writer(name, ports), 0o600)
    write(folder, n.KUBELET_CONFIG, manifests.KUBELET_CONFIGURATION.format(
        healthz=ports['kubelet-healthz'], kubelet=ports['kubelet']))
    write(folder, '/etc/kubernetes/kubeadm-config.yaml', manifests.KUBEADM_CONFIGURATION.format(
        apiserver=ports['apiserver'], name=name, version=manifests.KUBERNETES_VERSION))
    for path, module in PROGRAMS.items():
        write(folder, path, launcher(module, folder), 0o755)
    write(folder, '/etc/planeguard/node.yaml', node_yaml(folder, name, scale))
    write(folder, '/run/master.json', json.dumps({
        'name': name, 'scale': scale, 'ports': ports, 'etcd': ETCD, 'algorithm': algorithm,
        'images': [manifests.image(p) for p in manifests.PODS]}, indent=1))
