#include "fake_catalog.h"

#include <string.h>

#include "base/duration.h"

const struct field fake_https_fields[] = {
    {.name = "url",
     .type = FIELD_URL,
     FIELD_AT(fake_https, url),
     .required = true,
     .help = "what is asked"},
    {.name = "ca", .type = FIELD_PATH, FIELD_AT(fake_https, ca)},
    {.name = "serverName", .type = FIELD_STRING, FIELD_AT(fake_https, server_name)},
    {.name = "insecure", .type = FIELD_BOOL, FIELD_AT(fake_https, insecure), .otherwise = "false"},
    {.name = "status",
     .type = FIELD_INT,
     FIELD_AT(fake_https, status),
     .min = 100,
     .max = 599,
     .otherwise = "200"},
    {.name = "slow",
     .type = FIELD_DURATION,
     FIELD_AT(fake_https, slow_usec),
     .min = (int64_t)USEC_PER_MSEC,
     .max = (int64_t)USEC_PER_MINUTE,
     .otherwise = "1s"},
    {.name = "limit",
     .type = FIELD_SIZE,
     FIELD_AT(fake_https, limit_bytes),
     .min = 1 << 10,
     .max = 1 << 20,
     .otherwise = "64Ki"},
    {.name = "only", .type = FIELD_WORDS, FIELD_AT(fake_https, only), .words = &severity_words},
    {.name = "headers",
     .type = FIELD_STRINGS,
     FIELD_AT(fake_https, headers),
     .otherwise = "[\"a: b\"]"},
    {0},
};

static const struct field manifest_fields[] = {
    {.name = "pod",
     .type = FIELD_NAME,
     FIELD_AT(fake_manifest, pod),
     .required = true,
     .help = "the static pod"},
    {.name = "files", .type = FIELD_PATHS, FIELD_AT(fake_manifest, files)},
    {0},
};

static const struct words depth_words = WORDS("depth", "shallow", "deep");

const struct field fake_collect_fields[] = {
    {.name = "components",
     .type = FIELD_NAMES,
     FIELD_AT(fake_collect, components),
     .required = true},
    {.name = "depth",
     .type = FIELD_WORD,
     FIELD_AT(fake_collect, depth),
     .words = &depth_words,
     .otherwise = "shallow"},
    {0},
};

static const struct field entry_fields[] = {
    {.name = "key", .type = FIELD_STRING, FIELD_AT(fake_entry, key), .required = true},
    {.name = "value", .type = FIELD_INT, FIELD_AT(fake_entry, value)},
    {0},
};
static const struct field box_fields[] = {
    {.name = "size", .type = FIELD_SIZE, .otherwise = "1Ki"},
    {0},
};

static int decode_sign(struct pool *pool, const struct yaml *y, void *target, struct err *e)
{
    (void)pool;
    char found[YAML_FOUND];
    bool plus = y->kind == YAML_SCALAR_KIND && !strcmp(y->text, "plus");
    if (!plus && (y->kind != YAML_SCALAR_KIND || strcmp(y->text, "minus") != 0))
        return yaml_error(y, e, "found %s, expected plus or minus", yaml_found(y, found));
    *(int64_t *)target = plus ? 1 : -1;
    return 0;
}

static json_t *encode_sign(const void *target)
{
    int64_t sign = *(const int64_t *)target;
    return sign ? json_string(sign > 0 ? "plus" : "minus") : json_null();
}

const struct field fake_note_fields[] = {
    {.name = "entries",
     .type = FIELD_LIST,
     FIELD_AT(fake_note, entries),
     .of = entry_fields,
     .of_size = sizeof(struct fake_entry)},
    {.name = "box", .type = FIELD_OBJECT, FIELD_AT(fake_note, box), .of = box_fields},
    {.name = "sign",
     .type = FIELD_CUSTOM,
     FIELD_AT(fake_note, sign),
     .decode = decode_sign,
     .encode = encode_sign},
    {0},
};

struct restart {
    const char *pod;
    uint64_t down_within_usec;
};
static const struct field restart_fields[] = {
    {.name = "pod", .type = FIELD_NAME, FIELD_AT(restart, pod), .required = true},
    {.name = "downWithin",
     .type = FIELD_DURATION,
     FIELD_AT(restart, down_within_usec),
     .otherwise = "60s"},
    {0},
};

