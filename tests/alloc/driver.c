/* The workloads that run inside one process: each is one word, then a folder or a file.
 *
 *   load FOLDER          the shipped documents
 *   match FILE           a story of tests/decide: what leaves the core, word for word
 *   certificate FOLDER   a certificate, its key, its chain, a kubeconfig
 *   write FOLDER         the journal: opened, records, closed
 *   make, plan, heal, mend FOLDER   see node.c
 *
 * Exit 0: right, and what is printed is the answer. 1: it says on standard error what failed. What
 * else it may be is base/mem.h's to say. */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/kinds.h"
#include "base/mem.h"
#include "config/certificate.h"
#include "engine/catalog.h"
#include "fail.h"

OWNER(struct generation, generation_unref);

int told(const struct err *e)
{
    (void)fprintf(stderr, "%s\n", e->text);
    return EXIT_TOLD;
}

static void counting_begin(void)
{
    if (alloc_begin)
        alloc_begin();
}

/* ---- load ---- */

static int load(const char *folder)
{
    struct root *root = NULL;
    OWNED(generation_unref) struct generation *g = NULL;
    struct complaints c = {0};
    struct err e;
    char hex[DIGEST_HEX + 1];
    const struct catalog kinds = catalog_of_rooms();
    counting_begin();
    if (root_open(folder, &root, &e) < 0)
        return told(&e);
    (void)generation_load(root, getenv("ALLOC_TOP"), NULL, &kinds, &g, &c);
    for (size_t i = 0; i < c.count; i++)
        (void)fprintf(stderr, "%s\n", c.at[i].text);
    if (g)
        (void)printf("%s %zu %zu %zu %s\n", digest_hex(&g->digest, hex), g->probe_count,
                     g->failure_count, g->playbook_count, g->policy->meta.name);
    complaints_fini(&c);
    root_free(root);
    return g ? EXIT_RIGHT : EXIT_TOLD;
}

/* ---- certificate ---- */

static struct buf bytes_of(const struct root *root, const char *path)
{
    struct buf b = {0};
    struct err e;
    if (file_read(root, path, 0, CERTIFICATE_FILE_BYTES_MAX, &b, &e) < 0)
        exit(told(&e));
    return b;
}

static void say_kubeconfig(const struct root *root)
{
    OWNED(key_bytes_fini) struct buf text = bytes_of(root, "/kubeconfig");
    OWNED(kubeconfig_fini) struct kubeconfig k = {0};
    struct err e;
    if (kubeconfig_parse("kubeconfig", text.bytes, text.length, &k, &e) < 0)
        exit(told(&e));
    (void)printf("kubeconfig: certificate of %zu bytes, key %s\n", k.certificate.pem.length,
                 k.key.path);
}

static int certificate(const char *folder)
{
    struct root *root = NULL;
    struct certificates *leaf = NULL, *ca = NULL;
    struct certificate c;
    struct err e;
    char reason[256] = "";
    counting_begin();
    if (root_open(folder, &root, &e) < 0)
        return told(&e);
    struct buf pem = bytes_of(root, "/leaf.crt"), key = bytes_of(root, "/leaf.key"),
               anchor = bytes_of(root, "/ca.crt");
    if (certificates_parse(pem.bytes, pem.length, &leaf, &e) < 0 ||
        certificates_parse(anchor.bytes, anchor.length, &ca, &e) < 0 ||
        certificate_at(leaf, 0, &c, &e) < 0)
        return told(&e);
    (void)printf("%s %s %s\n", c.serial, c.subject, c.issuer);
    (void)printf("key: %d\n", certificate_key_matches(leaf, key.bytes, key.length, &e));
    (void)printf("foreign key: %d\n", certificate_key_matches(ca, key.bytes, key.length, &e));
    (void)printf("chain: %d\n", certificate_chain_holds(leaf, ca, reason, sizeof reason));
    (void)printf("wrong chain: %d %s\n", certificate_chain_holds(ca, leaf, reason, sizeof reason),
                 reason);
    say_kubeconfig(root);
    certificates_free(leaf);
    certificates_free(ca);
    buf_fini(&pem);
    buf_fini(&key);
    buf_fini(&anchor);
    root_free(root);
    return EXIT_RIGHT;
}

/* ---- write ---- */

static int write_records(struct journal *j, struct err *e)
{
    for (int i = 0; i < 8; i++) {
        for (int k = 0; k <= i; k++) {
            json_t *fields = json_object();
            json_put(fields, "why", json_string_or_null("for the sake of it"));
            json_put(fields, "number", json_integer(10 * i + k));
            journal_add(j, k ? RECORD_EFFECT : RECORD_INTENT, fields);
        }
        int code = journal_sync(j, e);
        if (code < 0)
            return code;
        (void)printf("durable up to %llu\n", (unsigned long long)journal_seq(j));
    }
    return 0;
}

static int write_journal(const char *folder)
{
    struct root *root = NULL;
    struct journal *j = NULL;
    struct journal_opened opened;
    struct err e;
    counting_begin();
    (void)setvbuf(stdout, NULL, _IONBF, 0); /* what was said to be durable stays said */
    if (root_open(folder, &root, &e) < 0 || folder_make(root, JOURNAL_FOLDER, 0700, &e) < 0 ||
        journal_open(root, "master1", &j, &opened, &e) < 0 || write_records(j, &e) < 0)
        return told(&e);
    journal_close(j);
    root_free(root);
    return EXIT_RIGHT;
}

/* ---- all of them ---- */

struct generation *documents_load(const struct root *root)
{
    static struct catalog kinds; /* the generation refers to it */
    struct complaints c = {0};
    struct generation *g = NULL;
    kinds = catalog_of_rooms();
    if (generation_load(root, getenv("ALLOC_TOP"), NULL, &kinds, &g, &c) < 0) {
        (void)fprintf(stderr, "%s\n", c.count ? c.at[0].text : "no documents");
        exit(EXIT_SETUP);
    }
    complaints_fini(&c);
    return g;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*act)(const char *path);
    } words[] = {
        {"load", load},           {"match", match_story}, {"certificate", certificate},
        {"write", write_journal}, {"make", node_make},    {"plan", node_plan},
        {"heal", node_heal},      {"mend", node_mend},
    };
    if (argc > 2 && !strcmp(argv[1], "crictl"))
        return runtime_main(argc, argv);
    mem_setup();
    json_setup();
    if (argc == 6 && !strcmp(argv[3], "recover"))
        return deadman_main(argv);
    for (size_t i = 0; argc == 3 && i < sizeof words / sizeof *words; i++)
        if (!strcmp(argv[1], words[i].word))
            return words[i].act(argv[2]);
    (void)fprintf(stderr, "usage: driver WORD PATH\n");
    return EXIT_SETUP;
}
