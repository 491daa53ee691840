"""The API server's health checks: names, texts and order as the real one's."""
import time

from node import klog

HOOKS = '''start-encryption-provider-config-automatic-reload start-apiserver-admission-initializer
generic-apiserver-start-informers priority-and-fairness-config-consumer priority-and-fairness-filter
storage-object-count-tracker-hook start-apiextensions-informers start-apiextensions-controllers
crd-informer-synced start-system-namespaces-controller start-cluster-authentication-info-controller
start-kube-apiserver-identity-lease-controller
start-kube-apiserver-identity-lease-garbage-collector start-legacy-token-tracking-controller
start-service-ip-repair-controllers rbac/bootstrap-roles
scheduling/bootstrap-system-priority-classes priority-and-fairness-config-producer
bootstrap-controller aggregator-reload-proxy-client-cert start-kube-aggregator-informers
apiservice-status-local-available-controller apiservice-status-remote-available-controller
apiservice-registration-controller apiservice-discovery-controller
kube-apiserver-autoregistration'''.split()
LATE_HOOKS = ['apiservice-openapi-controller', 'apiservice-openapiv3-controller']
# not finished while the server is starting
SLOW = {'poststarthook/rbac/bootstrap-roles', 'poststarthook/start-apiextensions-controllers',
        'poststarthook/crd-informer-synced',
        'poststarthook/scheduling/bootstrap-system-priority-classes',
        'poststarthook/apiservice-discovery-controller', 'autoregister-completion'}
FORBIDDEN_SEC, HOOKS_SEC = 0.2, 1.0


class Health:
    def __init__(self, server, begun):
        self.server, self.begun = server, begun
        self.scaled = server.node.scaled

    def is_rbac_loaded(self):
        return time.monotonic() - self.begun >= self.scaled(FORBIDDEN_SEC)

    def is_starting(self):
        return time.monotonic() - self.begun < self.scaled(FORBIDDEN_SEC + HOOKS_SEC)

    def names(self, endpoint):
        hooks = ['poststarthook/' + h for h in HOOKS]
        late = ['autoregister-completion', *('poststarthook/' + h for h in LATE_HOOKS)]
        if endpoint == 'readyz':
            return ['ping', 'log', 'etcd', 'etcd-readiness', 'informer-sync', *hooks, *late,
                    'shutdown']
        return ['ping', 'log', 'etcd', *hooks, *late]

    def passes(self, name, etcd):
        if name in ('etcd', 'etcd-readiness'):
            return etcd()
        if name == 'shutdown':
            return not self.server.is_stopping
        if name in SLOW or name == 'informer-sync':
            return not self.is_starting()
        return True

    def answer(self, endpoint, verbose, excluded):
        """(status, body)."""
        known = []

        def etcd():  # one look for both checks
            if not known:
                known.append(self.server.etcd.is_healthy())
            return known[0]

        names = self.names(endpoint)
        lines, failed = [], []
        for name in names:
            if name in excluded:
                lines.append(f'[+]{name} excluded: ok')
            elif self.passes(name, etcd):
                lines.append(f'[+]{name} ok')
            else:
                lines.append(f'[-]{name} failed: reason withheld')
                failed.append(name)
        unknown = sorted(set(excluded) - set(names))
        if unknown:
            quoted = ','.join(f'"{u}"' for u in unknown)
            lines.append(f'warn: some health checks cannot be excluded: no matches for {quoted}')
        if failed:
            klog('I', 'healthz.go:261', f"{','.join(failed)} check failed: {endpoint}")
            return 500, '\n'.join([*lines, f'{endpoint} check failed', ''])
        if verbose:
            return 200, '\n'.join([*lines, f'{endpoint} check passed', ''])
        return 200, 'ok'

    def one(self, endpoint, name):
        if name not in self.names(endpoint):
            return 404, '404 page not found\n'
        if self.passes(name, self.server.etcd.is_healthy):
            return 200, 'ok'
        return 500, 'internal server error: reason withheld\n'
