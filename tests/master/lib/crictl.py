"""crictl: what planeguard and people use to see and move containers. JSON, exit codes and surprises
as the real one's; options may stand before and after the verb, as with the real one."""
import json
import re
import sys
import time

import cri
from node import timestamp

GLOBAL = {'--runtime-endpoint': 'endpoint', '-r': 'endpoint', '--image-endpoint': 'image',
          '-i': 'image', '--timeout': 'timeout', '-t': 'timeout', '--config': 'config', '-c': 'config'}
DEFAULT_TIMEOUT_SEC = 2.0
EPOCH = '0001-01-01T00:00:00Z'


class Fatal(Exception):
    pass


def duration(text):
    parts = re.findall(r'([0-9.]+)(ms|us|ns|h|m|s)', text)
    if ''.join(a + b for a, b in parts) == text and parts:
        units = {'h': 3600, 'm': 60, 's': 1, 'ms': 1e-3, 'us': 1e-6, 'ns': 1e-9}
        return sum(float(a) * units[b] for a, b in parts) or DEFAULT_TIMEOUT_SEC
    raise Fatal(f'invalid value "{text}" for flag -timeout: parse error')


def split(arguments):
    """(global options, verb, the verb's arguments)."""
    options, i = {'timeout': '2s'}, 0
    while i < len(arguments) and arguments[i].startswith('-'):
        flag, has_value, value = arguments[i].partition('=')
        if flag in ('-D', '--debug'):
            i += 1
            continue
        if flag not in GLOBAL:
            raise Fatal(f'flag provided but not defined: {flag}')
        if not has_value:
            i += 1
            if i >= len(arguments):
                raise Fatal(f'flag needs an argument: {flag}')
            value = arguments[i]
        options[GLOBAL[flag]] = value
        i += 1
    if i >= len(arguments):
        raise Fatal('no verb')
    return options, arguments[i], arguments[i + 1:]


def parse(arguments, flags, valued):
    """({name: value or True}, positional); names are as in `flags` and `valued` (name: spellings)."""
    found, positional, i = {}, [], 0
    spelled = {s: name for name, all_ in {**flags, **valued}.items() for s in all_}
    while i < len(arguments):
        flag, has_value, value = arguments[i].partition('=')
        if not flag.startswith('-'):
            positional.append(arguments[i])
        elif flag not in spelled:
            raise Fatal(f'flag provided but not defined: {flag}')
        elif spelled[flag] in flags:
            found[spelled[flag]] = True
        else:
            if not has_value:
                i += 1
                value = arguments[i] if i < len(arguments) else ''
            found.setdefault(spelled[flag], []).append(value)
        i += 1
    return found, positional


LIST_FLAGS = {'all': ['-a', '--all'], 'quiet': ['-q', '--quiet'], 'latest': ['-l', '--latest'],
              'untruncated': ['--no-trunc']}
LIST_VALUED = {'output': ['-o', '--output'], 'name': ['--name'], 'state': ['--state', '-s'],
               'pod': ['-p', '--pod'], 'label': ['--label'], 'namespace': ['--namespace'],
               'id': ['--id']}


def matches(item, found, state_prefix):
    labels = item['labels']
    wanted = [v.partition('=') for v in found.get('label', [])]
    return all([
        all(re.search(v, item['metadata']['name']) for v in found.get('name', [])),
        all(item['state'] == state_prefix + v.upper() for v in found.get('state', [])),
        all(item['id'].startswith(v) for v in found.get('id', [])),
        all(item.get('podSandboxId', '').startswith(v) for v in found.get('pod', [])),
        all(re.search(v, labels['io.kubernetes.pod.namespace']) for v in found.get('namespace', [])),
        all(labels.get(k) == v for k, _, v in wanted)])


def container_json(c):
    return {'id': c['id'], 'podSandboxId': c['podSandboxId'], 'metadata': c['metadata'],
            'image': c['image'], 'imageRef': c['imageRef'], 'state': c['state'],
            'createdAt': str(c['createdAt']), 'labels': c['labels'], 'annotations': c['annotations']}


def sandbox_json(s):
    return {'id': s['id'], 'metadata': s['metadata'], 'state': s['state'],
            'createdAt': str(s['createdAt']), 'labels': s['labels'],
            'annotations': s['annotations'], 'runtimeHandler': s['runtimeHandler']}


def moment(nanoseconds):
    return timestamp(nanoseconds) if nanoseconds else EPOCH


def status_json(c):
    mounts = [{'containerPath': m['containerPath'], 'hostPath': m['hostPath'],
               'propagation': 'PROPAGATION_PRIVATE', 'readonly': m['readonly'],
               'selinuxRelabel': False} for m in c['mounts']]
    status = {'annotations': c['annotations'], 'createdAt': moment(c['createdAt']),
              'exitCode': c['exitCode'], 'finishedAt': moment(c['finishedAt']), 'id': c['id'],
              'image': c['image'], 'imageRef': c['imageRef'], 'labels': c['labels'],
              'logPath': c['logPath'], 'message': c['message'], 'metadata': c['metadata'],
              'mounts': mounts, 'reason': c['reason'], 'resources': {},
              'startedAt': moment(c['startedAt']), 'state': c['state']}
    config = {'metadata': c['metadata'], 'image': {'image': c['imageRef']}, 'command': c['command'],
              'labels': c['labels'], 'annotations': c['annotations'], 'log_path': c['logPath']}
    return {'status': status, 'info': {'sandboxID': c['podSandboxId'], 'pid': c['pid'],
                                       'removing': False, 'config': config}}


