# The observer dies while a failure is suspected: the time begins anew when it is seen again.
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
> +100s signal apiserver-livez unknown observer-down
  keep apiserver-manifest d1d1d1d1d1d1
> +80s wake
> +1m signal apiserver-livez fail timeout
  wake in 5m
> +299s wake
  wake in 1s
> +1s wake
  t-1 apiserver-hung: suspected -> confirmed (it has held for 5m)
  t-1 apiserver-hung: confirmed -> preparing (playbook restart-hung-apiserver is chosen)
  prepare restart-hung-apiserver
> +1s prepared t-1 ok
  t-1 apiserver-hung: preparing -> planned (plan 0123456789ab is made)
  t-1 apiserver-hung: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look apiserver-livez apiserver-container kubelet-healthz etcd-health apiserver-manifest etcd-manifest kubelet-unit containerd-unit
> +1s signal apiserver-livez unknown observer-down
> looked t-1
  t-1 apiserver-hung: looking -> planned (what the plan relies on was looked at anew)
  guards: deny
  t-1 apiserver-hung: planned -> held (fresh-look: whether it still is broken is unknown; wants the failure to be seen for certain)
> +1m signal apiserver-livez fail timeout
  t-1 apiserver-hung: held -> confirmed (nothing holds it back any more)
  t-1 apiserver-hung: confirmed -> preparing (playbook restart-hung-apiserver is chosen)
  prepare restart-hung-apiserver
