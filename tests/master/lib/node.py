"""The node in a folder: its paths, its ports, its clock.

DIR/run/master.json describes it; everything a stand-in knows comes from there. The stand-ins
name files as the node sees them ("/etc/kubernetes/..."), `Node.path` says where they are.
"""
import json
import os
import sys
import time

# What kubeadm's defaults are, and so what documents written for a real node name.
STANDARD_PORTS = {
    'apiserver': 6443,
    'etcd-client': 2379,
    'etcd-peer': 2380,
    'etcd-metrics': 2381,
    'kubelet-healthz': 10248,
    'kubelet': 10250,
    'controller-manager': 10257,
    'scheduler': 10259,
}
MANIFESTS = '/etc/kubernetes/manifests'
PKI = '/etc/kubernetes/pki'
KUBELET_CONFIG = '/var/lib/kubelet/config.yaml'
KUBELET_CLIENT = '/var/lib/kubelet/pki/kubelet-client-current.pem'
POD_LOGS = '/var/log/pods'
FAULTS = '/run/faults'
PROC = '/run/proc'
RUNTIME_STATE = '/var/lib/containerd'
RUNTIME_SOCKET = '/run/containerd/containerd.sock'
BUS_SOCKET = '/run/bus'
MARK = 'PLANEGUARD_MASTER'  # in the environment of every process of a master


class Node:
    def __init__(self, folder):
        self.dir = os.path.abspath(folder)
        with open(self.path('/run/master.json')) as f:
            description = json.load(f)
        self.name = description['name']
        self.scale = description['scale']
        self.ports = description['ports']
        self.etcd = description['etcd']
        self.images = description['images']

    def path(self, path):
        return self.dir + path

    def scaled(self, seconds, floor=0.0):
        """Kubernetes' `seconds` in this node's time."""
        return max(seconds / self.scale, floor)

    def server(self):
        return f"https://127.0.0.1:{self.ports['apiserver']}"


def write_atomically(path, text, mode=0o644):
    temporary = f'{path}.{os.getpid()}.tmp'
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), 'w') as f:
        f.write(text)
    os.replace(temporary, path)


def read_text(path, otherwise=None):
    try:
        with open(path, errors='replace') as f:
            return f.read()
    except OSError:
        return otherwise


def timestamp(nanoseconds=None):
    """RFC 3339 with nanoseconds, as the runtime writes it."""
    if nanoseconds is None:
        nanoseconds = time.time_ns()
    seconds, rest = divmod(nanoseconds, 10**9)
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds)) + f'.{rest:09d}Z'


def klog(severity, place, text):
    """One line as klog writes it, to standard error."""
    now = time.time()
    stamp = time.strftime('%m%d %H:%M:%S', time.gmtime(now)) + f'.{int(now % 1 * 1e6):06d}'
    sys.stderr.write(f'{severity}{stamp}       1 {place}] {text}\n')
    sys.stderr.flush()
