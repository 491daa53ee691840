"""Judges the traces: every call that names a file, a process, a socket or a program.

Only our own processes are judged: the agent, its hands and dead-men, the observer, the verbs. A
program that node.yaml names (crictl, kubeadm) may be started; what it does then is its own matter.
Attempts count as much as what succeeded: a host without Kubernetes hides no wish to look at it."""
import json
import os
import re
from collections import Counter

from straces import calls

# What of the host may be read, by whom it is.
READABLE = [
    ('/etc/ld.so.preload', '/etc/ld.so.cache'),                           # the dynamic linker
    ('/lib/x86_64-linux-gnu/*', '/usr/lib/x86_64-linux-gnu/*', '/lib/aarch64-linux-gnu/*',
     '/usr/lib/aarch64-linux-gnu/*'),                                     # libraries
    ('/usr/lib/ssl/openssl.cnf', '/etc/ssl/openssl.cnf'),                 # OpenSSL's configuration
    ('/proc/self/*', '/proc/sys/kernel/random/boot_id', '/proc/sys/crypto/fips_enabled'),
    ('/proc', ),                                                          # is it mounted?
    ('/etc/nsswitch.conf', '/etc/passwd', '/etc/group'),                  # the observer's user
    ('/etc/gnutls/config', ),                                             # one of libcurl's libraries
    ('/etc/localtime', '/usr/share/zoneinfo/*'),                          # libc's clock
    ('/dev/null', '/dev/urandom'),
    ('/', '/tmp'),                                                        # the way to DIR
]
WRITABLE = ('/dev/null',)
NAME_SERVICE = '/var/run/nscd/socket'                                     # libc's, for that user

READS = {'access', 'faccessat', 'faccessat2', 'stat', 'lstat', 'newfstatat', 'statx', 'readlink',
         'readlinkat', 'statfs', 'chdir', 'inotify_add_watch', 'getdents64', 'getxattr', 'lgetxattr',
         'listxattr', 'llistxattr', 'name_to_handle_at', 'fstatfs'}
CHANGES = {'creat', 'rename', 'renameat', 'renameat2', 'link', 'linkat', 'symlink', 'symlinkat', 'unlink',
           'unlinkat', 'rmdir', 'mkdir', 'mkdirat', 'mknod', 'mknodat', 'chmod', 'fchmod', 'fchmodat',
           'fchmodat2', 'chown', 'lchown', 'fchown', 'fchownat', 'truncate', 'ftruncate', 'fallocate',
           'utime', 'utimes', 'utimensat', 'futimesat', 'setxattr', 'lsetxattr', 'fsetxattr', 'removexattr',
           'lremovexattr', 'fremovexattr'}
OPENS = {'open', 'openat', 'openat2'}
FORKS = {'fork', 'vfork', 'clone', 'clone3'}
# Between our own ends, or about ourselves.
HARMLESS = {'recvmsg', 'sendmsg', 'recvfrom', 'sendto', 'recvmmsg', 'sendmmsg', 'socket', 'socketpair',
            'getsockopt', 'setsockopt', 'getsockname', 'getpeername', 'accept', 'accept4', 'listen',
            'shutdown', 'exit', 'exit_group', 'wait4', 'waitid', 'getcwd', 'pidfd_open', 'rt_sigqueueinfo'}
KILLS = {'kill', 'tkill', 'tgkill', 'pidfd_send_signal'}
EXECUTES = {'execve', 'execveat'}
WRITE_FLAGS = re.compile(r'O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)')


def matches(path, patterns):
    return any(path == p or p.endswith('/*') and path.startswith(p[:-1]) for p in patterns)


