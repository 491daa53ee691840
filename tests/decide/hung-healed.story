# A hung API server: suspected, confirmed after its time, planned, looked at anew, restarted, proven.
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
> +1s prepared t-1 ok
  t-1 apiserver-hung: preparing -> planned (plan 0123456789ab is made)
  t-1 apiserver-hung: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look apiserver-livez apiserver-container kubelet-healthz etcd-health apiserver-manifest etcd-manifest kubelet-unit containerd-unit
> +1s looked t-1
  t-1 apiserver-hung: looking -> planned (what the plan relies on was looked at anew)
  guards: allow
  t-1 apiserver-hung: planned -> running (every guard allows it)
  intent keep the evidence
  run step 0
> +1s step t-1 done
  intent restart the static pod
  run step 1
> +5s step t-1 done
  t-1 apiserver-hung: running -> verifying (all 2 steps are done)
  look apiserver-livez apiserver-readyz
> +1s signal apiserver-livez pass
> signal apiserver-readyz pass
  wake in 2m
> +1s looked t-1
  wake in 20s
> +20s wake
  result restart the static podproven
  t-1 apiserver-hung: verifying -> resolved (every expectation has held)
  wake in 1m39s
