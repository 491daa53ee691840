"""kube-apiserver: its flags, its start, its end and its health, with a real certificate on the
wire and a real etcd behind it. It holds no objects."""
import os
import signal
import socketserver
import ssl
import sys
import threading
import time

import process
from apiserver_etcd import Etcd
from apiserver_health import Health
from apiserver_http import Handler
from node import FAULTS, Node, klog, read_text

START_ETCD_SEC, DRAIN_SEC = 20, 60
RELOAD_SEC = 0.1
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: an expired client certificate is a 401
STATIC_FLAGS = '''
advertise-address allow-privileged anonymous-auth api-audiences audit-log-maxage audit-log-maxbackup
audit-log-maxsize audit-log-path audit-policy-file authorization-mode bind-address client-ca-file
cloud-provider default-not-ready-toleration-seconds default-unreachable-toleration-seconds
default-watch-cache-size disable-admission-plugins enable-admission-plugins
enable-aggregator-routing enable-bootstrap-token-auth enable-priority-and-fairness
encryption-provider-config etcd-cafile etcd-certfile etcd-compaction-interval etcd-keyfile
etcd-prefix etcd-servers etcd-servers-overrides event-ttl external-hostname feature-gates goaway-chance
kubelet-certificate-authority kubelet-client-certificate kubelet-client-key
kubelet-preferred-address-types kubelet-timeout livez-grace-period max-mutating-requests-inflight
max-requests-inflight min-request-timeout oidc-client-id oidc-issuer-url profiling
proxy-client-cert-file proxy-client-key-file request-timeout requestheader-allowed-names
requestheader-client-ca-file requestheader-extra-headers-prefix requestheader-group-headers
requestheader-username-headers runtime-config secure-port service-account-issuer
service-account-key-file service-account-lookup service-account-max-token-expiration
service-account-signing-key-file service-cluster-ip-range service-node-port-range
shutdown-delay-duration storage-backend storage-media-type tls-cert-file tls-cipher-suites
tls-min-version tls-private-key-file tls-sni-cert-key token-auth-file tracing-config-file v vmodule
watch-cache watch-cache-sizes'''.split()
INTEGERS = ('secure-port', 'max-requests-inflight', 'max-mutating-requests-inflight',
            'min-request-timeout', 'v', 'default-watch-cache-size')
FILES = ('client-ca-file', 'etcd-cafile', 'etcd-certfile', 'etcd-keyfile',
         'kubelet-client-certificate', 'kubelet-client-key', 'proxy-client-cert-file',
         'proxy-client-key-file', 'requestheader-client-ca-file', 'service-account-key-file',
         'service-account-signing-key-file', 'tls-cert-file', 'tls-private-key-file',
         'audit-policy-file', 'encryption-provider-config', 'token-auth-file')
PLUGINS = '''AlwaysAdmit AlwaysDeny AlwaysPullImages CertificateApproval CertificateSigning
CertificateSubjectRestriction DefaultIngressClass DefaultStorageClass DefaultTolerationSeconds
DenyServiceExternalIPs EventRateLimit ExtendedResourceToleration ImagePolicyWebhook
LimitPodHardAntiAffinityTopology LimitRanger MutatingAdmissionWebhook NamespaceAutoProvision
NamespaceExists NamespaceLifecycle NodeRestriction OwnerReferencesPermissionEnforcement
PersistentVolumeClaimResize PodNodeSelector PodSecurity PodTolerationRestriction Priority
ResourceQuota RuntimeClass ServiceAccount StorageObjectInUseProtection TaintNodesByCondition
ValidatingAdmissionPolicy ValidatingAdmissionWebhook'''.split()
GATES = 'AllAlpha AllBeta ContextualLogging APIServerTracing StorageVersionAPI WatchList'.split()


class Usage(Exception):
    """What cobra says: on standard error, exit 1."""


class Failed(Exception):
    """What run.go logs: "command failed"."""


def parse_flags(arguments):
    flags = {}
    for argument in arguments:
        name, _, value = argument.removeprefix('--').partition('=')
        if name not in STATIC_FLAGS:
            raise Usage(f'unknown flag: --{name}')
        if name in INTEGERS and not value.lstrip('-').isdigit():
            raise Usage(f'invalid argument "{value}" for "--{name}" flag: strconv.ParseInt: parsing '
                        f'"{value}": invalid syntax')
        flags[name] = value
    for gate in filter(None, flags.get('feature-gates', '').split(',')):
        if gate.partition('=')[0] not in GATES:
            raise Usage(f'invalid argument "{gate}" for "--feature-gates" flag: unrecognized feature '
                        f"gate: {gate.partition('=')[0]}")
    for plugin in filter(None, flags.get('enable-admission-plugins', '').split(',')):
        if plugin not in PLUGINS:
            raise Failed(f'enable-admission-plugins plugin "{plugin}" is unknown')
    return flags


