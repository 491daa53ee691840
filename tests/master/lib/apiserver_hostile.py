"""What an API server that was taken over could answer to whoever asks for a verbose health check. Who
asks for a plain one (the kubelet, the tests) gets the honest answer."""
import time
import zlib

HEADER = b'X-Filler: ' + b'a' * 1000 + b'\r\n'
BLOCK = b'[+]ping ok\n' * 6000
HEADERS_BYTES, BOMB_BYTES, DRIP_SEC = 10 << 20, 1 << 30, 1


def endless(write):
    write(b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n')
    while True:
        write(BLOCK)


def drip(write):
    write(b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n')
    while True:
        write(b'[')
        time.sleep(DRIP_SEC)


def headers(write):
    write(b'HTTP/1.1 200 OK\r\n')
    for _ in range(HEADERS_BYTES // len(HEADER)):
        write(HEADER)
    write(b'Content-Length: 2\r\n\r\nok')


def redirect(write):
    write(b'HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/\r\n'
          b'Content-Length: 0\r\n\r\n')


def bomb(write):
    write(b'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n')
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    for _ in range(BOMB_BYTES >> 20):
        write(packer.compress(bytes(1 << 20)))
    write(packer.flush())


def garble(write):
    """Health checks by names that no health check has, with what a terminal would obey."""
    body = b''.join(b'[-]\x1b[2J\x1b]0;%d\x07<script>%%n%%s failed: \xff\xfe\x00\r\n' % i for i in range(1000))
    write(b'HTTP/1.1 500 Internal Server Error\r\nContent-Length: %d\r\n\r\n' % len(body) + body)


WAYS = {'endless': endless, 'drip': drip, 'headers': headers, 'redirect': redirect, 'bomb': bomb,
        'garble': garble}
