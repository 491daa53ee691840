#include "loop/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 256 };

static int become(const char *user, struct err *e)
{
    const struct passwd *p = getpwnam(user);
    if (!p)
        return err_set(e, -ENOENT, "there is no user \"%s\" to become", user);
    if (p->pw_uid == 0 || p->pw_gid == 0)
        return err_set(e, -EPERM, "user \"%s\" is root, or in its group", user);
    if (setgroups(0, NULL) < 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) < 0 ||
        setresuid(p->pw_uid, p->pw_uid, p->pw_uid) < 0)
        return err_errno(e, errno, "can't become user \"%s\"", user);
    if (setuid(0) == 0 || getuid() != p->pw_uid || geteuid() != p->pw_uid)
        return err_set(e, -EPERM, "user \"%s\" could become root again", user);
    return 0;
}

int privilege_drop(const char *user, struct err *e)
{
    const struct rlimit none = {0, 0}, few = {DESCRIPTORS_MAX, DESCRIPTORS_MAX};
    if (geteuid() == 0) {
        if (!user)
            return err_set(e, -EINVAL, "started as root without --user: whom to become?");
        int r = become(user, e);
        if (r < 0)
            return r;
        /* The change of user cleared it (prctl(2)). */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
            return err_errno(e, errno, "can't ask to end with the agent");
    }
    /* No RLIMIT_NPROC: it counts all that this user runs on the node, containers' processes, too,
     * and the resolver's threads would fail for their sake. The unit's TasksMax bounds us. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_NOFILE, &few) < 0)
        return err_errno(e, errno, "can't give up privileges");
    return 0;
}
