"""The kubelet's crash backoff: made long, and read from its log."""
import re

import breaks
import control
import process
from demo_agent import Failed
from node import PKI, read_text

CERTIFICATE, LONG_PAUSE_SEC, CRASHES_SEC = f'{PKI}/apiserver.crt', 160, 60


def announced(node, since=0):
    """The pauses before its next start of the API server that the kubelet's log tells of."""
    return [int(s) for s in re.findall(r'back-off (\d+)s restarting failed container=kube-apiserver',
                                       read_text(node.path('/var/log/kubelet.log'), '')[since:])]


def back_off(node):
    """Crashes it until the kubelet's pause is long, by a cause that is then gone."""
    since = len(read_text(node.path('/var/log/kubelet.log'), ''))
    breaks.take_out(node, CERTIFICATE)
    try:
        process.kill(control.pid_of(node, 'kube-apiserver'))
        if not process.wait_until(lambda: max(announced(node, since), default=0) >= LONG_PAUSE_SEC,
                                  CRASHES_SEC):
            raise Failed("the kubelet's backoff did not get long")
    finally:
        breaks.put_back(node, CERTIFICATE)
