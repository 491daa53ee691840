"""Starting, stopping and looking at a master, for the command line and the tests."""
import http.client
import os
import signal
import ssl
import subprocess

import cri
import process
from node import MARK, RUNTIME_SOCKET, Node, read_text

START_SEC, STOP_SEC = 15, 15


def supervisor(node):
    """The pid of the node's first process, or 0."""
    pid = int(read_text(node.path('/run/systemd.pid'), '0') or 0)
    try:
        with open(f'/proc/{pid}/environ', 'rb') as f:
            ours = f'{MARK}={node.dir}'.encode() in f.read().split(b'\0')
    except OSError:
        return 0
    return pid if ours and process.is_alive(pid) else 0


def start(node, tied_to=0):
    if supervisor(node):
        raise RuntimeError(f'{node.dir} is running')
    read, write = os.pipe()
    os.set_inheritable(write, True)
    launcher = node.path('/usr/lib/systemd/systemd')
    with open(node.path('/var/log/systemd.log'), 'ab') as log:
        # without site there is no dist-packages for gi: the launcher names it
        subprocess.Popen(
            process.python('/usr/lib/systemd/systemd', launcher, '--ready', str(write), '--tied',
                           str(tied_to)),
            executable='/usr/bin/python3', pass_fds=[write], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True, cwd='/', env={**os.environ, MARK: node.dir})
    os.close(write)
    with os.fdopen(read) as f:
        if f.readline() != 'ready\n':
            raise RuntimeError('the node does not start:\n'
                               + read_text(node.path('/var/log/systemd.log'), ''))


def stop(node):
    """Everything gone when it returns; True unless something had to be left."""
    pid = supervisor(node)
    if pid:
        process.kill(pid, signal.SIGTERM)
        process.kill(pid, signal.SIGCONT)
        if not process.wait_until(lambda: not process.is_alive(pid), STOP_SEC):
            process.kill(pid)
    def rest():
        left = process.marked(node.dir)
        for p in left:
            process.kill(p)
        return not left
    return process.wait_until(rest, STOP_SEC)


def get(node, part, path, timeout=1.0):
    """(status, body) of a part's own address; (0, why) when there is no answer."""
    secure = part in ('apiserver', 'controller-manager', 'scheduler')
    address = '127.0.0.1', node.ports[part]
    if secure:
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(*address, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request('GET', path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors='replace')
    except TimeoutError:
        return 0, 'timeout'
    except ConnectionRefusedError:
        return 0, 'refused'
    except (OSError, http.client.HTTPException) as e:
        return 0, str(e) or type(e).__name__
    finally:
        connection.close()


def containers(node):
    return cri.call(node.path(RUNTIME_SOCKET), 'ListContainers', 5)


def newest(node, name):
    """The newest container of that name, or None."""
    return next((c for c in containers(node) if c['metadata']['name'] == name), None)


def pid_of(node, name):
    c = newest(node, name)
    return c['pid'] if c else 0


def unit(node, verb, *arguments):
    """A call of the node's systemd. Returns what dbus gives."""
    import dbus
    bus = dbus.bus.BusConnection(f"unix:path={node.path('/run/bus')}")
    try:
        manager = dbus.Interface(bus.get_object('org.freedesktop.systemd1',
                                                '/org/freedesktop/systemd1'),
                                 'org.freedesktop.systemd1.Manager')
        return getattr(manager, verb)(*arguments)
    finally:
        bus.close()


def unit_properties(node, name):
    import dbus
    bus = dbus.bus.BusConnection(f"unix:path={node.path('/run/bus')}")
    try:
        path = bus.call_blocking('org.freedesktop.systemd1', '/org/freedesktop/systemd1',
                                 'org.freedesktop.systemd1.Manager', 'LoadUnit', 's', [name])
        values = {}
        for interface in ('Unit', 'Service'):
            values.update(bus.call_blocking(
                'org.freedesktop.systemd1', path, 'org.freedesktop.DBus.Properties', 'GetAll', 's',
                [f'org.freedesktop.systemd1.{interface}']))
        return {str(k): v for k, v in values.items()}
    finally:
        bus.close()


def trouble(node):
    """What keeps the node from being healthy: one line each."""
    found = []
    status, body = get(node, 'apiserver', '/readyz')
    if status != 200:
        bad = [line for line in body.splitlines() if line.startswith('[-]')]
        found.append(f"API server: {status or ''} {', '.join(bad) or body.strip()[:80]}".replace(':  ', ': '))
    status, body = get(node, 'etcd-metrics', '/health')
    if status != 200 or '"true"' not in body:
        found.append(f'etcd: {status or ""} {body.strip()[:80]}'.replace(':  ', ': '))
    for part in ('kubelet-healthz', 'controller-manager', 'scheduler'):
        status, body = get(node, part, '/healthz')
        if status != 200:
            found.append(f'{part}: {status or ""} {body.strip()[:80]}'.replace(':  ', ': '))
    try:
        running = [c['metadata']['name'] for c in containers(node) if c['state'] == 'CONTAINER_RUNNING']
        for name in sorted(set(running)):
            if running.count(name) > 1:
                found.append(f'{running.count(name)} containers {name} are running')
    except cri.CriError as e:
        found.append(f'runtime: {e}')
    return found


def wait_healthy(node, seconds):
    return process.wait_until(lambda: not trouble(node), seconds, 0.05)


def open_node(folder):
    return Node(os.path.realpath(folder))
