"""The node's PKI, by openssl, as kubeadm lays it out. Paths are host paths."""
import base64
import os
import ssl
import subprocess
import tempfile
import time

YEAR_DAYS, CA_DAYS = 365, 3650
CONFIGURATION = '[req]\ndistinguished_name = name\n[name]\n'  # the host's openssl.cnf is not asked

# name, file below pki/, CA, subject, usages; `None` for SANs that depend on the node
LEAVES = {
    'apiserver': ('apiserver', 'ca', [('CN', 'kube-apiserver')], ['serverAuth']),
    'apiserver-kubelet-client': ('apiserver-kubelet-client', 'ca',
                                 [('O', 'kubeadm:cluster-admins'),
                                  ('CN', 'kube-apiserver-kubelet-client')], ['clientAuth']),
    'apiserver-etcd-client': ('apiserver-etcd-client', 'etcd/ca',
                              [('CN', 'kube-apiserver-etcd-client')], ['clientAuth']),
    'front-proxy-client': ('front-proxy-client', 'front-proxy-ca', [('CN', 'front-proxy-client')],
                           ['clientAuth']),
    'etcd-server': ('etcd/server', 'etcd/ca', [('CN', '{node}')], ['serverAuth', 'clientAuth']),
    'etcd-peer': ('etcd/peer', 'etcd/ca', [('CN', '{node}')], ['serverAuth', 'clientAuth']),
    'etcd-healthcheck-client': ('etcd/healthcheck-client', 'etcd/ca',
                                [('CN', 'kube-etcd-healthcheck-client')], ['clientAuth']),
}
AUTHORITIES = {'ca': 'kubernetes', 'etcd/ca': 'etcd-ca', 'front-proxy-ca': 'front-proxy-ca'}
# file below /etc/kubernetes, subject
KUBECONFIGS = {
    'admin.conf': [('O', 'kubeadm:cluster-admins'), ('CN', 'kubernetes-admin')],
    'super-admin.conf': [('O', 'system:masters'), ('CN', 'kubernetes-super-admin')],
    'controller-manager.conf': [('CN', 'system:kube-controller-manager')],
    'scheduler.conf': [('CN', 'system:kube-scheduler')],
}


class PkiError(Exception):
    pass


def openssl(*arguments, text=None):
    done = subprocess.run(['/usr/bin/openssl', *arguments], input=text, capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise PkiError(f"openssl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def key_arguments(algorithm):
    if algorithm == 'ECDSA-P256':
        return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    return ['-newkey', 'rsa:2048']


def subject_text(subject):
    return ''.join(f'/{k}={v}' for k, v in subject)


def leaf_extensions(usages, sans):
    extensions = ['basicConstraints=critical,CA:FALSE',
                  'keyUsage=critical,digitalSignature,keyEncipherment',
                  'extendedKeyUsage=' + ','.join(usages)]
    return extensions + (['subjectAltName=' + ','.join(sans)] if sans else [])


def make_authority(path, name, algorithm):
    with tempfile.NamedTemporaryFile('w', suffix='.cnf') as f:
        f.write(CONFIGURATION)
        f.flush()
        extensions = ['basicConstraints=critical,CA:TRUE', 'subjectKeyIdentifier=hash',
                      'keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign',
                      f'subjectAltName=DNS:{name}']
        openssl('req', '-config', f.name, '-x509', '-new', *key_arguments(algorithm), '-nodes',
                '-keyout', f'{path}.key', '-out', f'{path}.crt', '-subj', f'/CN={name}', '-days',
                str(CA_DAYS), *[a for e in extensions for a in ('-addext', e)])
    os.chmod(f'{path}.key', 0o600)


def issue(authority, subject, usages, sans=(), days=YEAR_DAYS, algorithm='RSA-2048'):
    """(certificate, key) as PEM text, signed by `authority`.crt; with days < 0 it has expired."""
    with tempfile.TemporaryDirectory() as d:
        with open(f'{d}/cnf', 'w') as f:
            f.write(CONFIGURATION)
        openssl('req', '-config', f'{d}/cnf', '-new', *key_arguments(algorithm), '-nodes',
                '-keyout', f'{d}/key', '-out', f'{d}/csr', '-subj', subject_text(subject),
                *[a for e in leaf_extensions(usages, sans) for a in ('-addext', e)])
        openssl('x509', '-req', '-in', f'{d}/csr', '-CA', f'{authority}.crt', '-CAkey',
                f'{authority}.key', '-days', str(days), '-copy_extensions', 'copyall', '-set_serial',
                '0x' + os.urandom(8).hex(), '-out', f'{d}/crt')
        with open(f'{d}/crt') as crt, open(f'{d}/key') as key:
            return crt.read(), key.read()


def put(path, text, mode):
    """In place, as kubeadm does: not atomic."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), 'w') as f:
        f.write(text)


def put_pair(path, certificate, key):
    """The key first, then the certificate."""
    put(f'{path}.key', key, 0o600)
    put(f'{path}.crt', certificate, 0o644)


def service_account_keys(path, algorithm):
    if algorithm == 'ECDSA-P256':
        openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', f'{path}.key')
    else:
        openssl('genrsa', '-out', f'{path}.key', '2048')
    openssl('pkey', '-in', f'{path}.key', '-pubout', '-out', f'{path}.pub')
    os.chmod(f'{path}.key', 0o600)


def kubeconfig(user, server, ca_text, certificate, key):
    def encoded(text):
        return base64.b64encode(text.encode()).decode()

    return f'''apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {encoded(ca_text)}
    server: {server}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: {user}
  name: {user}@kubernetes
current-context: {user}@kubernetes
kind: Config
preferences: {{}}
users:
- name: {user}
  user:
    client-certificate-data: {encoded(certificate)}
    client-key-data: {encoded(key)}
'''


def kubelet_kubeconfig(user, server, ca_text, pem):
    text = kubeconfig(user, server, ca_text, '', '')
    head = text[:text.index('    client-certificate-data')]
    return head + f'    client-certificate: {pem}\n    client-key: {pem}\n'


def kubeconfig_field(text, name):
    """The value of the one line `name: value`; base64 of the ...-data fields is taken off."""
    for line in text.splitlines():
        key, _, value = line.strip().partition(': ')
        if key == name:
            return base64.b64decode(value).decode() if name.endswith('-data') else value
    raise PkiError(f'no {name} in the kubeconfig')


def decoded(path):
    """subject, notAfter, subjectAltName ... of the first certificate of a PEM file."""
    return ssl._ssl._test_decode_cert(path)


def expires_at(path):
    return ssl.cert_time_to_seconds(decoded(path)['notAfter'])


def decoded_text(text):
    with tempfile.NamedTemporaryFile('w') as f:
        f.write(text)
        f.flush()
        return decoded(f.name)


def has_expired(path):
    return expires_at(path) <= time.time()


def subject_of(certificate):
    short = {'organizationName': 'O', 'commonName': 'CN'}
    return [(short.get(k, k), v) for part in certificate['subject'] for k, v in part]


def sans_of(certificate):
    short = {'IP Address': 'IP'}
    return [f'{short.get(k, k)}:{v}' for k, v in certificate.get('subjectAltName', ())]
