/* The world from inside: for the files of this folder only.
 *
 * A node is a master with all that is on it. What is due on it is an alarm of its own, so that a
 * machine that stands still loses no time and one without power loses all that its processes were
 * about to do. Whoever changes something calls node_touch; node_touch works out what follows for
 * all nodes (an API server reads etcd, etcd needs the others) and tells the agents. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/digest.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "config/certificate.h"
#include "config/pod.h"
#include "observe/attempts.h"
#include "observe/last_words.h"
#include "observe/line.h"
#include "sim.h"
#include "world/world.h"

#define MANIFESTS "/etc/kubernetes/manifests"
#define APISERVER_MANIFEST MANIFESTS "/kube-apiserver.yaml"
#define KUBELET_CERTIFICATE "/var/lib/kubelet/pki/kubelet-client-current.pem"
#define POD_LOGS "/var/log/pods"

enum { ID_TEXT = 65, UID_TEXT = 33, PATH_TEXT_MAX = 256, NODES_MAX = MASTERS_MAX };

struct host;

/* ---- what is due (alarm.c) ---- */

struct alarm {
    struct host *node;
    void (*fire)(void *context);
    void *context;
    bool for_life; /* outlives a loss of power */
    struct entry *entry;
    uint64_t due_usec;  /* true time */
    uint64_t left_usec; /* while the node stands still */
    bool is_set;
    struct alarm *next;
};

void alarm_init(struct alarm *a, struct host *n, void (*fire)(void *context), void *context);
void alarm_set(struct alarm *a, uint64_t in_usec);
/* Only when it isn't set, or set for later. */
void alarm_set_earlier(struct alarm *a, uint64_t in_usec);
void alarm_cancel(struct alarm *a);
void alarms_hold(struct host *n);
void alarms_go_on(struct host *n);
void alarms_power_cut(struct host *n);

/* ---- manifests as bytes (text.c) ---- */

/* What some bytes are as a manifest; kept for ever, since each is met again and again. */
struct text {
    struct text *next;
    uint64_t hash;
    size_t length;
    int code; /* pod_parse's */
    char why[256];
    char digest[DIGEST_HEX + 1];
    struct pool *pool;
    struct pod pod;
};

uint64_t text_hash(const char *bytes, size_t length);
const struct text *text_of(struct world *w, const char *file, const char *bytes, size_t length);
/* The file's, or NULL when there is none. */
const struct text *text_of_file(struct host *n, const char *path);

/* ---- containers (runtime.c) ---- */

enum pod_kind { POD_OTHER, POD_APISERVER, POD_ETCD, POD_CONTROLLERS, POD_SCHEDULER };

/* What a manifest asks the kubelet for. */
struct spec {
    char uid[UID_TEXT];
    char name[96]; /* the pod's full name: "kube-apiserver-master-0" */
    enum pod_kind kind;
    const struct text *text;
};

struct box { /* a pod's sandbox */
    struct box *next;
    char id[ID_TEXT], uid[UID_TEXT], name[96];
    int64_t attempt, created_nsec;
    bool ready;
};

enum run_state { RUN_RUNNING = CONTAINER_RUNNING, RUN_EXITED = CONTAINER_EXITED };

/* How far a process has come. */
enum phase { PHASE_BEGINS, PHASE_FORBIDS, PHASE_HOOKS, PHASE_SERVES, PHASE_STOPPING };

enum hang {
    HANG_NONE,
    HANG_ALL,    /* answers nobody */
    HANG_HIDDEN, /* answers the kubelet only */
    HANG_CHECK,  /* a health check of its own fails */
};

