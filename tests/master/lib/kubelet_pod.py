"""One pod of the kubelet: its worker, and the probes of its container."""
import http.client
import os
import ssl
import threading
import time

import cri
from node import POD_LOGS, klog

BACKOFF_FIRST_SEC, BACKOFF_MAX_SEC, BACKOFF_FORGET_SEC = 10, 300, 600
SYNC_SEC = 1


class Prober(threading.Thread):
    """Startup probe until it has passed once, then the liveness probe: one look each period (a look
    that took longer is followed by the next at once), `failed` after the threshold."""

    def __init__(self, worker, container):
        super().__init__(daemon=True)
        self.worker, self.id = worker, container['id']
        self.node = worker.kubelet.node
        self.started_at = container['startedAt'] / 1e9
        self.failed = ''
        self.over = threading.Event()
        self.start()

    def run(self):
        spec = self.worker.pod.container
        for name in ('startupProbe', 'livenessProbe'):
            if name in spec and not self.over.is_set() and not self.failed:
                self.probe(name, spec[name])

    def probe(self, name, probe):
        delay = self.node.scaled(probe.get('initialDelaySeconds', 0))
        self.over.wait(max(self.started_at + delay - time.time(), 0))
        period = self.node.scaled(probe.get('periodSeconds', 10), 0.1)
        timeout = self.node.scaled(probe.get('timeoutSeconds', 1), 0.5)
        begin, ticks, failures = time.monotonic(), 0, 0
        while not self.over.is_set():
            if self.ask(probe['httpGet'], timeout):
                failures = 0
                if name == 'startupProbe':
                    return
            else:
                failures += 1
                if failures >= probe.get('failureThreshold', 3):
                    self.failed = name
                    self.worker.wake.set()
                    return
            passed = int((time.monotonic() - begin) / period)
            if passed > ticks:
                ticks = passed
            else:
                ticks += 1
                self.over.wait(max(begin + ticks * period - time.monotonic(), 0))

    def ask(self, get, timeout):
        try:
            if get.get('scheme') == 'HTTPS':
                context = ssl._create_unverified_context()
                c = http.client.HTTPSConnection(get['host'], get['port'], timeout=timeout,
                                                context=context)
            else:
                c = http.client.HTTPConnection(get['host'], get['port'], timeout=timeout)
            c.request('GET', get['path'], headers={'User-Agent': 'kube-probe/1.32'})
            status = c.getresponse().status
            c.close()
            return 200 <= status < 400
        except (OSError, http.client.HTTPException):
            return False


