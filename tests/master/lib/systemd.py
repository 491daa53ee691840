"""The node's first process: what systemd is to kubelet.service and containerd.service, on a private
D-Bus; and the end of everything: when it goes, however it goes, every process of the node goes."""
import os
import secrets
import signal
import subprocess
import sys
import time

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

import process
from node import BUS_SOCKET, FAULTS, MARK, PROC, Node, write_atomically

NAME = 'org.freedesktop.systemd1'
MANAGER, UNIT, SERVICE = NAME + '.Manager', NAME + '.Unit', NAME + '.Service'
PROPERTIES = 'org.freedesktop.DBus.Properties'
ROOT = '/org/freedesktop/systemd1'
BUS_WAIT_SEC = 5
STOP_TIMEOUT_SEC = 90  # DefaultTimeoutStopSec
REAP_MSEC = 500

BUS_CONFIGURATION = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
'''
KUBELET_ARGUMENTS = ['--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf',
                     '--kubeconfig=/etc/kubernetes/kubelet.conf',
                     '--config=/var/lib/kubelet/config.yaml']


def unit_path(name):
    return ROOT + '/unit/' + ''.join(c if c.isalnum() and c.isascii() else f'_{ord(c):02x}'
                                     for c in name)


def monotonic_usec():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


class Unit(dbus.service.Object):
    """A unit and its process. `argv` None: there is no such unit ("not-found")."""

    def __init__(self, manager, name, argv=None, restart_sec=0.0, log=None):
        super().__init__(manager.bus, unit_path(name))
        self.manager, self.name, self.argv = manager, name, argv
        self.restart_sec, self.log = restart_sec, log
        self.active, self.sub, self.result = 'inactive', 'dead', 'success'
        self.pid = self.restarts = self.exit_code = self.exit_status = 0
        self.entered = self.left = 0
        self.invocation = b''
        self.timer = None
        self.stopping = None  # what to do when the process has gone
        self.job_path = None

    # what others see

    def properties(self, interface):
        if interface == UNIT:
            return {
                'Id': self.name, 'Names': dbus.Array([self.name], 's'), 'Description': self.name,
                'LoadState': 'loaded' if self.argv else 'not-found', 'ActiveState': self.active,
                'SubState': self.sub, 'UnitFileState': 'enabled' if self.argv else '',
                'ActiveEnterTimestampMonotonic': dbus.UInt64(self.entered),
                'ActiveExitTimestampMonotonic': dbus.UInt64(self.left),
                'InvocationID': dbus.ByteArray(self.invocation),
                'Job': dbus.Struct((dbus.UInt32(0), dbus.ObjectPath('/')), signature='uo')}
        if interface == SERVICE:
            return {
                'Type': 'simple', 'Restart': 'always', 'MainPID': dbus.UInt32(self.pid),
                'RestartUSec': dbus.UInt64(int(self.restart_sec * 1e6)), 'Result': self.result,
                'ExecMainPID': dbus.UInt32(self.pid), 'ExecMainCode': dbus.Int32(self.exit_code),
                'ExecMainStatus': dbus.Int32(self.exit_status),
                'NRestarts': dbus.UInt32(self.restarts)}
        return {}

    @dbus.service.method(PROPERTIES, in_signature='ss', out_signature='v')
    def Get(self, interface, name):
        try:
            return self.properties(interface)[name]
        except KeyError:
            raise dbus.exceptions.DBusException(
                f'Unknown interface {interface} or property {name}.',
                name='org.freedesktop.DBus.Error.UnknownProperty') from None

    @dbus.service.method(PROPERTIES, in_signature='s', out_signature='a{sv}')
    def GetAll(self, interface):
        if interface:
            return self.properties(interface)
        return {**self.properties(UNIT), **self.properties(SERVICE)}

    @dbus.service.signal(PROPERTIES, signature='sa{sv}as')
    def PropertiesChanged(self, interface, changed, invalidated):
        pass

    def became(self, active, sub):
        if active == 'active' and self.active != 'active':
            self.entered = monotonic_usec()
        if self.active == 'active' and active != 'active':
            self.left = monotonic_usec()
        self.active, self.sub = active, sub
        if self.manager.subscribers:
            for interface in (SERVICE, UNIT):
                self.PropertiesChanged(interface, self.properties(interface),
                                       dbus.Array([], 's'))

    # its process

    def spawn(self):
        self.drop_timer()
        self.invocation = secrets.token_bytes(16)
        parent = os.getpid()
        with open(self.log, 'ab') as log:
            self.pid = subprocess.Popen(
                self.argv, executable='/usr/bin/python3', stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
                preexec_fn=lambda: process.die_with_parent(parent)).pid
        GLib.io_add_watch(os.pidfd_open(self.pid), GLib.IO_IN, self.ended, self.pid)
        process.show(self.manager.node, self.pid)
        self.result = 'success'
        self.became('active', 'running')

    def ended(self, pidfd, _, pid):
        os.close(pidfd)
        self.gone(os.waitpid(pid, 0)[1])
        return False

    def gone(self, status):
        process.hide(self.manager.node, self.pid)
        self.pid = 0
        self.drop_timer()
        if os.WIFSIGNALED(status):
            self.exit_code, self.exit_status = 2, os.WTERMSIG(status)
            result = 'success' if self.exit_status in (1, 2, 13, 15) else 'signal'
        else:
            self.exit_code, self.exit_status = 1, os.WEXITSTATUS(status)
            result = 'success' if self.exit_status == 0 else 'exit-code'
        if self.stopping:
            after, self.stopping = self.stopping, None
            after()
            return
        self.result = result
        if os.path.exists(self.manager.node.path(f'{FAULTS}/{self.name}-gives-up')):
            self.became('failed', 'failed')  # as after too many starts, or with Restart=no
            return
        self.became('activating', 'auto-restart')
        self.timer = GLib.timeout_add(int(self.restart_sec * 1000), self.restart_by_itself)

    def restart_by_itself(self):
        self.timer = None
        self.restarts += 1
        self.spawn()
        return False

    def drop_timer(self):
        if self.timer:
            GLib.source_remove(self.timer)
            self.timer = None

    def end(self, then):
        """Ends the process if there is one, as systemd does: SIGTERM, SIGCONT, and SIGKILL later."""
        if not self.pid:
            self.drop_timer()
            then()
            return
        self.stopping = then
        self.became('deactivating', 'stop-sigterm')
        process.kill(self.pid, signal.SIGTERM)
        process.kill(self.pid, signal.SIGCONT)
        self.drop_timer()
        self.timer = GLib.timeout_add(
            int(self.manager.node.scaled(STOP_TIMEOUT_SEC, 2) * 1000), self.kill_at_last)

    def kill_at_last(self):
        self.timer = None
        process.kill(self.pid, signal.SIGKILL)
        return False

    # jobs

    def run_job(self, verb, done):
        if not self.argv:
            done('failed')
        elif verb == 'StartUnit':
            if not self.pid:
                self.restarts = 0
                self.spawn()
            done('done')
        elif verb == 'RestartUnit':
            def again():
                self.restarts = 0
                self.spawn()
                done('done')
            self.end(again)
        else:
            def dead():
                self.became('inactive', 'dead')
                done('done')
            self.end(dead)


class Manager(dbus.service.Object):
    def __init__(self, bus, node):
        super().__init__(bus, ROOT)
        self.bus, self.node = bus, node
        self.subscribers = set()
        self.jobs = 0
        kubelet = process.python('/usr/bin/kubelet', node.path('/usr/bin/kubelet'),
                                 *KUBELET_ARGUMENTS)
        containerd = process.python('/usr/bin/containerd', node.path('/usr/bin/containerd'))
        self.units = {
            'containerd.service': Unit(self, 'containerd.service', containerd, node.scaled(5, 0.1),
                                       node.path('/var/log/containerd.log')),
            'kubelet.service': Unit(self, 'kubelet.service', kubelet, node.scaled(10, 0.1),
                                    node.path('/var/log/kubelet.log'))}

    def unit(self, name):
        if name not in self.units:
            raise dbus.exceptions.DBusException(f'Unit {name} not loaded.', name=NAME + '.NoSuchUnit')
        return self.units[name]

    def load(self, name):
        if '.' not in name:
            raise dbus.exceptions.DBusException(f'Unit name {name} is not valid.',
                                                name='org.freedesktop.DBus.Error.InvalidArgs')
        if name not in self.units:
            self.units[name] = Unit(self, name)
            if self.subscribers:
                self.UnitNew(name, unit_path(name))
        return self.units[name]

    def job(self, verb, name):
        unit = self.load(name)
        if not unit.argv:
            raise dbus.exceptions.DBusException(f'Unit {name} not found.', name=NAME + '.NoSuchUnit')
        self.jobs += 1
        number, path = self.jobs, f'{ROOT}/job/{self.jobs}'

        def removed(result):
            if self.subscribers:
                self.JobRemoved(number, path, name, result)

        def run():
            unit.run_job(verb, removed)
            return False

        if self.subscribers:
            self.JobNew(number, path, name)
        GLib.idle_add(run)
        return path

    @dbus.service.method(MANAGER, in_signature='s', out_signature='o')
    def GetUnit(self, name):
        return unit_path(self.unit(name).name)

    @dbus.service.method(MANAGER, in_signature='s', out_signature='o')
    def LoadUnit(self, name):
        return unit_path(self.load(name).name)

    @dbus.service.method(MANAGER, in_signature='ss', out_signature='o')
    def StartUnit(self, name, mode):
        return self.job('StartUnit', name)

    @dbus.service.method(MANAGER, in_signature='ss', out_signature='o')
    def RestartUnit(self, name, mode):
        return self.job('RestartUnit', name)

    @dbus.service.method(MANAGER, in_signature='ss', out_signature='o')
    def StopUnit(self, name, mode):
        return self.job('StopUnit', name)

    @dbus.service.method(MANAGER, in_signature='s')
    def ResetFailedUnit(self, name):
        unit = self.unit(name)
        unit.restarts = 0
        if unit.active == 'failed':
            unit.result = 'success'
            unit.became('inactive', 'dead')

    @dbus.service.method(MANAGER, in_signature='ssi')
    def KillUnit(self, name, who, number):
        unit = self.unit(name)
        if unit.pid:
            process.kill(unit.pid, number)

    @dbus.service.method(MANAGER, sender_keyword='sender')
    def Subscribe(self, sender=None):
        if sender not in self.subscribers:
            self.subscribers.add(sender)
            self.bus.watch_name_owner(
                sender, lambda owner: None if owner else self.subscribers.discard(sender))

    @dbus.service.method(MANAGER, sender_keyword='sender')
    def Unsubscribe(self, sender=None):
        self.subscribers.discard(sender)

    @dbus.service.method(MANAGER, out_signature='a(ssssssouso)')
    def ListUnits(self):
        return [(u.name, u.name, 'loaded' if u.argv else 'not-found', u.active, u.sub, '',
                 unit_path(u.name), 0, '', '/') for u in self.units.values()]

    @dbus.service.method(MANAGER)
    def Reload(self):
        pass

    @dbus.service.method(PROPERTIES, in_signature='ss', out_signature='v')
    def Get(self, interface, name):
        values = {'Version': '252 (stand-in)', 'SystemState': 'running'}
        if name not in values:
            raise dbus.exceptions.DBusException(name, name='org.freedesktop.DBus.Error.UnknownProperty')
        return values[name]

    @dbus.service.signal(MANAGER, signature='so')
    def UnitNew(self, name, path):
        pass

    @dbus.service.signal(MANAGER, signature='uos')
    def JobNew(self, number, path, unit):
        pass

    @dbus.service.signal(MANAGER, signature='uoss')
    def JobRemoved(self, number, path, unit, result):
        pass


def try_connect(path):
    try:
        return dbus.bus.BusConnection(f'unix:path={path}')
    except dbus.DBusException:  # not there yet, or not listening yet
        return None


def start_bus(node):
    path = node.path(BUS_SOCKET)
    if os.path.exists(path):
        os.unlink(path)
    configuration = node.path('/run/bus.conf')
    write_atomically(configuration, BUS_CONFIGURATION.format(path=path))
    parent = os.getpid()
    daemon = subprocess.Popen(
        ['/usr/bin/dbus-daemon', f'--config-file={configuration}', '--nofork', '--nopidfile'],
        stdin=subprocess.DEVNULL, preexec_fn=lambda: process.die_with_parent(parent))
    bus = process.wait_until(lambda: try_connect(path), BUS_WAIT_SEC, 0.005)
    if not bus:
        sys.exit('systemd: the dbus-daemon does not come up')
    bus.set_exit_on_disconnect(False)
    bus.request_name(NAME)
    return daemon, bus


def end_everything(node):
    """Kills what descends from here until nothing does."""
    for _ in range(200):
        left = set(process.descendants(os.getpid())) | set(process.marked(node.dir))
        for pid in left:
            process.kill(pid)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        if not left:
            break
        time.sleep(0.01)
    for name in os.listdir(node.path(PROC)):
        if name.isdigit():
            process.hide(node, int(name))


def reap_orphans(manager):
    """Shims that have ended: their parent is the first process. Units' processes are not ours here."""
    units = {u.pid for u in manager.units.values()}
    for pid in process.zombies(os.getpid()):
        if pid not in units:
            os.waitpid(pid, os.WNOHANG)
    return True


def turn(manager, tied_to):
    """The loop, until SIGTERM or until the process that we are tied to has gone."""
    loop = GLib.MainLoop()
    GLib.timeout_add(REAP_MSEC, reap_orphans, manager)
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
    if tied_to:
        GLib.io_add_watch(os.pidfd_open(tied_to), GLib.IO_IN, lambda *_: loop.quit())
    loop.run()


def main(folder, argv):
    """argv: [launcher, --ready FD, --tied PID]"""
    os.environ[MARK] = folder
    ready, tied_to = int(argv[argv.index('--ready') + 1]), int(argv[argv.index('--tied') + 1])
    process.become(['/usr/lib/systemd/systemd'])
    process.become_subreaper()
    node = Node(folder)
    for name in os.listdir(node.path(PROC)):
        os.unlink(node.path(f'{PROC}/{name}'))
    for name in ('self', 'net', 'stat', 'uptime', 'meminfo', 'sys', 'pressure', 'loadavg'):
        os.symlink(f'/proc/{name}', node.path(f'{PROC}/{name}'))
    write_atomically(node.path('/run/systemd.pid'), str(os.getpid()))
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    try:
        daemon, bus = start_bus(node)
        manager = Manager(bus, node)
        for name in ('containerd.service', 'kubelet.service'):
            manager.units[name].spawn()
        os.write(ready, b'ready\n')
        os.close(ready)
        turn(manager, tied_to)
    finally:
        end_everything(node)
        os.unlink(node.path('/run/systemd.pid'))
    return 0