class Judge:
    def __init__(self, traces, node, programs):
        self.traces, self.node = traces, node
        self.ours = {os.path.realpath(p) for p in programs}
        text = open(node.path('/etc/planeguard/node.yaml')).read()
        self.named = {json.loads(m)[0] for m in re.findall(r'(?m)^  (?:crictl|kubeadm): (\[.*\])$', text)}
        self.ports = {str(p) for p in node.ports.values()}
        self.found, self.counts = [], Counter()
        self.pids = set()     # processes that we started
        self.shown = set()    # processes of the node that its process source shows
        self.files = {}       # pid: its trace
        for name in sorted(os.listdir(traces)):
            self.files.setdefault(int(name.rpartition('.')[2]), os.path.join(traces, name))

    def wrong(self, pid, call, why):
        program = os.path.basename(self.files[pid]).rpartition('.')[0]
        self.found.append(f'{why} ({program}): {call.text[:240]}')

    def below(self, path):
        return path == self.node.dir or path.startswith(self.node.dir + '/')

    def may_read(self, path, text):
        """`text`: how the call named it. The node's process source leads into /proc."""
        if re.match(r'/proc/self/fd/\d', path):
            return False  # nobody knows what that is
        if self.below(path) or any(matches(path, group) for group in READABLE):
            return True
        pid = re.match(r'/proc/(\d+)(/|$)', path)
        if pid and text.startswith(self.node.path('/run/proc/')):
            self.shown.add(pid[1])
        if pid:
            return pid[1] in self.shown or int(pid[1]) in self.pids
        # beside the agent's own program: is the observer there?
        return path in self.ours or path == os.path.dirname(self.node.dir)

    def files_of(self, pid, call, changes):
        for path, text in call.paths():
            if not changes:
                good = self.may_read(path, text)
            else:
                # who may write through a link that leads out of DIR writes on the host
                real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
                good = path in WRITABLE or self.below(path) and self.below(real)
            self.counts['changes' if changes else 'reads'] += 1
            if not good:
                self.wrong(pid, call, f"{'changes' if changes else 'looks at'} {path}")

    def address(self, pid, call):
        self.counts['addresses'] += 1
        path = call.socket_path()
        if path is not None:
            if not self.below(path) and path != NAME_SERVICE:
                self.wrong(pid, call, f'speaks with {path}')
            return
        port = re.search(r'sin6?_port=htons\((\d+)\)', call.text)
        host = re.search(r'inet_(?:addr\(|pton\(AF_INET6?, )"([^"]+)"', call.text)
        local = host and host[1] in ('127.0.0.1', '::1')
        if 'AF_UNSPEC' not in call.text and not (local and port and port[1] in self.ports and
                                                 call.name == 'connect'):
            self.wrong(pid, call, 'speaks with somebody else')

    def kill(self, pid, call):
        self.counts['signals'] += 1
        target = re.search(r'<pid:(\d+)', call.text) or re.match(r'\w+\(-?(\d+)', call.text)
        if not target or int(target[1]) not in self.files:
            self.wrong(pid, call, 'a signal to somebody else')

    def execute(self, call):
        """'ours', 'named' (not ours to judge), or None: neither."""
        path = call.first_string()
        if path == '/proc/self/exe' or os.path.realpath(path) in self.ours:
            return 'ours'
        return 'named' if path in self.named else None

    def process(self, pid, descriptors=None):
        """Judges one process and those that it starts, in the order of its calls."""
        self.pids.add(pid)
        self.counts['processes'] += 1
        for call in calls(self.files[pid], descriptors):
            if call.name in FORKS:
                if call.result > 0:
                    if call.result not in self.files:
                        self.wrong(pid, call, 'a process without a trace')
                    else:
                        self.process(call.result, dict(call.descriptors))
            elif call.name in EXECUTES:
                kind = self.execute(call)
                if kind is None:
                    self.wrong(pid, call, f'executes {call.first_string()}')
                self.counts['executed'] += 1
                if kind != 'ours' and call.result == 0:
                    self.children_of_named(pid)
                    return
            else:
                self.call(pid, call)

    def children_of_named(self, pid):
        self.pids.add(pid)
        for call in calls(self.files[pid]):
            if call.name in FORKS and call.result in self.files and call.result not in self.pids:
                self.children_of_named(call.result)

    def call(self, pid, call):
        if call.name in OPENS:
            self.files_of(pid, call, WRITE_FLAGS.search(call.text) is not None)
        elif call.name in READS or call.name in CHANGES:
            self.files_of(pid, call, call.name in CHANGES)
        elif call.name in ('connect', 'bind'):
            self.address(pid, call)
        elif call.name in KILLS:
            self.kill(pid, call)
        elif call.name not in HARMLESS:
            self.wrong(pid, call, 'no call for us')

    def run(self):
        started = {c.result for p in self.files.values() for c in calls(p) if c.name in FORKS}
        for pid in self.files:
            if pid not in started:
                self.process(pid)
        for pid in self.files.keys() - self.pids:
            self.found.append(f'nobody started process {pid}, whose trace is there')


def judge(traces, node, programs):
    """(what is wrong, a line on what was looked at)."""
    j = Judge(traces, node, programs)
    j.run()
    seen = ', '.join(f'{j.counts[k]} {k}' for k in ('processes', 'executed', 'reads', 'changes', 'addresses',
                                                    'signals'))
    for kind in ('executed', 'reads', 'changes', 'addresses', 'signals'):
        if not j.counts[kind]:
            j.found.append(f'no {kind} at all: nothing was proven')
    return list(dict.fromkeys(j.found)), seen
