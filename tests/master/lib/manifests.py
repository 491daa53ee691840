"""The static pods' manifests, in the form kubeadm writes them: keys sorted, flags sorted."""

ETCD_VERSION, KUBERNETES_VERSION = '3.4.23-0', 'v1.32.4'
HOST_CAS = [('ca-certs', '/etc/ssl/certs'), ('etc-ca-certificates', '/etc/ca-certificates'),
            ('k8s-certs', '/etc/kubernetes/pki'),
            ('usr-local-share-ca-certificates', '/usr/local/share/ca-certificates'),
            ('usr-share-ca-certificates', '/usr/share/ca-certificates')]
PODS = ('etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler')


def image(pod):
    version = ETCD_VERSION if pod == 'etcd' else KUBERNETES_VERSION
    return f'registry.k8s.io/{pod}:{version}'


def http_get(path, port, scheme, host='127.0.0.1', indent=8):
    lines = ['httpGet:', f'  host: {host}', f'  path: {path}', f'  port: {port}',
             f'  scheme: {scheme}']
    return '\n'.join(' ' * indent + line for line in lines)


def probe(name, get, delay, period, timeout, failures):
    return f'''    {name}:
      failureThreshold: {failures}
{get.replace('        httpGet', '      httpGet').replace('          ', '        ')}
      initialDelaySeconds: {delay}
      periodSeconds: {period}
      timeoutSeconds: {timeout}
'''


def manifest(pod, flags, probes, cpu, memory, mounts, annotation=None):
    annotations = f'  annotations:\n    {annotation[0]}: {annotation[1]}\n' if annotation else ''
    command = ''.join(f'    - {f}\n' for f in [pod, *flags])
    memory_line = f'        memory: {memory}\n' if memory else ''
    mount_lines = ''.join(f'    - mountPath: {path}\n      name: {name}\n'
                          + ('      readOnly: true\n' if read_only else '')
                          for name, path, _, read_only in mounts)
    volume_lines = ''.join(f'  - hostPath:\n      path: {path}\n      type: {kind}\n'
                           f'    name: {name}\n' for name, path, kind, _ in mounts)
    return f'''apiVersion: v1
kind: Pod
metadata:
{annotations}  creationTimestamp: null
  labels:
    component: {pod}
    tier: control-plane
  name: {pod}
  namespace: kube-system
spec:
  containers:
  - command:
{command}    image: {image(pod)}
    imagePullPolicy: IfNotPresent
{probes[0]}    name: {pod}
{probes[1]}    resources:
      requests:
        cpu: {cpu}
{memory_line}{probes[2]}    volumeMounts:
{mount_lines}  hostNetwork: true
  priority: 2000001000
  priorityClassName: system-node-critical
  securityContext:
    seccompProfile:
      type: RuntimeDefault
  volumes:
{volume_lines}status: {{}}
'''


def etcd(name, ports):
    client, peer = f"https://127.0.0.1:{ports['etcd-client']}", f"https://127.0.0.1:{ports['etcd-peer']}"
    pki = '/etc/kubernetes/pki/etcd'
    flags = [f'--advertise-client-urls={client}', f'--cert-file={pki}/server.crt',
             '--client-cert-auth=true', '--data-dir=/var/lib/etcd',
             '--experimental-initial-corrupt-check=true',
             '--experimental-watch-progress-notify-interval=5s',
             f'--initial-advertise-peer-urls={peer}', f'--initial-cluster={name}={peer}',
             f'--key-file={pki}/server.key', f'--listen-client-urls={client}',
             f"--listen-metrics-urls=http://127.0.0.1:{ports['etcd-metrics']}",
             f'--listen-peer-urls={peer}', f'--name={name}', f'--peer-cert-file={pki}/peer.crt',
             '--peer-client-cert-auth=true', f'--peer-key-file={pki}/peer.key',
             f'--peer-trusted-ca-file={pki}/ca.crt', '--snapshot-count=10000',
             f'--trusted-ca-file={pki}/ca.crt']
    metrics = ports['etcd-metrics']
    probes = [probe('livenessProbe', http_get('/health?exclude=NOSPACE&serializable=true', metrics,
                                              'HTTP'), 10, 10, 15, 8),
              '', probe('startupProbe', http_get('/health?serializable=false', metrics, 'HTTP'), 10,
                        10, 15, 24)]
    mounts = [('etcd-data', '/var/lib/etcd', 'DirectoryOrCreate', False),
              ('etcd-certs', pki, 'DirectoryOrCreate', False)]
    return manifest('etcd', flags, probes, '100m', '100Mi', mounts,
                    ('kubeadm.kubernetes.io/etcd.advertise-client-urls', client))


