# The agent dies in the middle of a step and the failure goes on: that proves nothing against the
# playbook, so within its limits it is tried again.
policy: enforce
> start
> +10m signal kubelet-healthz pass
> signal kubelet-unit pass none active=active invocation=a
> signal containerd-unit pass
> signal etcd-health pass
> signal etcd-manifest pass none digest=e1e1e1e1e1e1
> signal apiserver-manifest pass none digest=d1d1d1d1d1d1
> signal apiserver-container pass none id=c1
> signal apiserver-readyz pass
  wake in 2m
> signal apiserver-livez pass
> +1m signal apiserver-livez fail timeout
  t-1 apiserver-hung: none -> suspected (The API server runs but doesn't answer its health check)
> +5m wake
  t-1 apiserver-hung: suspected -> confirmed (it has held for 5m)
  t-1 apiserver-hung: confirmed -> preparing (playbook restart-hung-apiserver is chosen)
  prepare restart-hung-apiserver
  keep apiserver-manifest d1d1d1d1d1d1
> prepared t-1 ok
  t-1 apiserver-hung: preparing -> planned (plan 0123456789ab is made)
  t-1 apiserver-hung: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look apiserver-livez apiserver-container kubelet-healthz etcd-health apiserver-manifest etcd-manifest kubelet-unit containerd-unit
> looked t-1
  t-1 apiserver-hung: looking -> planned (what the plan relies on was looked at anew)
  guards: allow
  t-1 apiserver-hung: planned -> running (every guard allows it)
  intent keep the evidence
  run step 0
> step t-1 done
  intent restart the static pod
  run step 1
> +5s crash
  t-1 apiserver-hung: running -> recovering (the agent started anew (it was running))
  recover step 1
> signal kubelet-healthz pass
> signal kubelet-unit pass none active=active invocation=a
> signal containerd-unit pass
> signal etcd-health pass
> signal etcd-manifest pass none digest=e1e1e1e1e1e1
> signal apiserver-manifest pass none digest=d1d1d1d1d1d1
> signal apiserver-container pass none id=c1
> signal apiserver-livez fail timeout
> recovered t-1 done
  t-1 apiserver-hung: recovering -> verifying (recovery after the agent's end: fine)
  look apiserver-livez apiserver-readyz
> looked t-1
  wake in 2m
> +2m wake
  result restart the static podfailed
  t-1 apiserver-hung: verifying -> undoing (apiserver-livez is fail (timeout), expected pass)
  undo restart the static pod
  undo step 1
> undone t-1 done
  t-1 apiserver-hung: undoing -> failed (undo: fine)
  t-1 apiserver-hung: failed -> confirmed (undo: fine; another playbook is left)
  t-1 apiserver-hung: confirmed -> preparing (playbook restart-hung-apiserver is chosen)
  prepare restart-hung-apiserver
> +5m wake
