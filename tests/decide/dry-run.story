# In dry-run everything is gone through and nothing is done.
policy: dry-run
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
  guards: dry
  t-1 apiserver-hung: planned -> rehearsed (mode: dry-run (the policy's mode); wants mode enforce)
  result keep the evidence would
  result restart the static pod would
> +1m wake
> +1m signal apiserver-livez pass
  cancel t-1
  t-1 apiserver-hung: rehearsed -> cleared (what was seen is gone)