def age(nanoseconds):
    seconds = (time.time_ns() - nanoseconds) // 10**9
    return f'{seconds // 60} minutes ago' if seconds >= 60 else f'{seconds} seconds ago'


def show(value):
    print(json.dumps(value, indent=2))


def list_items(call, arguments, containers):
    found, _ = parse(arguments, LIST_FLAGS, LIST_VALUED)
    prefix = 'CONTAINER_' if containers else 'SANDBOX_'
    items = [i for i in call('ListContainers' if containers else 'ListPodSandbox')
             if matches(i, found, prefix)]
    if containers and not found.get('all') and not found.get('state'):
        items = [i for i in items if i['state'] == 'CONTAINER_RUNNING']
    items = items[:1] if found.get('latest') else items
    if found.get('quiet'):
        for i in items:
            print(i['id'])
    elif found.get('output', ['table'])[-1] == 'json':
        show({'containers': [container_json(i) for i in items]} if containers
             else {'items': [sandbox_json(i) for i in items]})
    else:
        print(f"{'CONTAINER' if containers else 'POD ID':<16}{'CREATED':<20}{'STATE':<12}"
              f"{'NAME':<32}ATTEMPT")
        for i in items:
            print(f"{i['id'][:13]:<16}{age(i['createdAt']):<20}"
                  f"{i['state'][len(prefix):].capitalize():<12}{i['metadata']['name']:<32}"
                  f"{i['metadata']['attempt']}")


def each(identities, what, act):
    """Goes on after a failure, says so, and fails at the end."""
    if not identities:
        raise Fatal('ID cannot be empty')
    failed = False
    for identity in identities:
        try:
            act(identity)
        except cri.CriError as e:
            failed = True
            sys.stderr.write(f'E{time.strftime("%m%d %H:%M:%S")} "{what} from runtime service failed" '
                             f'err="rpc error: code = {e.code} desc = {e}" ID="{identity}"\n')
    if failed:
        raise Fatal(f'{what}: unable to do it to all of them')


def remove(call, arguments):
    found, identities = parse(arguments, {'force': ['-f', '--force'], 'all': ['-a', '--all']}, {})
    if found.get('all'):
        identities = [c['id'] for c in call('ListContainers')]

    def one(identity):
        c = call('ContainerStatus', id=identity)
        if c['state'] == 'CONTAINER_RUNNING':
            if not found.get('force'):
                raise cri.CriError('Unknown', f'container "{identity}" is running, please stop it first')
            call('StopContainer', id=identity, timeout=0)
        call('RemoveContainer', id=identity)
        print(identity)

    each(identities, 'removing container', one)


def stop(call, arguments):
    found, identities = parse(arguments, {}, {'timeout': ['-t', '--timeout']})
    grace = float(found.get('timeout', ['0'])[-1])

    def one(identity):
        call('StopContainer', id=identity, timeout=grace, patience=grace)
        print(identity)

    each(identities, 'stopping container', one)


def stop_pods(call, arguments):
    def one(identity):
        call('StopPodSandbox', id=identity)
        print(f'Stopped sandbox {identity}')

    each(parse(arguments, {}, {})[1], 'stopping pod sandbox', one)


def remove_pods(call, arguments):
    found, identities = parse(arguments, {'force': ['-f', '--force'], 'all': ['-a', '--all']}, {})
    if found.get('all'):
        identities = [s['id'] for s in call('ListPodSandbox')]

    def one(identity):
        if call('PodSandboxStatus', id=identity)['state'] == 'SANDBOX_READY':
            if not found.get('force'):
                raise cri.CriError('Unknown', f'pod sandbox "{identity}" is running, please stop it first')
            call('StopPodSandbox', id=identity)
        call('RemovePodSandbox', id=identity)
        print(f'Removed sandbox {identity}')

    each(identities, 'removing pod sandbox', one)


def inspect(call, arguments):
    identities = parse(arguments, {}, {'output': ['-o', '--output']})[1]
    for c in [call('ContainerStatus', id=i) for i in identities]:
        show(status_json(c))
    if not identities:
        raise Fatal('ID cannot be empty')


def info(call, arguments):
    parse(arguments, {'quiet': ['-q', '--quiet']}, {'output': ['-o', '--output']})
    show({'status': call('Status'), 'config': {}})


def version(call, _):
    for key, value in call('Version').items():
        print(f'{key[0].upper() + key[1:]}:  {value}')


VERBS = {'ps': lambda c, a: list_items(c, a, True), 'pods': lambda c, a: list_items(c, a, False),
         'rm': remove, 'stop': stop, 'stopp': stop_pods, 'rmp': remove_pods, 'inspect': inspect,
         'info': info, 'version': version}


def main(_, argv):
    try:
        options, verb, arguments = split(argv[1:])
        if verb not in VERBS:
            sys.stderr.write(f'No help topic for \'{verb}\'\n')
            return 3
        endpoint = options.get('endpoint', '')
        if not endpoint.startswith('unix://'):
            raise Fatal('validate service connection: no --runtime-endpoint unix://... is given, and '
                        'there is no default here')
        timeout = duration(options['timeout'])

        def call(method, patience=0.0, **request):
            return cri.call(endpoint[len('unix://'):], method, timeout + patience, **request)

        VERBS[verb](call, arguments)
        return 0
    except Fatal as e:
        sys.stderr.write(f'FATA[0000] {e}\n')
    except cri.CriError as e:
        prefix = 'validate service connection: validate CRI v1 runtime API for endpoint ' \
                 f'"{endpoint}": ' if e.code == 'Unavailable' else ''
        sys.stderr.write(f'FATA[0000] {prefix}rpc error: code = {e.code} desc = {e}\n')
    except BrokenPipeError:
        pass
    return 1
