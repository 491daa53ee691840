# A reload with incidents in each place: what only waits is planned anew on the new documents, also what was
# rehearsed; what is at work goes on with its own; a failure that isn't there any more is withdrawn.
policy: dry-run
> start
> +10m signal kubelet-healthz pass
> signal kubelet-unit pass none active=active invocation=a
> signal containerd-unit pass
> signal etcd-health pass
> signal etcd-manifest pass none digest=e1e1e1e1e1e1
> signal apiserver-manifest pass none digest=d1d1d1d1d1d1
> signal apiserver-container pass none id=c1
> signal apiserver-livez fail timeout
  t-1 apiserver-hung: none -> suspected (The API server runs but doesn't answer its health check)
  wake in 5m
> signal apiserver-readyz fail timeout
> +5m wake
  t-1 apiserver-hung: suspected -> confirmed (it has held for 5m)
  t-1 apiserver-hung: confirmed -> preparing (playbook restart-hung-apiserver is chosen)
  prepare restart-hung-apiserver
> prepared t-1 ok
  t-1 apiserver-hung: preparing -> planned (plan 0123456789ab is made)
  t-1 apiserver-hung: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look apiserver-livez apiserver-container kubelet-healthz etcd-health apiserver-manifest etcd-manifest kubelet-unit containerd-unit
> looked t-1
  t-1 apiserver-hung: looking -> planned (what the plan relies on was looked at anew)
  guards: dry
  t-1 apiserver-hung: planned -> rehearsed (mode: dry-run (the policy's mode); wants mode enforce)
  result keep the evidence would
  result restart the static pod would
> +1m reload enforce
  cancel t-1
  t-1 apiserver-hung: rehearsed -> confirmed (the documents changed)
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
> +1s reload two-ways
  t-2 apiserver-unready: none -> suspected (The API server isn't ready)
  wake in 1m
> step t-1 done
  t-1 apiserver-hung: running -> verifying (all 2 steps are done)
  look apiserver-livez apiserver-readyz
> reload enforce
  look apiserver-livez apiserver-readyz
  cancel t-2
  t-2 apiserver-unready: suspected -> withdrawn (a reload removed the failure)
> signal apiserver-livez pass
> signal apiserver-readyz pass
  wake in 2m
> looked t-1
  wake in 20s
> +20s wake
  result restart the static podproven
  t-1 apiserver-hung: verifying -> resolved (every expectation has held)
  wake in 1m40s
