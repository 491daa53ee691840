"""The way to the runtime: one JSON line to its socket, one back. Used by crictl and the kubelet."""
import json
import socket


class CriError(Exception):
    """`code` is gRPC's word: Unavailable, DeadlineExceeded, NotFound, Unknown."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def call(path, method, deadline, **arguments):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(deadline)
        try:
            s.connect(path)
        except OSError as e:
            reason = {2: 'no such file or directory', 111: 'connection refused'}.get(e.errno, str(e))
            raise CriError('Unavailable', 'connection error: desc = "transport: Error while dialing: '
                           f'dial unix {path}: connect: {reason}"') from e
        try:
            s.sendall(json.dumps({'method': method, **arguments}).encode() + b'\n')
            with s.makefile('r') as f:
                line = f.readline()
        except TimeoutError as e:
            raise CriError('DeadlineExceeded', 'context deadline exceeded') from e
        except OSError as e:
            raise CriError('Unavailable', f'error reading from server: {e}') from e
    if not line.endswith('\n'):
        raise CriError('Unavailable', 'error reading from server: EOF')
    answer = json.loads(line)
    if 'error' in answer:
        raise CriError(answer['error']['code'], answer['error']['message'])
    return answer['result']
