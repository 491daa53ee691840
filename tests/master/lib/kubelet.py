"""The kubelet, as far as static pods go (the words are those of Kubernetes' own source):

  source   the manifests folder: a look at each change and a rescan each fileCheckFrequency
  workers  a thread a pod UID, that makes the runtime show what the manifest says
  probes   a thread a running container, that says when it must be killed
  loop     this file: hands the source's changes to the workers, tidies up, serves /healthz
"""
import http.server
import os
import re
import shutil
import signal
import ssl
import threading
import time
import http.client

import yaml

import cri
import pki
import process
from kubelet_pod import Worker
from kubelet_source import Source
from node import (KUBELET_CLIENT, KUBELET_CONFIG, POD_LOGS, RUNTIME_SOCKET, Node, klog, read_text)

HOUSEKEEPING_SEC, GARBAGE_SEC, RELIST_SEC, PLEG_DEAD_SEC = 2, 60, 1, 180
API_POLL_SEC, API_TIMEOUT_SEC = 1, 10
CRI_TIMEOUT_SEC = 120
DEFAULT_CHECK_SEC = 20


def seconds(text):
    units = {'h': 3600, 'm': 60, 's': 1, 'ms': 1e-3}
    return sum(float(a) * units[b] for a, b in re.findall(r'([0-9.]+)(ms|h|m|s)', str(text)))


