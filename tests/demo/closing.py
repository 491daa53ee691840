"""What stays of the scenes: their times side by side, the journal's proof, one incident's story."""
from demo_agent import Failed


def table(screen, scenes):
    screen.heading('The scenes side by side', 'times from the break')
    screen.line(f"  {'':<18}{'seen':>8}{'acted':>9}{'healed':>9}   {'kubelet alone':<18}way", 'dim')
    for s in scenes:
        way = s.way or 'restored'
        screen.line(f'  {s.name:<18}{s.seen:>6.1f} s{s.acted:>7.1f} s{s.healed:>7.1f} s   {s.alone:<18}{way}')
        screen.line(f'    {s.failure}, by {s.playbook}', 'dim')
    screen.line()
    screen.line('  healed: /readyz gave 200 to this demo. kubelet alone: what its own probe or backoff makes it')
    screen.line("  wait at least, from its manifest and its log; never: nothing of it puts a manifest back.")
    screen.line("  The hung ones are acted on after the operator's 15 s, divided; after the shipped time the kubelet")
    screen.line('  would have been first, as it should be.')
    if not all(s.proven and s.resolved for s in scenes):
        raise Failed('not every scene was proven')


def record(screen, agent, scenes):
    screen.heading('The record, with the agent stopped')
    done = agent.run('journal', 'verify')
    screen.line('$ planeguard journal verify', 'dim')
    screen.block(done.stdout + done.stderr)
    if done.returncode != 0:
        raise Failed(f'the journal is not whole: exit {done.returncode}')
    told = scenes[-2].incident
    screen.line()
    screen.line(f'$ planeguard show {told}', 'dim')
    done = agent.run('show', told)
    if done.returncode != 0 or not done.stdout:
        raise Failed(f'no story of {told}: {done.stderr}')
    screen.block(done.stdout, 0)
