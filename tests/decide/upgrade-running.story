# The agent dies in the middle of a step and comes back with other documents: the plan isn't theirs, so a
# person is told; and what breaks later is not held back as an echo for ever.
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
> +5s upgrade
  t-1 apiserver-hung: failed -> failed (the agent started anew (it was running, by a plan that the documents don't know any more))
  t-1 apiserver-hung: failed -> escalated (the agent started anew (it was running, by a plan that the documents don't know any more); every playbook was tried: a person is needed)
  escalate 
  tell t-1
> +10m wake