class Worker:
    """A thread that makes the runtime show what its pod's manifest says, until told to end it."""

    def __init__(self, kubelet, pod, uid=None, full_name=None, grace=30):
        self.kubelet, self.pod = kubelet, pod
        self.node = kubelet.node
        self.uid = uid or pod.uid
        self.full_name = full_name or pod.full_name
        self.grace = pod.grace if pod else grace
        self.is_wanted = True
        self.ending = threading.Event()
        self.wake = threading.Event()
        self.prober = None
        self.said = None
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    @staticmethod
    def of_orphan(kubelet, sandbox):
        """For a pod found in the runtime that no manifest gives: only to end it."""
        m = sandbox['metadata']
        klog('I', 'kubelet_pods.go:1102', f'"Clean up containers for orphaned pod" podUID="{m["uid"]}"')
        return Worker(kubelet, None, m['uid'], f"{m['namespace']}/{m['name']}")

    def is_done(self):
        return not self.thread.is_alive()

    def wanted(self, is_wanted):
        """Whether it is still synced; True when that changed."""
        changed, self.is_wanted = self.is_wanted != is_wanted, is_wanted
        return changed

    def terminate(self):
        if not self.ending.is_set():
            klog('I', 'kubelet.go:2206', f'"SyncLoop REMOVE" source="file" pods=["{self.full_name}"]')
        self.ending.set()
        self.wake.set()

    def say(self, text):
        """Says what holds it up, once."""
        if text and text != self.said:
            klog('E', 'pod_workers.go:1301', f'"Error syncing pod, skipping" err="{text}" '
                 f'pod="{self.full_name}" podUID="{self.uid}"')
        self.said = text

    def work(self):
        while self.pod and not self.ending.is_set():
            try:
                if self.is_wanted:
                    self.sync()
            except cri.CriError as e:
                self.say(f'rpc error: code = {e.code} desc = {e}')
            except OSError as e:
                self.say(str(e))
            self.wake.wait(min(self.node.scaled(SYNC_SEC, 0.05), 0.5))
            self.wake.clear()
        self.drop_prober()
        self.finish()

    def finish(self):
        while True:
            try:
                for c in self.containers():
                    if c['state'] == 'CONTAINER_RUNNING':
                        self.stop(c)
                for s in self.sandboxes():
                    if s['state'] == 'SANDBOX_READY':
                        self.kubelet.cri('StopPodSandbox', id=s['id'])
                return
            except cri.CriError as e:
                self.say(f'rpc error: code = {e.code} desc = {e}')
                time.sleep(self.node.scaled(SYNC_SEC, 0.05))

    # what the runtime has of it

    def containers(self):
        return [c for c in self.kubelet.cri('ListContainers')
                if c['labels'].get('io.kubernetes.pod.uid') == self.uid]

    def sandboxes(self):
        return [s for s in self.kubelet.cri('ListPodSandbox') if s['metadata']['uid'] == self.uid]

    def labels(self):
        return {'io.kubernetes.pod.name': self.pod.name, 'io.kubernetes.pod.uid': self.uid,
                'io.kubernetes.pod.namespace': self.pod.namespace}

    def stop(self, container):
        grace = self.node.scaled(self.grace)
        klog('I', 'kuberuntime_container.go:809', f'"Killing container with a grace period" '
             f'pod="{self.full_name}" containerID="containerd://{container["id"]}" '
             f'gracePeriod={self.grace}')
        self.kubelet.cri('StopContainer', patience=grace, id=container['id'], timeout=grace)

    # syncing

    def sync(self):
        blocked = self.mount()
        if blocked:
            self.say(blocked)
            return
        containers = self.containers()
        sandbox = self.sandbox(containers)
        newest = next((c for c in containers if c['podSandboxId'] == sandbox['id']), None)
        if newest and newest['state'] == 'CONTAINER_RUNNING':
            self.watch(newest)
            return
        self.drop_prober()
        if newest and newest['state'] == 'CONTAINER_CREATED':
            self.kubelet.cri('RemoveContainer', id=newest['id'])
            containers.remove(newest)
        self.start_unless_backed_off(sandbox, containers)

    def mount(self):
        """hostPath volumes: checks or makes them; the reason when one can't be had."""
        for name, host_path in self.pod.volumes.items():
            if not host_path:
                continue
            path, kind = self.node.path(host_path['path']), host_path.get('type', '')
            if kind == 'DirectoryOrCreate':
                os.makedirs(path, exist_ok=True)
            elif kind == 'FileOrCreate' and not os.path.exists(path):
                open(path, 'a').close()
            if kind.startswith('File') and not os.path.isfile(path) \
                    or kind.startswith('Directory') and not os.path.isdir(path):
                word = 'file' if kind.startswith('File') else 'directory'
                return (f'MountVolume.SetUp failed for volume \\"{name}\\" : hostPath type check '
                        f'failed: {host_path["path"]} is not a {word}')
        return ''

    def sandbox(self, containers):
        """The pod's ready sandbox, made anew when there is none."""
        sandboxes = self.sandboxes()
        if sandboxes and sandboxes[0]['state'] == 'SANDBOX_READY':
            return sandboxes[0]
        for c in containers:
            if c['state'] == 'CONTAINER_RUNNING':
                self.stop(c)
        attempt = max([s['metadata']['attempt'] + 1 for s in sandboxes], default=0)
        identity = self.kubelet.cri(
            'RunPodSandbox', metadata={'name': self.pod.name, 'uid': self.uid,
                                       'namespace': self.pod.namespace, 'attempt': attempt},
            labels={**self.pod.labels, **self.labels()}, annotations=self.pod.annotations)
        return self.kubelet.cri('PodSandboxStatus', id=identity)

    def watch(self, container):
        self.say(None)
        if not self.prober or self.prober.id != container['id']:
            self.drop_prober()
            self.prober = Prober(self, container)
        elif self.prober.failed:
            word = {'startupProbe': 'startup', 'livenessProbe': 'liveness'}[self.prober.failed]
            klog('I', 'kuberuntime_manager.go:1050', f'"Message for Container of pod" '
                 f'containerName="{self.pod.container["name"]}" containerMessage="Container '
                 f'{self.pod.container["name"]} failed {word} probe, will be restarted"')
            self.drop_prober()
            self.stop(container)
            self.wake.set()

    def drop_prober(self):
        if self.prober:
            self.prober.over.set()
            self.prober = None

    def start_unless_backed_off(self, sandbox, containers):
        name = self.pod.container['name']
        exited, *older = [c for c in containers if c['state'] == 'CONTAINER_EXITED'] or [None]
        for c in older:
            self.kubelet.cri('RemoveContainer', id=c['id'])  # one dead container is kept
        if exited and self.is_backed_off(name, exited['finishedAt'] / 1e9):
            return
        try:
            identity = self.create(sandbox, name, self.attempt(name, containers))
        except cri.CriError as e:
            if e.code != 'NotFound':
                raise
            self.say(f'failed to \\"StartContainer\\" for \\"{name}\\" with ErrImagePull: {e}')
            self.wake.wait(self.node.scaled(BACKOFF_FIRST_SEC, 0.2))  # ImagePullBackOff
            return
        self.kubelet.cri('StartContainer', id=identity)
        klog('I', 'kubelet.go:2440', f'"SyncLoop (PLEG): event for pod" pod="{self.full_name}" '
             f'event={{"Type":"ContainerStarted","Data":"{identity}"}}')
        self.wake.set()

    def is_backed_off(self, name, finished):
        """As client-go's flowcontrol.Backoff: counted when a start follows an exited container."""
        key = (self.uid, name)
        first, most = self.node.scaled(BACKOFF_FIRST_SEC), self.node.scaled(BACKOFF_MAX_SEC)
        pause, counted = self.kubelet.backoff.get(key, (0, 0))
        if pause and finished - counted > self.node.scaled(BACKOFF_FORGET_SEC):
            pause = 0
        if pause and time.time() - finished < pause:
            self.say(f'failed to \\"StartContainer\\" for \\"{name}\\" with CrashLoopBackOff: \\"back-off '
                     f'{round(pause * self.node.scale)}s restarting failed container={name} '
                     f'pod={self.full_name}\\"')
            return True
        self.kubelet.backoff[key] = (min(pause * 2, most) if pause else first, time.time())
        return False

    def log_folder(self, name):
        return f'{POD_LOGS}/{self.pod.namespace}_{self.pod.name}_{self.uid}/{name}'

    def attempt(self, name, containers):
        """One more than the newest container's; where none is left, than the newest log's."""
        if containers:
            return max(c['metadata']['attempt'] for c in containers) + 1
        try:
            logs = os.listdir(self.node.path(self.log_folder(name)))
        except FileNotFoundError:
            return 0
        return max([int(f[:-4]) + 1 for f in logs if f[:-4].isdigit()], default=0)

    def create(self, sandbox, name, attempt):
        spec = self.pod.container
        mounts = [{'containerPath': m['mountPath'], 'hostPath': self.pod.volumes[m['name']]['path'],
                   'readonly': m.get('readOnly', False)} for m in spec.get('volumeMounts') or []
                  if self.pod.volumes.get(m['name'])]
        return self.kubelet.cri(
            'CreateContainer', sandbox=sandbox['id'], metadata={'name': name, 'attempt': attempt},
            image=spec['image'], command=list(spec.get('command') or []) + list(spec.get('args') or []),
            mounts=mounts, labels={**self.labels(), 'io.kubernetes.container.name': name},
            annotations={'io.kubernetes.container.restartCount': str(attempt),
                         'io.kubernetes.pod.terminationGracePeriod': str(self.pod.grace)},
            log_path=f'{self.log_folder(name)}/{attempt}.log')
