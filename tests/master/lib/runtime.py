"""The container runtime ("containerd"): sandboxes and containers as folders below
/var/lib/containerd, a shim for each container, requests as lines of JSON at a socket.

All its state is in those folders, so it can be killed and started again at any time; containers
run on without it. A sandbox is a name with a state: no process stands behind it."""
import json
import os
import secrets
import shutil
import signal
import socketserver
import subprocess
import threading
import time

import process
from node import RUNTIME_SOCKET, RUNTIME_STATE, Node, read_text, timestamp, write_atomically

KILL_WAIT_SEC = 5
START_WAIT_SEC = 5


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def read_json(path):
    text = read_text(path)
    return json.loads(text) if text else None


def below_mounts(argument, mounts, root):
    """What a container's mounts do: the value that names a path below one is that path on the
    host. A real etcd sees its files this way."""
    flag, separator, value = argument.partition('=')
    for mount in mounts:
        inside = mount['containerPath']
        if separator and (value == inside or value.startswith(inside + '/')):
            return flag + '=' + root + mount['hostPath'] + value[len(inside):]
    return argument


class Runtime:
    def __init__(self, node):
        self.node = node
        self.lock = threading.RLock()
        self.sandboxes = node.path(RUNTIME_STATE + '/sandboxes')
        self.containers = node.path(RUNTIME_STATE + '/containers')
        for folder in (self.sandboxes, self.containers):
            os.makedirs(folder, exist_ok=True)

    # looking

    def find(self, folder, prefix, what):
        matches = [i for i in os.listdir(folder) if i.startswith(prefix)] if prefix else []
        if len(matches) != 1:
            raise Refused('NotFound', f'an error occurred when try to find {what} "{prefix}": not found')
        return matches[0]

    def sandbox(self, identity):
        return read_json(f'{self.sandboxes}/{identity}/config.json')

    def list_sandboxes(self):
        found = [self.sandbox(i) for i in os.listdir(self.sandboxes)]
        return sorted((s for s in found if s), key=lambda s: -s['createdAt'])

    def container(self, identity):
        folder = f'{self.containers}/{identity}'
        c = read_json(f'{folder}/config.json')
        if not c:
            return None
        started, exited = read_json(f'{folder}/started.json'), read_json(f'{folder}/exited.json')
        c.update(state='CONTAINER_CREATED', pid=0, startedAt=0, finishedAt=0, exitCode=0, reason='',
                 message=c.get('message', ''))
        if started:
            c.update(state='CONTAINER_RUNNING', pid=started['pid'], startedAt=started['at'])
            if not exited and not process.is_alive(started['pid'], started['ticks']) \
                    and not process.is_alive(started['shim']):
                exited = read_json(f'{folder}/exited.json') or {
                    'exitCode': 255, 'reason': 'Unknown', 'at': started['at']}
        if exited:
            c.update(state='CONTAINER_EXITED', pid=0, finishedAt=exited['at'],
                     exitCode=exited['exitCode'], reason=exited['reason'],
                     message=exited.get('message', ''))
        return c

    def list_containers(self):
        found = [self.container(i) for i in os.listdir(self.containers)]
        return sorted((c for c in found if c), key=lambda c: -c['createdAt'])

    # changing

    def run_sandbox(self, metadata, labels, annotations):
        identity = secrets.token_hex(32)
        os.makedirs(f'{self.sandboxes}/{identity}')
        self.put_sandbox({'id': identity, 'metadata': metadata, 'state': 'SANDBOX_READY',
                          'createdAt': time.time_ns(), 'labels': labels, 'annotations': annotations,
                          'runtimeHandler': ''})
        return identity

    def put_sandbox(self, sandbox):
        write_atomically(f"{self.sandboxes}/{sandbox['id']}/config.json", json.dumps(sandbox))

    def create_container(self, sandbox, metadata, image, command, mounts, labels, annotations,
                         log_path):
        if image not in self.node.images:
            raise Refused('NotFound', f'failed to resolve reference "{image}": not found')
        identity = secrets.token_hex(32)
        os.makedirs(f'{self.containers}/{identity}')
        os.makedirs(os.path.dirname(self.node.path(log_path)), exist_ok=True)
        write_atomically(f'{self.containers}/{identity}/config.json', json.dumps({
            'id': identity, 'podSandboxId': sandbox, 'metadata': metadata,
            'image': {'image': image, 'annotations': {}, 'userSpecifiedImage': image},
            'imageRef': image, 'createdAt': time.time_ns(), 'labels': labels,
            'annotations': annotations, 'mounts': mounts, 'logPath': log_path, 'command': command,
            **self.program(command, mounts)}))
        return identity

    def program(self, command, mounts):
        name = os.path.basename(command[0]) if command else ''
        if name == 'etcd':
            return {'executable': self.node.etcd,
                    'argv': [command[0], *(below_mounts(a, mounts, self.node.dir)
                                           for a in command[1:])]}
        stand_in = self.node.path(f'/usr/local/bin/{name}')
        if name and os.path.exists(stand_in):
            return {'executable': '/usr/bin/python3',
                    'argv': process.python(command[0], stand_in, *command[1:])}
        return {'executable': None, 'argv': command}

    def start_container(self, identity):
        folder = f'{self.containers}/{identity}'
        c = read_json(f'{folder}/config.json')
        if not c:
            raise Refused('NotFound', f'container "{identity}": not found')
        if not c['executable']:
            message = ('failed to create containerd task: failed to create shim task: OCI runtime '
                       'create failed: runc create failed: unable to start container process: exec: '
                       f'"{c["argv"][0] if c["argv"] else ""}": executable file not found in $PATH')
            open(self.node.path(c['logPath']), 'a').close()
            write_atomically(f'{folder}/exited.json', json.dumps({
                'exitCode': 128, 'reason': 'StartError', 'message': message, 'at': time.time_ns()}))
            raise Refused('Unknown', message)
        subprocess.run(process.python('containerd-shim-runc-v2',
                                      self.node.path('/usr/bin/containerd-shim-runc-v2'),
                                      '-namespace', 'k8s.io', '-id', folder),
                       executable='/usr/bin/python3', stdin=subprocess.DEVNULL, check=True)
        if not process.wait_until(lambda: os.path.exists(f'{folder}/started.json'), START_WAIT_SEC,
                                  0.005):
            raise Refused('Unknown', 'the shim did not start the container')

    def stop_container(self, identity, timeout):
        end = time.monotonic() + timeout
        c = self.container(identity)
        if c and c['state'] == 'CONTAINER_RUNNING' and timeout > 0:
            process.kill(c['pid'], signal.SIGTERM)
            process.wait_until(lambda: self.has_ended(identity), end - time.monotonic())
        c = self.container(identity)
        if c and c['state'] == 'CONTAINER_RUNNING':
            process.kill(c['pid'], signal.SIGKILL)
            if not process.wait_until(lambda: self.has_ended(identity), KILL_WAIT_SEC, 0.005):
                raise Refused('DeadlineExceeded', f'an error occurs during waiting for container '
                              f'"{identity}" to be killed')

    def has_ended(self, identity):
        c = self.container(identity)
        return not c or c['state'] != 'CONTAINER_RUNNING'

    def remove_container(self, identity):
        self.stop_container(identity, 0)
        # renamed first: half a container must never be seen
        doomed = f'{self.node.path(RUNTIME_STATE)}/doomed-{identity}'
        os.rename(f'{self.containers}/{identity}', doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def stop_sandbox(self, identity):
        for c in self.list_containers():
            if c['podSandboxId'] == identity:
                self.stop_container(c['id'], 0)
        with self.lock:
            sandbox = self.sandbox(identity)
            if sandbox:
                self.put_sandbox({**sandbox, 'state': 'SANDBOX_NOTREADY'})

    def remove_sandbox(self, identity):
        self.stop_sandbox(identity)
        for c in self.list_containers():
            if c['podSandboxId'] == identity:
                self.remove_container(c['id'])
        shutil.rmtree(f'{self.sandboxes}/{identity}', ignore_errors=True)

    # requests

    def answer(self, request):
        method = request.pop('method')
        if method == 'Version':
            return {'version': '0.1.0', 'runtimeName': 'containerd', 'runtimeVersion': 'v1.7.24',
                    'runtimeApiVersion': 'v1'}
        if method == 'Status':
            return {'conditions': [{'type': t, 'status': True, 'reason': '', 'message': ''}
                                   for t in ('RuntimeReady', 'NetworkReady')]}
        if method == 'ListPodSandbox':
            return self.list_sandboxes()
        if method == 'ListContainers':
            return self.list_containers()
        if method == 'RunPodSandbox':
            return self.run_sandbox(**request)
        if method == 'CreateContainer':
            return self.create_container(**request)
        return self.answer_for_one(method, request)

    def answer_for_one(self, method, request):
        if 'Sandbox' in method:
            identity = self.find(self.sandboxes, request['id'], 'sandbox')
        else:
            identity = self.find(self.containers, request['id'], 'container')
        if method == 'ContainerStatus':
            return self.container(identity)
        if method == 'PodSandboxStatus':
            return self.sandbox(identity)
        if method == 'StopContainer':
            self.stop_container(identity, request.get('timeout', 0))
        else:
            {'StartContainer': self.start_container, 'RemoveContainer': self.remove_container,
             'StopPodSandbox': self.stop_sandbox,
             'RemovePodSandbox': self.remove_sandbox}[method](identity)
        return identity


class Handler(socketserver.StreamRequestHandler):
    """One request, one answer; what fails otherwise is in the log, and the caller sees the end."""

    def handle(self):
        line = self.rfile.readline()
        if not line:
            return
        try:
            answer = {'result': self.server.runtime.answer(json.loads(line))}
        except Refused as e:
            answer = {'error': {'code': e.code, 'message': str(e)}}
        except FileNotFoundError as e:  # gone between two looks
            answer = {'error': {'code': 'NotFound', 'message': f'not found: {e.filename}'}}
        try:
            self.wfile.write(json.dumps(answer).encode() + b'\n')
        except OSError:
            pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


def main(folder, argv):
    process.become(['/usr/bin/containerd'])
    node = Node(folder)
    path = node.path(RUNTIME_SOCKET)
    if os.path.exists(path):
        os.unlink(path)
    server = Server(path, Handler)
    server.runtime = Runtime(node)
    print(f'time="{timestamp()}" level=info msg="containerd successfully booted"', flush=True)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever(poll_interval=60)
