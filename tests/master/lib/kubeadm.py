"""kubeadm: certificates and manifests of the node in the folder that --rootfs names, by openssl.

Exit codes and surprises as the real one's: what is missing or has a CA elsewhere is no error; the
key is written before the certificate, in place; the configuration is asked of the API server
first, then kubeadm's defaults are taken."""
import http.client
import json
import os
import ssl
import sys
import time

import manifests
import node as n
import pki
from component import credentials

API_TIMEOUT_SEC = 10
TEXTS = {
    'admin.conf': 'certificate embedded in the kubeconfig file for the admin to use and for kubeadm itself',
    'apiserver': 'certificate for serving the Kubernetes API',
    'apiserver-etcd-client': 'certificate the apiserver uses to access etcd',
    'apiserver-kubelet-client': 'certificate for the API server to connect to kubelet',
    'controller-manager.conf': 'certificate embedded in the kubeconfig file for the controller manager to use',
    'etcd-healthcheck-client': 'certificate for liveness probes to healthcheck etcd',
    'etcd-peer': 'certificate for etcd nodes to communicate with each other',
    'etcd-server': 'certificate for serving etcd',
    'front-proxy-client': 'certificate for the front proxy client',
    'scheduler.conf': 'certificate embedded in the kubeconfig file for the scheduler manager to use',
    'super-admin.conf': 'certificate embedded in the kubeconfig file for the super-admin',
}
AUTHORITY_NAMES = {'ca': 'ca', 'etcd/ca': 'etcd-ca', 'front-proxy-ca': 'front-proxy-ca'}


class Failed(Exception):
    def __init__(self, text, code=1):
        super().__init__(text)
        self.code = code


