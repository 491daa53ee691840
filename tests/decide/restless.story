# An agent that keeps restarting only observes.
policy: enforce
> start
> +1m crash
> +1m crash
> +1m signal kubelet-healthz pass
> signal etcd-health pass
> signal etcd-manifest pass none digest=e1e1e1e1e1e1
> signal apiserver-manifest pass
> signal apiserver-container pass
> signal apiserver-livez fail timeout
  t-1 apiserver-hung: none -> suspected (The API server runs but doesn't answer its health check)
  wake in 5m
> +5m wake
  t-1 apiserver-hung: suspected -> confirmed (it has held for 5m)
  t-1 apiserver-hung: confirmed -> preparing (playbook restart-hung-apiserver is chosen)
  prepare restart-hung-apiserver
> prepared t-1 ok
  t-1 apiserver-hung: preparing -> planned (plan 0123456789ab is made)
  guards: deny
  t-1 apiserver-hung: planned -> held (start-up: the agent restarted too often: 2m left; wants the grace to be over)
  wake in 2m