struct crate { /* a container and its process */
    struct crate *next;
    struct host *node;
    char id[ID_TEXT], box[ID_TEXT], image[128];
    struct spec spec;
    int64_t attempt, created_nsec, started_nsec, finished_nsec, pid;
    uint64_t started_usec, finished_usec; /* true time */
    enum run_state state;
    int exit_code;
    char reason[32], message[256], log[PATH_TEXT_MAX];
    enum phase phase;
    enum hang hang;
    bool awaits_etcd;
    struct alarm grow;  /* the next phase, or its own end */
    struct alarm grace; /* SIGTERM was sent: then SIGKILL */
    /* The kubelet's startup and liveness probes of it. */
    bool is_probed, is_well, has_started_up;
    uint64_t well_since_usec;
    struct alarm probe;
    /* How it is going to end by itself. */
    int doom_code;
    const char *doom_reason;
    char doom_words[320];
};

struct box *box_new(struct host *n, const struct spec *s);
struct crate *crate_start(struct host *n, const struct spec *s, const struct box *b);
void crate_exit(struct crate *c, int code, const char *reason);
void crate_terminate(struct crate *c); /* SIGTERM, and SIGKILL when the grace is over */
void crate_lose_power(struct crate *c);
void crate_remove(struct host *n, struct crate *c);
void box_stop(struct host *n, struct box *b);
void box_remove(struct host *n, struct box *b);
struct crate *crate_find(struct host *n, const char *id_prefix);
struct box *box_find(struct host *n, const char *id_prefix);
/* The running one of this kind that listens, or else the newest that runs; NULL. */
struct crate *crate_running(struct host *n, enum pod_kind kind);
void crate_log(struct crate *c, const char *text);
/* Does its process answer at its port? */
bool crate_listens(const struct crate *c);
/* etcd's answer came or went: API servers that begin hear of it. */
void crate_etcd_changed(struct host *n, bool etcd_ok);

/* ---- units (unit.c) ---- */

enum unit_name { UNIT_KUBELET, UNIT_CONTAINERD, UNITS };

struct unit {
    struct host *node;
    enum unit_name which;
    char active[16], sub[16], result[20];
    int64_t pid;
    int exit_status;
    unsigned restarts;
    uint64_t active_enter_usec; /* monotonic clock */
    uint64_t down_since_usec;   /* true time; 0: it is active */
    char invocation[33];
    bool is_broken;  /* ends soon after each start, until its cause is mended */
    bool is_limited; /* its start limit was hit: needs a reset */
    struct alarm alarm;
};

void units_init(struct host *n);
bool unit_is_active(const struct host *n, enum unit_name u);
void unit_start(struct host *n, enum unit_name u, bool by_itself);
void unit_stop(struct host *n, enum unit_name u);
/* Its process ended. Where `again` systemd starts it in a while, else it has failed. */
void unit_crash(struct host *n, enum unit_name u, const char *result, bool again);
void units_power_cut(struct host *n);
struct unit *unit_named(struct host *n, const char *name);

/* ---- the kubelet (kubelet.c, kubelet_pod.c, kubelet_probe.c) ---- */

enum { FILES_MAX = 32, FILE_NAME_TEXT = 96, WORKERS_MAX = 24, BACKOFFS_MAX = 48 };

struct seen_file {
    char name[FILE_NAME_TEXT];
    uint64_t hash;
    char gave[96]; /* the pod that it last gave; "": none */
    bool is_there;
};

struct desired {
    struct spec spec;
    char file[FILE_NAME_TEXT];
};

enum doing { DOING_NOTHING, DOING_BOX, DOING_CRATE };

struct worker {
    struct host *node;
    struct spec spec;
    bool is_used, is_ending, is_done;
    enum doing doing;
    struct alarm act;
};

struct backoff {
    char uid[UID_TEXT];
    uint64_t pause_usec, counted_usec;
};

struct kubelet {
    bool is_up; /* it has looked at its folder since its start */
    bool is_hung, is_slow;
    bool sources_ready;
    uint64_t started_usec;
    struct seen_file files[FILES_MAX];
    struct desired store[FILES_MAX];
    size_t store_count;
    struct worker workers[WORKERS_MAX];
    struct backoff backoffs[BACKOFFS_MAX];
    struct alarm look, rescan, reach, garbage, pleg, exit;
};