class Kubeadm:
    def __init__(self, node, options):
        self.node, self.options = node, options
        self.folder = node.path('/etc/kubernetes')
        self.pki = node.path(options.get('cert-dir', n.PKI))
        self.algorithm = 'RSA-2048'
        text = n.read_text(node.path('/run/master.json'))
        if text:
            self.algorithm = json.loads(text).get('algorithm', self.algorithm)

    # the certificates that it knows

    def authority(self, name):
        return 'ca' if name.endswith('.conf') else pki.LEAVES[name][1]

    def text_of(self, name):
        """The PEM text (a kubeconfig's embedded one), or None."""
        path = f'{self.folder}/{name}' if name.endswith('.conf') else \
            f'{self.pki}/{pki.LEAVES[name][0]}.crt'
        text = n.read_text(path)
        if text is None:
            return None
        try:
            return pki.kubeconfig_field(text, 'client-certificate-data') \
                if name.endswith('.conf') else text
        except (pki.PkiError, ValueError) as e:
            raise Failed(f'unable to load certificate {path}: {e}') from e

    def is_external(self, name):
        path = f'{self.pki}/{self.authority(name)}'
        return os.path.exists(f'{path}.crt') and not os.path.exists(f'{path}.key')

    def certificate(self, name):
        text = self.text_of(name)
        if text is None:
            return None
        try:
            return pki.decoded_text(text)
        except (ssl.SSLError, ValueError) as e:
            raise Failed(f'unable to parse certificate {name}: {e}') from e

    # asking the cluster

    def read_cluster(self, phase):
        print(f'[{phase}] Reading configuration from the "kubeadm-config" ConfigMap in namespace '
              '"kube-system"...')
        if self.options.get('config'):
            return
        try:
            server, context = credentials(n.read_text(f'{self.folder}/admin.conf', ''))
            connection = http.client.HTTPSConnection(
                server, context=context, timeout=self.node.scaled(API_TIMEOUT_SEC, 1))
            connection.request('GET', '/api/v1/namespaces/kube-system/configmaps/kubeadm-config')
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException, pki.PkiError, ValueError):
            pass
        print(f'[{phase}] Error reading configuration from the Cluster. Falling back to default '
              'configuration\n')

    # verbs

    def check_expiration(self):
        rows, authorities = [], []
        if self.options.get('output') != 'json':
            self.read_cluster('check-expiration')
        for name in sorted(TEXTS):
            rows.append((name, self.certificate(name), self.authority(name), self.is_external(name)))
        for path, name in AUTHORITY_NAMES.items():
            present = os.path.exists(f'{self.pki}/{path}.crt')
            authorities.append((name, pki.decoded(f'{self.pki}/{path}.crt') if present else None,
                                not os.path.exists(f'{self.pki}/{path}.key')))
        (self.show_json if self.options.get('output') == 'json' else self.show_table)(rows, authorities)

    def show_json(self, rows, authorities):
        def entry(name, certificate, external):
            if not certificate:
                return {'name': name, 'missing': True, 'expirationDate': None, 'residualTime': 0,
                        'externallyManaged': external}
            end = ssl.cert_time_to_seconds(certificate['notAfter'])
            return {'name': name, 'missing': False, 'residualTime': int(end - time.time()),
                    'expirationDate': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(end)),
                    'externallyManaged': external}

        print(json.dumps({
            'kind': 'CertificateExpirationInfo', 'apiVersion': 'output.kubeadm.k8s.io/v1alpha3',
            'certificates': [{**entry(name, c, external), 'caName': AUTHORITY_NAMES[authority]}
                             for name, c, authority, external in rows],
            'certificateAuthorities': [entry(*a) for a in authorities]}, indent=4))

    def show_table(self, rows, authorities):
        def dates(certificate):
            end = ssl.cert_time_to_seconds(certificate['notAfter'])
            days = int((end - time.time()) // 86400)
            return (time.strftime('%b %d, %Y %H:%M UTC', time.gmtime(end)),
                    '<invalid>' if end <= time.time() else f'{days // 365}y' if days >= 730 else f'{days}d')

        print(f'{"CERTIFICATE":<27}{"EXPIRES":<25}{"RESIDUAL TIME":<16}{"CERTIFICATE AUTHORITY":<24}'
              'EXTERNALLY MANAGED')
        for name, certificate, authority, external in rows:
            if certificate:
                end, rest = dates(certificate)
                print(f'{name:<27}{end:<25}{rest:<16}{AUTHORITY_NAMES[authority]:<24}'
                      f'{"yes" if external else "no"}')
            else:
                print(f'!MISSING! {name}')
        print(f'\n{"CERTIFICATE AUTHORITY":<24}{"EXPIRES":<25}{"RESIDUAL TIME":<16}EXTERNALLY MANAGED')
        for name, certificate, external in authorities:
            if certificate:
                end, rest = dates(certificate)
                print(f'{name:<24}{end:<25}{rest:<16}{"yes" if external else "no"}')
            else:
                print(f'!MISSING! {name}')

    def renew(self, names):
        self.read_cluster('renew')
        for name in names:
            self.renew_one(name)
        if len(names) > 1:
            print('\nDone renewing certificates. You must restart the kube-apiserver, '
                  'kube-controller-manager, kube-scheduler and etcd, so that they can use the new '
                  'certificates.')

    def renew_one(self, name):
        old = self.certificate(name)
        if old is None:
            print(f'MISSING! {TEXTS[name]}')
            return
        if self.is_external(name):
            print(f'Detected external {AUTHORITY_NAMES[self.authority(name)]}, {TEXTS[name]} can\'t be '
                  'renewed')
            return
        usages = ['clientAuth'] if name.endswith('.conf') else pki.LEAVES[name][3]
        try:
            certificate, key = pki.issue(f'{self.pki}/{self.authority(name)}', pki.subject_of(old),
                                         usages, pki.sans_of(old), algorithm=self.algorithm)
        except pki.PkiError as e:
            raise Failed(f'failed to renew certificate {name}: {e}') from e
        if name.endswith('.conf'):
            path = f'{self.folder}/{name}'
            text = n.read_text(path)
            pki.put(path, pki.kubeconfig(dict(pki.subject_of(old))['CN'],
                                         pki.kubeconfig_field(text, 'server'),
                                         n.read_text(f'{self.pki}/ca.crt'), certificate, key), 0o600)
        else:
            pki.put_pair(f'{self.pki}/{pki.LEAVES[name][0]}', certificate, key)
        print(f'{TEXTS[name]} renewed')

    def ports(self):
        """Where --config is given: what it says; else kubeadm's defaults, whatever this node has."""
        if not self.options.get('config'):
            return n.STANDARD_PORTS
        text = n.read_text(self.options['config']) or n.read_text(self.node.path(self.options['config']))
        if text is None:
            raise Failed(f'unable to read config from "{self.options["config"]}": open '
                         f'{self.options["config"]}: no such file or directory')
        return self.node.ports

    def control_plane(self, which):
        writers = {k.removeprefix('kube-'): k for k in manifests.WRITERS if k != 'etcd'}
        names = list(writers.values()) if which == 'all' else [writers.get(which)]
        if None in names:
            raise Failed(f'invalid subcommand "{which}"')
        ports = self.ports()
        for pod in names:
            print(f'[control-plane] Creating static Pod manifest for "{pod}"')
            pki.put(self.node.path(f'{n.MANIFESTS}/{pod}.yaml'),
                    manifests.WRITERS[pod](self.node.name, ports), 0o600)

    def kubeconfig_user(self):
        name = self.options.get('client-name')
        if not name:
            raise Failed('required flag(s) "client-name" not set')
        subject = [('O', o) for o in self.options.get('org', '').split(',') if o] + [('CN', name)]
        certificate, key = pki.issue(f'{self.pki}/ca', subject, ['clientAuth'],
                                     algorithm=self.algorithm)
        print(pki.kubeconfig(name, self.node.server(), n.read_text(f'{self.pki}/ca.crt'),
                             certificate, key), end='')


def split(arguments):
    valued = {'rootfs', 'cert-dir', 'kubeconfig', 'config', 'output', 'org', 'client-name', 'v',
              'validity-period'}
    options, words, i = {}, [], 0
    while i < len(arguments):
        flag, has_value, value = arguments[i].partition('=')
        name = {'-o': 'output', '-v': 'v'}.get(flag, flag.removeprefix('--'))
        if not flag.startswith('-'):
            words.append(arguments[i])
        elif name not in valued:
            raise Failed(f'unknown flag: {flag}')
        else:
            if not has_value:
                i += 1
                if i >= len(arguments):
                    raise Failed(f'flag needs an argument: {flag}')
                value = arguments[i]
            options[name] = value
        i += 1
    return options, words


def run(arguments):
    options, words = split(arguments)
    if words[:1] == ['version']:
        print('v1.32.4')
        return
    if 'rootfs' not in options:
        raise Failed('this stand-in works only on the folder that --rootfs names')
    kubeadm = Kubeadm(n.Node(options['rootfs']), options)
    if words == ['certs', 'check-expiration']:
        kubeadm.check_expiration()
    elif words[:2] == ['certs', 'renew'] and len(words) == 3:
        if words[2] != 'all' and words[2] not in TEXTS:
            raise Failed(f'unknown command "{words[2]}" for "kubeadm certs renew"')
        kubeadm.renew(sorted(TEXTS) if words[2] == 'all' else [words[2]])
    elif words[:3] == ['init', 'phase', 'control-plane'] and len(words) == 4:
        kubeadm.control_plane(words[3])
    elif words == ['kubeconfig', 'user']:
        kubeadm.kubeconfig_user()
    else:
        raise Failed(f"unknown command \"{' '.join(words)}\" for \"kubeadm\"")


def main(_, argv):
    try:
        run(argv[1:])
        return 0
    except Failed as e:
        sys.stdout.flush()
        sys.stderr.write(f'error: {e}\nTo see the stack trace of this error execute with --v=5 or higher\n')
        return e.code
