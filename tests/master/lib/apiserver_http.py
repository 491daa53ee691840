"""The API server's answers: who asks, whether they may, what they get."""
import http.server
import json
import ssl
import time
import urllib.parse

import apiserver_hostile
from node import FAULTS, read_text

HANDSHAKE_SEC, IDLE_SEC = 10, 90
ENDPOINTS = ('livez', 'readyz', 'healthz')
VERSION = {'major': '1', 'minor': '32', 'gitVersion': 'v1.32.4', 'gitTreeState': 'clean',
           'goVersion': 'go1.23.6', 'compiler': 'gc', 'platform': 'linux/amd64'}
METRICS_GROUPS = {'system:masters', 'kubeadm:cluster-admins', 'system:monitoring'}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def setup(self):
        self.server.wait_while_hung()
        self.request.settimeout(HANDSHAKE_SEC)
        self.request = self.server.certificate.context.wrap_socket(self.request, server_side=True)
        self.timeout = IDLE_SEC
        super().setup()

    def finish(self):
        try:
            super().finish()
            self.request.close()
        except OSError:
            pass

    def log_message(self, *_):
        pass

    # who asks

    def identity(self):
        """(user, groups), or None for 401."""
        if self.headers.get('Authorization'):
            return None
        certificate = self.request.getpeercert()
        if not certificate:
            anonymous = self.server.flags.get('anonymous-auth') != 'false'
            return ('system:anonymous', {'system:unauthenticated'}) if anonymous else None
        if ssl.cert_time_to_seconds(certificate['notAfter']) <= time.time():
            return None
        fields = [f for part in certificate['subject'] for f in part]
        user = next((v for k, v in fields if k == 'commonName'), '')
        return user, {v for k, v in fields if k == 'organizationName'} | {'system:authenticated'}

    # what they get

    def do_GET(self):
        self.server.wait_while_hung()
        url = urllib.parse.urlsplit(self.path)
        who = self.identity()
        if who is None:
            self.send_status(401, 'Unauthorized', 'Unauthorized')
            return
        endpoint, _, check = url.path.lstrip('/').partition('/')
        anonymous = 'system:unauthenticated' in who[1]
        privileged = bool(METRICS_GROUPS & who[1])
        if not self.server.health.is_rbac_loaded() and 'system:masters' not in who[1]:
            self.forbid(who[0], url.path)
        elif endpoint in ENDPOINTS and not check:
            query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
            if 'verbose' in query and self.is_hostile():
                return
            self.send_text(*self.server.health.answer(endpoint, 'verbose' in query,
                                                      query.get('exclude', [])))
        elif url.path in ('/version', '/version/'):
            self.send_json(200, VERSION)
        elif anonymous or url.path == '/metrics' and not privileged:
            self.forbid(who[0], url.path)
        elif endpoint in ENDPOINTS:
            self.send_text(*self.server.health.one(endpoint, check))
        elif url.path == '/metrics':
            self.send_text(200, metrics(self.server))
        else:
            self.send_object(url.path)

    do_HEAD = do_GET

    def is_hostile(self):
        """Told so by a file: answers as that says."""
        way = read_text(self.server.node.path(FAULTS + '/apiserver-hostile'))
        if way is None:
            return False
        self.close_connection = True
        try:
            apiserver_hostile.WAYS[way](self.wfile.write)
        except OSError:
            pass  # who asked has had enough
        return True

    def send_object(self, path):
        if self.server.health.is_starting() or not self.server.etcd.is_healthy():
            self.send_status(500, 'InternalError', 'etcdserver: request timed out')
        else:
            self.send_json(200, {'kind': 'Object', 'apiVersion': 'v1',
                                 'metadata': {'name': path.rsplit('/', 1)[-1]}})

    def forbid(self, user, path):
        self.send_status(403, 'Forbidden', f'forbidden: User "{user}" cannot get path "{path}"')

    def send_status(self, code, reason, message):
        self.send_json(code, {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {},
                              'status': 'Failure', 'message': message, 'reason': reason,
                              'code': code})

    def send_json(self, status, value):
        self.send_bytes(status, 'application/json', json.dumps(value).encode())

    def send_text(self, status, text):
        self.send_bytes(status, 'text/plain; charset=utf-8', text.encode())

    def send_bytes(self, status, kind, body):
        self.server.wait_while_hung()
        try:
            self.send_response(status)
            self.send_header('Content-Type', kind)
            self.send_header('X-Content-Type-Options', 'nosniff')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            if self.command != 'HEAD':
                self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def version_string(self):
        return 'kube-apiserver'


def metrics(server):
    buckets = ''.join(f'apiserver_request_duration_seconds_bucket{{verb="GET",le="{le}"}} 100\n'
                      for le in ('0.005', '0.1', '1', '+Inf'))
    return f'''# TYPE apiserver_current_inflight_requests gauge
apiserver_current_inflight_requests{{request_kind="mutating"}} 0
apiserver_current_inflight_requests{{request_kind="readOnly"}} 1
# TYPE apiserver_request_duration_seconds histogram
{buckets}apiserver_request_duration_seconds_sum{{verb="GET"}} 0.3
apiserver_request_duration_seconds_count{{verb="GET"}} 100
# TYPE apiserver_request_total counter
apiserver_request_total{{code="200",verb="GET"}} 100
# TYPE process_start_time_seconds gauge
process_start_time_seconds {time.time() - (time.monotonic() - server.health.begun):.2f}
'''
