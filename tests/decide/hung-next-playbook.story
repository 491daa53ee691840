# The first remedy doesn't prove itself in time: undone, then the next playbook, then a person.
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
> +1s signal apiserver-readyz fail timeout
  wake in 4m59s
> +299s wake
  t-1 apiserver-hung: suspected -> confirmed (it has held for 5m)
  t-1 apiserver-hung: confirmed -> preparing (playbook restart-hung-apiserver is chosen)
  prepare restart-hung-apiserver
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
> step t-1 done
  t-1 apiserver-hung: running -> verifying (all 2 steps are done)
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
  t-1 apiserver-hung: confirmed -> preparing (playbook restart-hung-apiserver-by-manifest is chosen)
  prepare restart-hung-apiserver-by-manifest
> prepared t-1 ok
  t-1 apiserver-hung: preparing -> planned (plan 0123456789ab is made)
  t-1 apiserver-hung: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look apiserver-livez apiserver-container kubelet-healthz etcd-health apiserver-manifest apiserver-readyz kubelet-unit etcd-manifest containerd-unit
> looked t-1
  t-1 apiserver-hung: looking -> planned (what the plan relies on was looked at anew)
  guards: allow
  t-1 apiserver-hung: planned -> running (every guard allows it)
  intent keep the evidence
  run step 0
> step t-1 done
  intent take the static pod out and back
  run step 1
> step t-1 failed
  t-1 apiserver-hung: running -> undoing (step "take the static pod out and back" failed: it broke)
  undo take the static pod out and back
  undo step 1
> undone t-1 done
  t-1 apiserver-hung: undoing -> failed (undo: fine)
  t-1 apiserver-hung: failed -> escalated (undo: fine; every playbook was tried: a person is needed)
  escalate 
  tell t-1
> +1m signal apiserver-livez pass
  cancel t-1
  t-1 apiserver-hung: escalated -> cleared (what was seen is gone)
