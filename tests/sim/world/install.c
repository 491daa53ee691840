/* A master's files as the cluster's installation left them, and what people put there later. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "inside.h"

static const char *const pki[] = {
    "ca.crt",
    "ca.key",
    "apiserver.crt",
    "apiserver.key",
    "apiserver-etcd-client.crt",
    "apiserver-etcd-client.key",
    "apiserver-kubelet-client.crt",
    "apiserver-kubelet-client.key",
    "front-proxy-ca.crt",
    "front-proxy-client.crt",
    "front-proxy-client.key",
    "sa.pub",
    "sa.key",
    "etcd/ca.crt",
    "etcd/server.crt",
    "etcd/server.key",
    "etcd/peer.crt",
    "etcd/peer.key",
};

static void head(struct buf *b, const char *pod, unsigned number)
{
    buf_printf(b,
               "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    edit: \"%u\"\n  labels:\n"
               "    component: %s\n    tier: control-plane\n  name: %s\n  namespace: kube-system\n"
               "spec:\n  containers:\n  - command:\n",
               number, pod, pod);
}

static void probes(struct buf *b, const char *path, unsigned port, const char *scheme)
{
    buf_printf(b,
               "    livenessProbe:\n      failureThreshold: 8\n      httpGet:\n"
               "        host: 127.0.0.1\n        path: %s\n        port: %u\n        scheme: %s\n"
               "      initialDelaySeconds: 10\n      periodSeconds: 10\n      timeoutSeconds: 15\n"
               "    startupProbe:\n      failureThreshold: 24\n      httpGet:\n"
               "        host: 127.0.0.1\n        path: %s\n        port: %u\n        scheme: %s\n"
               "      initialDelaySeconds: 10\n      periodSeconds: 10\n      timeoutSeconds: 15\n",
               path, port, scheme, path, port, scheme);
}

static void tail(struct buf *b, const char *path, const char *type)
{
    buf_printf(b,
               "    resources:\n      requests:\n        cpu: 250m\n    volumeMounts:\n"
               "    - mountPath: %s\n      name: files\n      readOnly: true\n  hostNetwork: true\n"
               "  priorityClassName: system-node-critical\n  volumes:\n  - hostPath:\n"
               "      path: %s\n      type: %s\n    name: files\nstatus: {}\n",
               path, path, type);
}

static void flags(struct buf *b, enum edit edit, unsigned number)
{
    static const char *const lines[] = {
        "--advertise-address=127.0.0.1",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        "--client-ca-file=/etc/kubernetes/pki/ca.crt",
        "--enable-admission-plugins=NodeRestriction",
        "--etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt",
        "--etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt",
        "--etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key",
        "--kubelet-client-certificate=/etc/kubernetes/pki/apiserver-kubelet-client.crt",
        "--kubelet-client-key=/etc/kubernetes/pki/apiserver-kubelet-client.key",
        "--proxy-client-cert-file=/etc/kubernetes/pki/front-proxy-client.crt",
        "--proxy-client-key-file=/etc/kubernetes/pki/front-proxy-client.key",
        "--requestheader-client-ca-file=/etc/kubernetes/pki/front-proxy-ca.crt",
        "--service-account-key-file=/etc/kubernetes/pki/sa.pub",
        "--service-account-signing-key-file=/etc/kubernetes/pki/sa.key",
        "--tls-private-key-file=/etc/kubernetes/pki/apiserver.key",
    };
    if (edit == EDIT_BAD_FLAG)
        buf_printf(b, "    - --no-such-flag-%u=true\n", number);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        buf_printf(b, "    - %s\n", lines[i]);
    buf_printf(b, "    - --etcd-servers=https://127.0.0.1:%s\n",
               edit == EDIT_ETCD_ADDRESS ? "2399" : "2379");
    buf_printf(b, "    - --secure-port=%s\n", edit == EDIT_BAD_VALUE ? "notaport" : "6443");
    buf_printf(b, "    - --tls-cert-file=/etc/kubernetes/pki/%s.crt\n",
               edit == EDIT_BAD_PATH ? "nope" : "apiserver");
    buf_printf(b, "    - --max-requests-inflight=%u\n", 400 + number);
}

char *install_apiserver(const struct host *n, enum edit edit, unsigned number)
{
    struct buf b = {0};
    head(&b, edit == EDIT_OTHER_POD ? "kube-apiserver-next" : "kube-apiserver", number);
    buf_printf(&b, "    - %s\n", edit == EDIT_BAD_COMMAND ? "kube-apisever" : "kube-apiserver");
    flags(&b, edit, number);
    buf_printf(&b,
               "    image: registry.k8s.io/kube-apiserver:%s\n    imagePullPolicy: IfNotPresent\n",
               edit == EDIT_BAD_IMAGE ? "v1.36.nonexistent" : "v1.36.0");
    if (n->has_liveness)
        probes(&b, "/livez", 6443, "HTTPS");
    buf_text(&b, "    name: kube-apiserver\n");
    tail(&b, "/etc/kubernetes/pki", "DirectoryOrCreate");
    return buf_take(&b);
}

static void install_pod(struct host *n, const char *pod, const char *flags_text, const char *path,
                        const char *folder, unsigned port, const char *scheme)
{
    struct buf b = {0};
    head(&b, pod, 0);
    buf_printf(&b, "    - %s\n%s", pod, flags_text);
    buf_printf(&b, "    image: registry.k8s.io/%s:v1.36.0\n    imagePullPolicy: IfNotPresent\n",
               pod);
    probes(&b, path, port, scheme);
    buf_printf(&b, "    name: %s\n", pod);
    tail(&b, folder, "DirectoryOrCreate");
    OWNED(free) char *file = mem_printf(MANIFESTS "/%s.yaml", pod);
    OWNED(free) char *text = buf_take(&b);
    files_put(node_files(n), file, text, strlen(text));
    people_know(n, text);
}

static void put_text(struct host *n, const char *path, const char *text)
{
    files_put(node_files(n), path, text, strlen(text));
}

static void install_description(struct host *n)
{
    OWNED(free)
    char *text = mem_printf(
        "apiVersion: planeguard/v1\nkind: Node\nmetadata: {name: %s}\nspec:\n  name: %s\n"
        "  bus: unix:path=/run/dbus/system_bus_socket\n"
        "  crictl: [/usr/bin/crictl, --runtime-endpoint, "
        "\"unix:///run/containerd/containerd.sock\","
        " --timeout, 10s]\n  proc: /proc\n  manifests: " MANIFESTS "\n"
        "  stage: /etc/kubernetes/.planeguard\n  podLogs: " POD_LOGS "\n  kubeletCheck: 20s\n",
        n->name, n->name);
    put_text(n, "/etc/planeguard/node.yaml", text);
    put_text(n, "/var/lib/kubelet/config.yaml",
             "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
             "fileCheckFrequency: 20s\nhealthzPort: 10248\nstaticPodPath: " MANIFESTS "\n");
    put_text(n, "/usr/bin/crictl", "#!/bin/false\n");
}

void install_missing(struct host *n)
{
    for (size_t i = 0; i < sizeof pki / sizeof *pki; i++) {
        OWNED(free) char *path = mem_printf("/etc/kubernetes/pki/%s", pki[i]);
        OWNED(free) char *text = mem_printf("-----BEGIN %s-----\n", pki[i]);
        size_t length = 0;
        if (!files_get(node_files(n), path, &length) || !length)
            put_text(n, path, text);
    }
}

void install(struct host *n)
{
    install_missing(n);
    files_make_folder(node_files(n), POD_LOGS);
    files_make_folder(node_files(n), "/root");
    install_description(n);
    install_kubelet_certificate(n, CERTIFICATE_VALID_USEC);
    install_pod(n, "etcd", "    - --listen-metrics-urls=http://127.0.0.1:2381\n", "/health",
                "/etc/kubernetes/pki/etcd", 2381, "HTTP");
    install_pod(n, "kube-controller-manager", "    - --leader-elect=true\n", "/healthz",
                "/etc/kubernetes/pki", 10257, "HTTPS");
    install_pod(n, "kube-scheduler", "    - --leader-elect=true\n", "/healthz",
                "/etc/kubernetes/pki", 10259, "HTTPS");
    n->good = install_apiserver(n, EDIT_GOOD, n->edits);
    put_text(n, APISERVER_MANIFEST, n->good);
    people_know(n, n->good);
}

void people_know(struct host *n, const char *text)
{
    *mem_push(n->known, n->known_count, n->known_room) = text_hash(text, strlen(text));
}

void people_put(struct host *n, const char *path, const char *text)
{
    static const char beside[] = "/root/manifest.yaml";
    people_know(n, text);
    put_text(n, beside, text);
    (void)files_move(node_files(n), beside, path);
}
