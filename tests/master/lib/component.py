"""kube-controller-manager and kube-scheduler: a health port, and an end when the API server has been
away for the time of a leader's lease."""
import http.client
import http.server
import os
import signal
import ssl
import sys
import tempfile
import threading
import time

import pki
import process
from node import Node, klog, read_text

RENEW_DEADLINE_SEC, RETRY_SEC = 10, 2


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def setup(self):
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self):
        good = self.path.partition('?')[0] in ('/healthz', '/livez', '/readyz')
        body = b'ok' if good else b'404 page not found\n'
        self.send_response(200 if good else 404)
        self.send_header('Content-Type', 'text/plain; charset=utf-8')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def serve(node, port):
    server = Server(('127.0.0.1', port), Handler)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving = node.path('/run/self-signed/serving')
    server.context.load_cert_chain(f'{serving}.crt', f'{serving}.key')
    threading.Thread(target=server.serve_forever, daemon=True).start()


def credentials(text):
    """(server, TLS context) of a kubeconfig, as it is now: it is never read again."""
    context = ssl.create_default_context(
        cadata=pki.kubeconfig_field(text, 'certificate-authority-data'))
    with tempfile.NamedTemporaryFile('w') as f:
        f.write(pki.kubeconfig_field(text, 'client-certificate-data')
                + pki.kubeconfig_field(text, 'client-key-data'))
        f.flush()
        context.load_cert_chain(f.name)
    return pki.kubeconfig_field(text, 'server').removeprefix('https://'), context


def renew(server, context, path, timeout):
    connection = http.client.HTTPSConnection(server, timeout=timeout, context=context)
    try:
        connection.request('GET', path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(folder, argv):
    name = os.path.basename(argv[0])
    process.become([name, *argv[1:]])
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    node = Node(folder)
    flags = dict(a.removeprefix('--').split('=', 1) for a in argv[1:] if '=' in a)
    try:
        server, context = credentials(read_text(node.path(flags['kubeconfig']), ''))
    except (pki.PkiError, ssl.SSLError, ValueError) as e:
        klog('E', 'run.go:72', f'"command failed" err="invalid configuration: {e}"')
        return 1
    try:
        serve(node, int(flags['secure-port']))
    except OSError:
        klog('E', 'run.go:72', '"command failed" err="failed to create listener: failed to listen on '
             f'127.0.0.1:{flags["secure-port"]}: bind: address already in use"')
        return 1
    lease = f'/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{name}'
    deadline, retry = node.scaled(RENEW_DEADLINE_SEC, 1.5), node.scaled(RETRY_SEC, 0.2)
    renewed = time.monotonic()
    while time.monotonic() - renewed < deadline:
        begun = time.monotonic()
        if renew(server, context, lease, max(deadline / 2, 0.5)):
            renewed = begun
        time.sleep(retry)
    klog('E', 'leaderelection.go:436', f'"Failed to update lock: context deadline exceeded" lease="{name}"')
    klog('E', 'run.go:72', '"command failed" err="leader election lost"')
    sys.stderr.flush()
    return 1
