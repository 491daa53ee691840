/* The kubelet's configuration and the node's description, each with the same bytes: places that are
 * absolute paths, and a stage that isn't the manifests' folder. */
#include <stdlib.h>
#include <string.h>

#include "config/node.h"
#include "config/text.h"
#include "fuzz.h"

static void look(const struct node *n)
{
    fuzz_must(text_is_path(n->manifests) && text_is_path(n->stage) && text_is_path(n->pod_logs));
    fuzz_must(strcmp(n->manifests, n->stage) != 0);
    fuzz_must(n->kubelet_check_usec > 0 && n->name);
    fuzz_must(!n->proc || text_is_path(n->proc));
    const struct strings *argv[] = {&n->crictl, &n->kubeadm, &n->observer};
    for (size_t i = 0; i < sizeof argv / sizeof *argv; i++)
        fuzz_must(!argv[i]->count || text_is_path(argv[i]->at[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static bool is_made;
    if (!is_made) {
        fuzz_folder("/etc/planeguard");
        fuzz_folder("/var/lib/kubelet");
        is_made = true;
    }
    struct node *n = NULL;
    struct err e = {0};
    fuzz_write("/etc/planeguard/node.yaml", "", 0);
    fuzz_write("/var/lib/kubelet/config.yaml", bytes, length);
    fuzz_must(node_load(fuzz_root(), &n, &e) == 0); /* never fails for the kubelet's sake */
    look(n);
    node_free(n);
    n = NULL;
    fuzz_write("/etc/planeguard/node.yaml", bytes, length);
    if (node_load(fuzz_root(), &n, &e) == 0)
        look(n);
    else
        fuzz_must(*e.text && fuzz_is_harmless(e.text));
    node_free(n);
    return 0;
}