def check_files(node, flags):
    for name in FILES:
        path = flags.get(name)
        if not path:
            continue
        if not os.path.exists(node.path(path)):
            raise Failed(f'open {path}: no such file or directory')
        if not os.path.getsize(node.path(path)):
            raise Failed(f'error reading {path}: data does not contain any valid RSA or ECDSA '
                         'certificates' if path.endswith('.crt') else f'failed to load {path}')


class Certificate:
    """The serving certificate: read again when its files change, the old one kept while they make no
    pair."""

    def __init__(self, node, flags):
        self.files = [node.path(flags[f]) for f in ('tls-cert-file', 'tls-private-key-file')]
        self.ca = node.path(flags['client-ca-file'])
        self.names = flags['tls-cert-file'], flags['tls-private-key-file']
        self.seen = self.stamp()
        self.context = self.load()
        threading.Thread(target=self.follow, daemon=True).start()

    def stamp(self):
        try:
            return [(s.st_ino, s.st_mtime_ns, s.st_size) for s in map(os.stat, self.files)]
        except OSError:
            return None

    def load(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(*self.files)
        except ssl.SSLError as e:
            text = 'tls: private key does not match public key' if 'MISMATCH' in str(e) else \
                'tls: failed to find any PEM data in certificate input'
            raise Failed(f'failed to initialize serving cert: unable to load server certificate '
                         f'{self.names[0]}, {self.names[1]}: {text}') from e
        context.load_verify_locations(self.ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags = ssl.VerifyFlags(int(context.verify_flags) | NO_CHECK_TIME)
        return context

    def follow(self):
        while True:
            time.sleep(RELOAD_SEC)
            stamp = self.stamp()
            if stamp and stamp != self.seen:
                self.seen = stamp
                try:
                    self.context = self.load()
                    klog('I', 'tlsconfig.go:181', '"Loaded serving cert" certName="serving-cert::'
                         f'{self.names[0]}::{self.names[1]}"')
                except (Failed, OSError) as e:
                    klog('E', 'dynamic_serving_content.go:161', f'key failed with : {e}')


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, node, flags, etcd):
        self.node, self.flags, self.etcd = node, flags, etcd
        self.certificate = Certificate(node, flags)
        self.is_stopping = False
        port = int(flags['secure-port'])
        try:
            super().__init__(('127.0.0.1', port), Handler)
        except OSError as e:
            raise Failed(f'failed to create listener: failed to listen on 0.0.0.0:{port}: listen tcp '
                         f'0.0.0.0:{port}: bind: address already in use') from e
        self.health = Health(self, time.monotonic())

    def is_hung(self):
        """Told so by a file with our process id: a new process is not hung."""
        text = read_text(self.node.path(FAULTS + '/apiserver-hang'))
        return text is not None and text.strip() == str(os.getpid())

    def wait_while_hung(self):
        while self.is_hung():
            time.sleep(0.02)

    def drain(self):
        """SIGTERM: the port is shut at once, the process lingers for its open requests."""
        self.is_stopping = True
        self.socket.close()
        time.sleep(self.node.scaled(DRAIN_SEC))
        os._exit(0)

    def handle_error(self, request, client_address):
        pass  # a handshake that failed is the client's matter


def stop_on_sigterm(server):
    """In a thread of its own, since a hung one does not even hear SIGTERM."""
    def wait():
        signal.sigwait([signal.SIGTERM])
        server.wait_while_hung()
        klog('I', 'genericapiserver.go:580', '"[graceful-termination] shutdown event" name="ShutdownInitiated"')
        server.drain()

    threading.Thread(target=wait, daemon=True).start()


def run(node, arguments):
    flags = parse_flags(arguments)
    check_files(node, flags)
    klog('I', 'server.go:165', 'Version: v1.32.4')
    etcd = Etcd(node, flags)
    if not etcd.wait(node.scaled(START_ETCD_SEC, 1)):
        raise Failed('context deadline exceeded')
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # in all threads from here on
    server = Server(node, flags, etcd)
    klog('I', 'secure_serving.go:213', f"Serving securely on [::]:{flags['secure-port']}")
    stop_on_sigterm(server)
    try:
        server.serve_forever(poll_interval=3600)
    except (OSError, ValueError):
        pass  # drain() closed the listener
    while True:
        time.sleep(3600)


def main(folder, argv):
    process.become(['kube-apiserver', *argv[1:]])
    try:
        run(Node(folder), argv[1:])
    except Usage as e:
        sys.stderr.write(f'Error: {e}\n')
    except Failed as e:
        text = str(e).replace('"', '\\"')
        klog('E', 'run.go:72', f'"command failed" err="{text}"')
    return 1
