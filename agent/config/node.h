/* The node: where its parts are. On a real node ("/") these are the standard
 * places, the kubelet's configuration and the tools found in the system's folders. Below
 * another root nothing of the host is ever taken: D-Bus, CRI socket, tools,
 * process source and ports come only from DIR/etc/planeguard/node.yaml, and what it
 * doesn't name does not exist here: signals say `unknown, not-named`, steps refuse. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "config/field.h"

struct root; /* loop/file.h */

struct node {
    struct pool *pool;
    const char *name;            /* node's name in records: hostname, or `name:` */
    const char *bus_address;     /* D-Bus address; NULL: none. On "/" the system bus */
    struct strings crictl;       /* argv prefix, absolute, incl. endpoint; empty: none */
    struct strings kubeadm;      /* argv prefix; empty: none */
    struct strings observer;     /* argv of planeguard-observer; empty: beside this program */
    const char *proc;            /* process source, a host path: "/proc"; NULL: none */
    const char *manifests;       /* staticPodPath, below the root */
    const char *stage;           /* the dot folder beside it, below the root */
    const char *pod_logs;        /* /var/log/pods, below the root */
    uint64_t kubelet_check_usec; /* fileCheckFrequency, 20 s by default */
    const char *observer_user;   /* who the observer becomes when started as root */
};

/* Reads the description; never fails for what is merely absent. */
int node_load(const struct root *root, struct node **ret, struct err *e);
void node_free(struct node *n);
