"""strace's output, a file a process (-ff -yy), read call by call."""
import os
import re

LINE = re.compile(r'^(\w+)\((.*)$')
RESULT = re.compile(r'\)\s+= (-?\d+|\?)(?:<(.*?)>)?(?:\(deleted\))?(?: .*)?$')
TOKEN = re.compile(r'(AT_FDCWD|\b\d+)<((?:[^<>]|<[^<>]*>)*)>|"((?:[^"\\]|\\.)*)"')
ONE_NAME = {'link', 'rename'}                        # two strings, both names below the working folder
TWO_NAMES = {'linkat', 'renameat', 'renameat2'}      # two folders with a name each
OF_DESCRIPTOR = {'fchmod', 'fchown', 'ftruncate', 'fallocate', 'fsetxattr', 'fremovexattr', 'getdents64',
                 'fstatfs'}


class Call:
    def __init__(self, line, name, rest, descriptors):
        self.text, self.name, self.descriptors = line, name, descriptors
        end = RESULT.search(rest)
        self.arguments = rest[:end.start()] if end else rest
        self.result = int(end[1]) if end and end[1] != '?' else -1
        self.result_path = end[2] if end else None

    def first_string(self):
        found = re.search(r'"((?:[^"\\]|\\.)*)"', self.arguments)
        return found[1] if found else ''

    def named(self):
        """[(folder, name)]"""
        if self.name in OF_DESCRIPTOR:
            token = TOKEN.match(self.arguments)
            return [(token[2], '')] if token and token[2] is not None else []
        pairs, folder = [], '/'
        for token in TOKEN.finditer(self.arguments):
            if token[3] is None:
                folder = token[2]
                continue
            pairs.append((folder, token[3]))
            folder = '/'
        if self.name in ('symlink', 'symlinkat'):
            return pairs[1:2] if self.name == 'symlink' else [(folder_of(self.arguments), pairs[-1][1])]
        if not pairs and self.name == 'utimensat':
            return [(folder, '')]
        return pairs[:2] if self.name in ONE_NAME | TWO_NAMES else pairs[:1]

    def paths(self):
        """[(where it is, how it was named)]"""
        found = []
        for folder, name in self.named():
            if not folder.startswith('/'):
                if not name.startswith('/'):
                    continue  # a pipe, a socket, a timer of our own
                folder = '/'
            inside = folder if 'RESOLVE_IN_ROOT' in self.text else '/'
            folder = folder.partition('<')[0]  # of a device: <char 1:3>
            path = inside + '/' + name if name.startswith('/') else f'{folder}/{name}'
            text = os.path.normpath('/' + path.lstrip('/'))
            found.append((self.where(text), text))
        if found and self.name.startswith('open') and self.result >= 0 and self.result_path:
            found[0] = self.result_path.partition('<')[0].removesuffix(' (deleted)'), found[0][1]
        return found

    def where(self, path):
        """/proc/self/fd/N is what N is."""
        number = re.match(r'/proc/self/fd/(\d+)(/.*)?$', path)
        if number and int(number[1]) in self.descriptors:
            return self.descriptors[int(number[1])] + (number[2] or '')
        return path

    def socket_path(self):
        found = re.search(r'sun_path=(@?)"([^"]*)"', self.text)
        return None if not found else '@' + found[2] if found[1] else self.where(found[2])


def folder_of(arguments):
    folders = [t[2] for t in TOKEN.finditer(arguments) if t[2] is not None]
    return folders[-1] if folders else '/'


def calls(path, descriptors=None):
    """Each Call of one process; `descriptors`: what it has from its parent (number: path)."""
    known = descriptors if descriptors is not None else {}
    with open(path, errors='replace') as f:
        for line in f:
            line = line.rstrip('\n')
            begin = LINE.match(line)
            if not begin:
                continue
            call = Call(line, begin[1], begin[2], known)
            yield call
            if call.name.startswith('open') and call.result >= 0 and call.result_path:
                known[call.result] = call.result_path
