"""A node's files at one moment, to be compared with those of another: names, kinds, modes, owners,
times of change, bytes. What changes by itself is left out: the agent's own folders, logs, processes
and sockets, the runtime's and etcd's state."""
import hashlib
import os
import stat

LIVELY = ('/run', '/var/log', '/var/lib/planeguard', '/var/lib/containerd', '/var/lib/etcd')


def look_at(path):
    s = os.lstat(path)
    seen = [s.st_mode, s.st_uid, s.st_gid, s.st_mtime_ns]
    if stat.S_ISREG(s.st_mode):
        with open(path, 'rb') as f:
            seen.append(hashlib.sha256(f.read()).hexdigest())
    elif stat.S_ISLNK(s.st_mode):
        seen.append(os.readlink(path))
    return seen


def take(node):
    """{path: what it is}"""
    found = {}
    for folder, folders, names in os.walk(node.dir):
        inside = folder.removeprefix(node.dir)
        folders[:] = [f for f in folders if f'{inside}/{f}' not in LIVELY]
        for name in [*folders, *names]:
            found[f'{inside}/{name}'] = look_at(os.path.join(folder, name))
    return found


def differences(before, now):
    return sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