def apiserver(name, ports):
    pki, port = '/etc/kubernetes/pki', ports['apiserver']
    flags = ['--advertise-address=127.0.0.1', '--allow-privileged=true',
             '--authorization-mode=Node,RBAC', f'--client-ca-file={pki}/ca.crt',
             '--enable-admission-plugins=NodeRestriction', '--enable-bootstrap-token-auth=true',
             f'--etcd-cafile={pki}/etcd/ca.crt', f'--etcd-certfile={pki}/apiserver-etcd-client.crt',
             f'--etcd-keyfile={pki}/apiserver-etcd-client.key',
             f"--etcd-servers=https://127.0.0.1:{ports['etcd-client']}",
             f'--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt',
             f'--kubelet-client-key={pki}/apiserver-kubelet-client.key',
             '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
             f'--proxy-client-cert-file={pki}/front-proxy-client.crt',
             f'--proxy-client-key-file={pki}/front-proxy-client.key',
             '--requestheader-allowed-names=front-proxy-client',
             f'--requestheader-client-ca-file={pki}/front-proxy-ca.crt',
             '--requestheader-extra-headers-prefix=X-Remote-Extra-',
             '--requestheader-group-headers=X-Remote-Group',
             '--requestheader-username-headers=X-Remote-User', f'--secure-port={port}',
             '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
             f'--service-account-key-file={pki}/sa.pub',
             f'--service-account-signing-key-file={pki}/sa.key',
             '--service-cluster-ip-range=10.96.0.0/12', f'--tls-cert-file={pki}/apiserver.crt',
             f'--tls-private-key-file={pki}/apiserver.key']
    probes = [probe('livenessProbe', http_get('/livez', port, 'HTTPS'), 10, 10, 15, 8),
              probe('readinessProbe', http_get('/readyz', port, 'HTTPS'), 0, 1, 15, 3)
              .replace('      initialDelaySeconds: 0\n', ''),
              probe('startupProbe', http_get('/livez', port, 'HTTPS'), 10, 10, 15, 24)]
    mounts = [(n, p, 'DirectoryOrCreate', True) for n, p in HOST_CAS]
    return manifest('kube-apiserver', flags, probes, '250m', None, mounts,
                    ('kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint',
                     f'127.0.0.1:{port}'))


def controller_manager(name, ports):
    pki, conf = '/etc/kubernetes/pki', '/etc/kubernetes/controller-manager.conf'
    port = ports['controller-manager']
    flags = [f'--authentication-kubeconfig={conf}', f'--authorization-kubeconfig={conf}',
             '--bind-address=127.0.0.1', f'--client-ca-file={pki}/ca.crt',
             '--cluster-name=kubernetes', f'--cluster-signing-cert-file={pki}/ca.crt',
             f'--cluster-signing-key-file={pki}/ca.key', '--controllers=*,bootstrapsigner,tokencleaner',
             f'--kubeconfig={conf}', '--leader-elect=true',
             f'--requestheader-client-ca-file={pki}/front-proxy-ca.crt',
             f'--root-ca-file={pki}/ca.crt', f'--secure-port={port}',
             f'--service-account-private-key-file={pki}/sa.key',
             '--use-service-account-credentials=true']
    probes = [probe('livenessProbe', http_get('/healthz', port, 'HTTPS'), 10, 10, 15, 8), '',
              probe('startupProbe', http_get('/healthz', port, 'HTTPS'), 10, 10, 15, 24)]
    mounts = sorted([(n, p, 'DirectoryOrCreate', True) for n, p in HOST_CAS]
                    + [('flexvolume-dir', '/usr/libexec/kubernetes/kubelet-plugins/volume/exec',
                        'DirectoryOrCreate', False),
                       ('kubeconfig', conf, 'FileOrCreate', True)])
    return manifest('kube-controller-manager', flags, probes, '200m', None, mounts)


def scheduler(name, ports):
    conf, port = '/etc/kubernetes/scheduler.conf', ports['scheduler']
    flags = [f'--authentication-kubeconfig={conf}', f'--authorization-kubeconfig={conf}',
             '--bind-address=127.0.0.1', f'--kubeconfig={conf}', '--leader-elect=true',
             f'--secure-port={port}']
    probes = [probe('livenessProbe', http_get('/healthz', port, 'HTTPS'), 10, 10, 15, 8), '',
              probe('startupProbe', http_get('/healthz', port, 'HTTPS'), 10, 10, 15, 24)]
    return manifest('kube-scheduler', flags, probes, '100m', None,
                    [('kubeconfig', conf, 'FileOrCreate', True)])


WRITERS = {'etcd': etcd, 'kube-apiserver': apiserver, 'kube-controller-manager': controller_manager,
           'kube-scheduler': scheduler}

KUBELET_CONFIGURATION = '''apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
fileCheckFrequency: 20s
healthzBindAddress: 127.0.0.1
healthzPort: {healthz}
kind: KubeletConfiguration
port: {kubelet}
rotateCertificates: true
staticPodPath: /etc/kubernetes/manifests
'''

KUBEADM_CONFIGURATION = '''apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: 127.0.0.1
  bindPort: {apiserver}
nodeRegistration:
  name: {name}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
certificatesDir: /etc/kubernetes/pki
kubernetesVersion: {version}
'''
