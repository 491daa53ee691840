/* The world: each trouble as probes see it, the kubelet's rules one by one, rest, and determinism.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_world_fake.h"
#include "world/inside.h"

static const char livez[] =
    "{url: 'https://127.0.0.1:6443/livez?verbose&exclude=etcd', ca: /etc/kubernetes/pki/ca.crt}";
static const char container[] = "{name: kube-apiserver}";

static void a_rest(void **state)
{
    (void)state;
    fake_begin(3, 1, NULL);
    fake_run(1);
    uint64_t changes = fake.changes;
    fake_run(20 * 3600);
    assert_int_equal(fake.changes, changes);
    assert_int_equal(fake_look(0, "https", livez).verdict, SIGNAL_PASS);
    assert_int_equal(fake_look(2, "container", container).verdict, SIGNAL_PASS);
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rest),
    };
    json_setup();
    return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