void kubelet_init(struct host *n);
/* It runs already and is looked after, as if it had been for long. */
void kubelet_adopt(struct host *n, const char *pod);
void kubelet_started(struct host *n);
void kubelet_ended(struct host *n);
void kubelet_file_changed(struct host *n);
/* What it waited for may be there: the runtime, its own time. */
void kubelet_wake(struct host *n);
bool kubelet_works(const struct host *n);
bool runtime_works(const struct host *n);
void kubelet_crate_ended(struct crate *c);
/* Somebody removed a container of it, or stopped its sandbox. */
void kubelet_crate_gone(struct host *n, const struct spec *s);
/* Called by node_touch: probes and the way to an API server. */
void kubelet_settle(struct host *n, bool api_reachable);
/* The workers (kubelet_pod.c). */
void workers_follow(struct host *n);
void workers_forget(struct host *n);
void workers_wake(struct host *n, uint64_t in_usec);
void worker_act(void *context);
void worker_adopt(struct host *n, const struct spec *s);
void kubelet_collect(void *context);
/* The probes (kubelet_probe.c). */
void probe_begin(struct crate *c);
void probe_end(struct crate *c);
void probe_settle(struct crate *c, bool etcd_ok);

/* ---- a node (world.c) ---- */

enum cri_trouble { CRI_FINE, CRI_HANGS, CRI_ERRS, CRI_GARBAGE, CRI_SLOW };

struct faults_now {
    bool slow_start, crashes, etcd_broken, no_leader;
    char sick_box[ID_TEXT]; /* the sandbox in which every API server hangs; "" */
    const char *crash_words;
    unsigned island; /* 0: with the others */
    enum cri_trouble cri;
    bool bus_away, observer_down, read_only;
    uint64_t net_slow_usec;
    bool net_times_out;
};

/* What follows from all the rest. */
struct derived {
    bool etcd_member, etcd_ok, listening, live, ready, api_reachable, manifest_there;
    unsigned containers;
};

/* What the probes' own memory holds between looks; gone with the agent. */
struct container_memory {
    char name[64];
    struct attempts attempts;
    char end_id[ID_TEXT];
    bool end_told;
    int64_t exit_code;
    char exit_reason[64];
    enum last_word word;
    char line[LINE_TEXT];
    char process_of[ID_TEXT];
    bool is_gone;
    uint64_t told_usec; /* boot clock; 0: not */
    json_t *well;
};

enum edit {
    EDIT_GOOD,
    EDIT_BAD_FLAG,
    EDIT_BAD_VALUE,
    EDIT_BAD_PATH,
    EDIT_BAD_IMAGE,
    EDIT_BAD_COMMAND,
    EDIT_ETCD_ADDRESS,
    EDIT_OTHER_POD,
    EDITS
};

/* What a certificate's bytes came to. */
struct read_certificate {
    uint64_t hash;
    int code, key_matches;
    struct certificate leaf;
    char why[128];
};

struct trouble;
enum { TROUBLES_MAX = 64, MEMORIES_MAX = 6 };

struct host {
    struct world *world;
    unsigned index;
    struct master *master;
    char name[32];
    bool is_on, stands_still;
    uint64_t boot_usec, still_since_usec, still_usec;
    struct alarm *alarms;
    struct stream_random r, inotify, strikes; /* latencies; missed events; bad moments */
    struct box *boxes;
    struct crate *crates;
    struct unit units[UNITS];
    struct kubelet kubelet;
    struct faults_now now;
    struct derived is;
    uint64_t live_since_usec, not_live_since_usec;
    uint64_t epoch;
    uint64_t serial; /* of ids */
    struct alarm boot, day, strike, recheck, expiry, notice;
    struct read_certificate certificate;
    struct container_memory memories[MEMORIES_MAX];
    unsigned observer_starts;
    bool loses_no_events, loses_all_events; /* for tests */
    /* What people hold for right and what they ever put there. */
    char *good;
    unsigned edits;
    uint64_t manifest_hash; /* of kube-apiserver.yaml now; 0: it isn't there */
    uint64_t bad[EDITS];    /* hashes of the last bad ones */
    bool has_liveness;
    int64_t certificate_until_usec; /* the kubelet's, by the wall clock */
    uint64_t *known;
    size_t known_count, known_room;
    struct trouble *troubles[TROUBLES_MAX];
    char present[512];
};

