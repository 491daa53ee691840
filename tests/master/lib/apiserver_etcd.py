"""The API server's way to etcd: one connection that is kept, so that it outlives the certificates
it was made with, as gRPC's does."""
import http.client
import ssl
import threading
import time
import urllib.parse

import pki
from node import klog

CHECK_SEC = 2
RETRY_SEC = 1
RANGE = b'{"key": "L3JlZ2lzdHJ5L2hlYWx0aA=="}'  # /registry/health


class Etcd:
    def __init__(self, node, flags):
        self.node, self.flags = node, flags
        self.url = urllib.parse.urlsplit(flags['etcd-servers'].split(',')[0])
        self.lock = threading.Lock()
        self.connection = None
        self.timeout = node.scaled(CHECK_SEC, 0.5)

    def connect(self):
        address = self.url.hostname, self.url.port or 2379
        if self.url.scheme != 'https':
            return http.client.HTTPConnection(*address, timeout=self.timeout)
        context = ssl.create_default_context(
            cafile=self.node.path(self.flags['etcd-cafile']))
        context.load_cert_chain(self.node.path(self.flags['etcd-certfile']),
                                self.node.path(self.flags['etcd-keyfile']))
        return http.client.HTTPSConnection(*address, timeout=self.timeout, context=context)

    def ask(self):
        """A read of one key. Raises what went wrong."""
        fresh = self.connection is None
        if fresh:
            self.connection = self.connect()
        try:
            self.connection.request('POST', '/v3/kv/range', RANGE,
                                    {'Content-Type': 'application/json'})
            answer = self.connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise OSError(f'etcd: status {answer.status}')
        except (OSError, http.client.HTTPException) as e:
            self.connection.close()
            self.connection = None
            if not fresh and not isinstance(e, TimeoutError):
                return self.ask()
            raise
        return True

    def is_healthy(self):
        if not self.lock.acquire(timeout=self.timeout):
            return False
        try:
            return self.ask()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            self.lock.release()

    def wait(self, seconds):
        """At the start: until etcd answers, or not; says why not as gRPC does."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.ask()
            except (OSError, http.client.HTTPException) as e:
                klog('W', 'logging.go:55', '[core] [Channel #1 SubChannel #3]grpc: '
                     'addrConn.createTransport failed to connect to {Addr: "' + self.url.netloc
                     + '", ServerName: "' + self.url.netloc + '", }. Err: connection error: desc = '
                     f'"{self.describe(e)}"')
            if time.monotonic() >= end:
                return False
            time.sleep(min(self.node.scaled(RETRY_SEC, 0.1), max(end - time.monotonic(), 0)))

    def describe(self, error):
        if isinstance(error, ConnectionRefusedError):
            return (f'transport: Error while dialing: dial tcp {self.url.netloc}: connect: '
                    'connection refused')
        text = str(error).lower()
        if 'alert' in text and 'certificate' in text:
            # etcd 3.4's alert says no more than "bad"; today's says which
            word = 'expired' if pki.has_expired(
                self.node.path(self.flags['etcd-certfile'])) else 'bad'
            return f'error reading server preface: remote error: tls: {word} certificate'
        if 'certificate has expired' in text:
            return ('transport: authentication handshake failed: tls: failed to verify certificate: '
                    'x509: certificate has expired or is not yet valid')
        if 'certificate verify failed' in text:
            return ('transport: authentication handshake failed: tls: failed to verify certificate: '
                    'x509: certificate signed by unknown authority')
        if isinstance(error, TimeoutError):
            return (f'transport: Error while dialing: dial tcp {self.url.netloc}: i/o timeout')
        return 'error reading server preface: EOF'