static const struct field settle_fields[] = {
    {.name = "for", .type = FIELD_DURATION, FIELD_AT(fake_settle, for_usec), .otherwise = "2m"},
    {0},
};
static const struct field window_fields[] = {
    {.name = "from",
     .type = FIELD_INT,
     FIELD_AT(fake_window, from),
     .min = 0,
     .max = 24,
     .otherwise = "0"},
    {.name = "to",
     .type = FIELD_INT,
     FIELD_AT(fake_window, to),
     .min = 0,
     .max = 24,
     .otherwise = "24"},
    {0},
};
static int window_check(const void *args, const struct yaml *at, struct err *e)
{
    const struct fake_window *w = args;
    return w->from < w->to ? 0 : yaml_error(at, e, "a window that ends before it begins");
}
static const struct field no_fields[] = {{0}};

static const struct kind https = {"https", "Asks", fake_https_fields, sizeof(struct fake_https),
                                  NULL};
static const struct kind manifest = {"manifest", "Reads", manifest_fields,
                                     sizeof(struct fake_manifest), NULL};
static const struct kind restart = {"static-pod.restart", "Restarts", restart_fields,
                                    sizeof(struct restart), NULL};
static const struct kind collect = {"evidence.collect", "Collects", fake_collect_fields,
                                    sizeof(struct fake_collect), NULL};
static const struct kind note = {"note", "Notes", fake_note_fields, sizeof(struct fake_note), NULL};
static const struct kind mode = {"mode", "Holds", no_fields, 0, NULL};
static const struct kind settle = {"settle", "Waits", settle_fields, sizeof(struct fake_settle),
                                   NULL};
static const struct kind window = {"window", "Opens", window_fields, sizeof(struct fake_window),
                                   window_check};

static const struct kind *const probes[] = {&https, &manifest};
static const struct kind *const steps[] = {&restart, &collect, &note};
static const struct kind *const guards[] = {&mode, &settle, &window};
const struct catalog fake_catalog = {probes, 2, steps, 3, guards, 3};

const char fake_documents[] =
    "apiVersion: planeguard/v1\n"
    "kind: Probe\n"
    "metadata: {name: livez, component: kube-apiserver}\n"
    "spec: {every: 5s, https: {url: 'https://127.0.0.1:6443/livez'}}\n"
    "---\n"
    "apiVersion: planeguard/v1\n"
    "kind: Probe\n"
    "metadata: {name: etcd-health}\n"
    "spec: {every: 10s, timeout: 3s, https: {url: 'http://127.0.0.1:2381/health'}}\n"
    "---\n"
    "apiVersion: planeguard/v1\n"
    "kind: Probe\n"
    "metadata: {name: apiserver-manifest}\n"
    "spec: {manifest: {pod: kube-apiserver}, knownGood: {when: livez, for: 2m}}\n"
    "---\n"
    "apiVersion: planeguard/v1\n"
    "kind: Failure\n"
    "metadata: {name: apiserver-down, component: kube-apiserver}\n"
    "spec:\n"
    "  summary: Nothing listens\n"
    "  severity: critical\n"
    "  layer: 6\n"
    "  for: 30s\n"
    "  when:\n"
    "    all:\n"
    "      - {signal: livez, is: fail, reason: [refused, reset]}\n"
    "      - {signal: apiserver-manifest, is: pass}\n"
    "  causedBy: [etcd-down]\n"
    "---\n"
    "apiVersion: planeguard/v1\n"
    "kind: Failure\n"
    "metadata: {name: etcd-down}\n"
    "spec:\n"
    "  summary: etcd is down\n"
    "  severity: warning\n"
    "  layer: 4\n"
    "  for: 20s\n"
    "  when: {signal: etcd-health, is: fail}\n"
    "---\n"
    "apiVersion: planeguard/v1\n"
    "kind: Playbook\n"
    "metadata: {name: restart-apiserver}\n"
    "spec:\n"
    "  treats: apiserver-down\n"
    "  risk: medium\n"
    "  requires:\n"
    "    - {signal: etcd-health, is: pass}\n"
    "  steps:\n"
    "    - name: keep the evidence\n"
    "      evidence.collect: {components: [kube-apiserver, etcd]}\n"
    "    - static-pod.restart: {pod: kube-apiserver, downWithin: 30s}\n"
    "  verify:\n"
    "    - {signal: livez, is: pass, within: 120s, hold: 10s}\n"
    "---\n"
    "apiVersion: planeguard/v1\n"
    "kind: Policy\n"
    "metadata: {name: default}\n"
    "spec: {mode: dry-run, guards: {settle: {for: 1m}}}\n";