struct world {
    uint64_t seed;
    unsigned count;
    struct host nodes[NODES_MAX];
    struct text *texts;
    bool is_begun, is_calm, is_settling;
    struct world_count counts[TROUBLES_MAX];
    unsigned trouble_count;
    const char *without;
};

static inline struct files *node_files(const struct host *n)
{
    return world_files(n->index);
}
int64_t node_wall_usec(const struct host *n);
uint64_t node_boot_usec(const struct host *n);
uint64_t node_monotonic_usec(const struct host *n);
/* Something of it changed. */
void node_touch(struct host *n);
bool nodes_reach(const struct host *a, const struct host *b);
void node_id(struct host *n, char id[ID_TEXT]);

/* ---- what is on the disk (install.c, certificate.c) ---- */

/* Ten years: what wall clocks do doesn't end it. */
#define CERTIFICATE_VALID_USEC ((int64_t)10 * 365 * 24 * 3600 * 1000000)

void install(struct host *n);
/* What of the PKI is missing or empty is put back. */
void install_missing(struct host *n);
char *install_apiserver(const struct host *n, enum edit edit, unsigned number);
void install_kubelet_certificate(struct host *n, int64_t valid_usec);
char *certificate_make(const char *common_name, uint64_t serial, int64_t from_sec, int64_t to_sec);

/* What people do with manifests: put by one rename. */
void people_put(struct host *n, const char *path, const char *text);
void people_know(struct host *n, const char *text);

/* ---- looks (look.c, look_container.c, look_file.c) ---- */

json_t *look_arguments(const struct probe_document *p);
void look_set(struct world_reading *r, enum verdict v, enum reason reason, json_t *facts,
              const char *format, ...) __attribute__((format(printf, 5, 6)));
void look_container(struct host *n, const struct probe_document *p, struct world_reading *ret,
                    uint64_t *ret_took_usec);
void look_manifest(struct host *n, const struct probe_document *p, struct world_reading *ret);
void look_certificate(struct host *n, const struct probe_document *p, struct world_reading *ret);
void look_unit(struct host *n, const struct probe_document *p, struct world_reading *ret);
void look_https(struct host *n, const struct probe_document *p, struct world_reading *ret,
                uint64_t *ret_took_usec);
void look_forget(struct host *n);
/* Would crictl answer now? 0, or < 0 with its word for why not. */
int crictl_answers(struct host *n, char why[128], uint64_t *ret_took_usec);

/* ---- troubles (trouble.c; what they are: troubles_*.c) ---- */

struct trouble_kind {
    const char *name;
    unsigned mean_hours;                  /* between two of them on a master; 0: never by itself */
    unsigned least_minutes, most_minutes; /* until `mend` comes */
    bool by_person;                       /* else it passes */
    bool strikes;                         /* also comes at bad moments */
    /* False: it can't happen now. */
    bool (*begin)(struct host *n, struct stream_random *r);
    void (*mend)(struct host *n);
    bool (*is_gone)(const struct host *n);                 /* NULL: only by `mend` */
    bool (*flip)(struct host *n, struct stream_random *r); /* while it lasts, each few seconds */
};

struct trouble {
    const struct trouble_kind *kind;
    struct host *node;
    unsigned index;
    struct stream_random r;
    struct alarm next, mend, flip;
    bool present;
};

extern const struct trouble_kind troubles_manifest[], troubles_process[], troubles_node[];
void troubles_start(struct world *w);
void trouble_begin(struct trouble *t);
void troubles_settle(struct host *n);
void troubles_calm(struct world *w);
bool trouble_is_present(const struct host *n, const char *name);
/* planeguard has just begun to do something: the moment to strike. */
void troubles_tempt(struct host *n);
