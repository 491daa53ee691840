# Right after the agent's start nothing is begun, but all is seen.
policy: enforce
> start
> +1s signal kubelet-healthz pass
> signal etcd-health pass
> signal apiserver-manifest pass none digest=d1d1d1d1d1d1
> signal apiserver-container pass none id=c1
> signal apiserver-livez fail timeout
  t-1 apiserver-hung: none -> suspected (The API server runs but doesn't answer its health check)
  wake in 3m
> +3m wake
  t-1 apiserver-hung: suspected -> confirmed (it has held for 3m)
  t-1 apiserver-hung: confirmed -> preparing (playbook restart-hung-apiserver is chosen)
  prepare restart-hung-apiserver
> prepared t-1 ok
  t-1 apiserver-hung: preparing -> planned (plan 0123456789ab is made)
  guards: deny
  t-1 apiserver-hung: planned -> held (start-up: the agent started just now: 1m59s left; wants the grace to be over)
  wake in 1m59s
> +119s wake
  t-1 apiserver-hung: held -> confirmed (nothing holds it back any more)
  t-1 apiserver-hung: confirmed -> preparing (playbook restart-hung-apiserver is chosen)
  prepare restart-hung-apiserver
> prepared t-1 ok
  t-1 apiserver-hung: preparing -> planned (plan 0123456789ab is made)
  t-1 apiserver-hung: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look apiserver-livez apiserver-container kubelet-healthz etcd-health apiserver-manifest kubelet-unit containerd-unit