class Kubelet:
    def __init__(self, node):
        self.node = node
        self.configuration = yaml.safe_load(read_text(node.path(KUBELET_CONFIG)))
        self.workers = {}  # by UID
        self.waiting = {}  # UID -> pod: another UID of the same name is still there
        self.backoff = {}  # (UID, container) -> (seconds, when last counted)
        self.sources_ready = False
        self.relisted = time.monotonic()
        check = seconds(self.configuration.get('fileCheckFrequency', f'{DEFAULT_CHECK_SEC}s'))
        self.source = Source(node, self.configuration['staticPodPath'],
                             node.scaled(check or DEFAULT_CHECK_SEC, 0.2))

    def cri(self, method, patience=0.0, **arguments):
        return cri.call(self.node.path(RUNTIME_SOCKET), method, CRI_TIMEOUT_SEC + patience,
                        **arguments)

    # the loop

    def run(self):
        housekept = collected = 0.0
        while True:
            self.source.look()
            now = time.monotonic()
            self.follow(self.source.pods())
            if self.sources_ready and now - housekept >= self.node.scaled(HOUSEKEEPING_SEC, 0.1):
                housekept = now
                self.housekeep()
            if now - collected >= self.node.scaled(GARBAGE_SEC, 1):
                collected = now
                self.collect_garbage()
            time.sleep(min(0.05, self.node.scaled(RELIST_SEC, 0.02)))

    def follow(self, desired):
        """Brings the workers in line with the source: by UID, as the real one does."""
        for uid, pod in desired.items():
            worker = self.workers.get(uid)
            if worker is None or worker.is_done():
                if any(w.full_name == pod.full_name and not w.is_done()
                       for u, w in self.workers.items() if u != uid):
                    continue  # the old one ends first
                self.workers[uid] = Worker(self, pod)
            else:
                worker.wanted(True)
        for uid, worker in self.workers.items():
            if uid in desired or worker.is_done():
                continue
            if self.sources_ready:
                worker.terminate()
            elif worker.wanted(False):
                klog('I', 'kubelet.go:2190', f'"skipping delete because sources aren\'t ready yet" '
                     f'pod="{worker.full_name}"')

    def housekeep(self):
        """Ends what runs and nobody wants: pods of before our start whose manifest has gone."""
        try:
            sandboxes = self.cri('ListPodSandbox')
        except cri.CriError:
            return
        desired = self.source.pods()
        for s in sandboxes:
            uid = s['metadata']['uid']
            if s['state'] == 'SANDBOX_READY' and uid not in desired and uid not in self.workers:
                self.workers[uid] = Worker.of_orphan(self, s)

    def collect_garbage(self):
        """Takes away what ended pods left, with their logs."""
        desired = self.source.pods()
        try:
            for s in self.cri('ListPodSandbox'):
                uid, worker = s['metadata']['uid'], self.workers.get(s['metadata']['uid'])
                if uid in desired or s['state'] == 'SANDBOX_READY' or worker and not worker.is_done():
                    continue
                self.cri('RemovePodSandbox', id=s['id'])
                m = s['metadata']
                shutil.rmtree(self.node.path(f"{POD_LOGS}/{m['namespace']}_{m['name']}_{uid}"),
                              ignore_errors=True)
                self.workers.pop(uid, None)
        except cri.CriError:
            pass

    # beside the loop

    def watch_runtime(self):
        while True:
            try:
                cri.call(self.node.path(RUNTIME_SOCKET), 'ListPodSandbox', 10)
                self.relisted = time.monotonic()
            except cri.CriError:
                pass
            time.sleep(self.node.scaled(RELIST_SEC, 0.1))

    def is_pleg_dead(self):
        return time.monotonic() - self.relisted > self.node.scaled(PLEG_DEAD_SEC, 3)

    def watch_api(self):
        """The API source is ready once it was reached; and the client certificate's end."""
        while True:
            answer = self.ask_api()
            if answer == 200 and not self.sources_ready:
                self.sources_ready = True
                klog('I', 'config.go:105', '"All sources are ready"')
            if answer and pki.has_expired(self.node.path(KUBELET_CLIENT)):
                klog('E', 'transport.go:123', '"The currently active client certificate has expired '
                     'and the server is responsive, exiting."')
                os._exit(1)
            time.sleep(self.node.scaled(API_POLL_SEC, 0.1))

    def ask_api(self):
        """The status of an answer, or 0."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            context.load_cert_chain(self.node.path(KUBELET_CLIENT))
            server = pki.kubeconfig_field(read_text(self.node.path('/etc/kubernetes/kubelet.conf')),
                                          'server').removeprefix('https://')
            connection = http.client.HTTPSConnection(
                server, timeout=self.node.scaled(API_TIMEOUT_SEC, 0.5), context=context)
            connection.request('GET', f'/api/v1/nodes/{self.node.name}')
            status = connection.getresponse().status
            connection.close()
            return status
        except (OSError, http.client.HTTPException, pki.PkiError, TypeError):
            return 0


def serve_healthz(kubelet, port):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_GET(self):
            if self.path.partition('?')[0] not in ('/healthz', '/healthz/syncloop'):
                status, body = 404, '404 page not found\n'
            elif kubelet.is_pleg_dead():
                status, body = 500, ('[+]ping ok\n[+]log ok\n[-]syncloop failed: reason withheld\n'
                                     'healthz check failed\n')
            else:
                status, body = 200, 'ok'
            self.send_response(status)
            self.send_header('Content-Type', 'text/plain; charset=utf-8')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()


def check_client_certificate(node):
    """What a start with an expired certificate comes to: it never comes up."""
    try:
        path = node.path(KUBELET_CLIENT)
        if not pki.has_expired(path):
            return
        end = time.strftime('%Y-%m-%d %H:%M:%S +0000 UTC', time.gmtime(pki.expires_at(path)))
        klog('E', 'bootstrap.go:266', 'part of the existing bootstrap client certificate in '
             f'/etc/kubernetes/kubelet.conf is expired: {end}')
    except OSError:
        pass
    bootstrap = '/etc/kubernetes/bootstrap-kubelet.conf'
    klog('E', 'run.go:74', '"command failed" err="failed to run Kubelet: unable to load bootstrap '
         f'kubeconfig: stat {bootstrap}: no such file or directory"')
    os._exit(1)


def main(folder, argv):
    process.become(['/usr/bin/kubelet', *argv[1:]])
    node = Node(folder)
    check_client_certificate(node)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    klog('I', 'server.go:467', f'"Kubelet version" kubeletVersion="v1.32.4" node="{node.name}"')
    kubelet = Kubelet(node)
    serve_healthz(kubelet, kubelet.configuration['healthzPort'])
    for target in (kubelet.watch_api, kubelet.watch_runtime):
        threading.Thread(target=target, daemon=True).start()
    kubelet.run()
