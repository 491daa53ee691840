# The agent dies with a suspicion and with a confirmed incident: it must see for itself again, and
# has its grace.
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
> +1m crash
  t-1 apiserver-hung: suspected -> suspected (the agent started anew (it was suspected))
> +10s signal apiserver-livez fail timeout
> signal apiserver-container pass
  wake in 5m
> +5m wake
  t-1 apiserver-hung: suspected -> confirmed (it has held for 5m)
  t-1 apiserver-hung: confirmed -> preparing (playbook restart-hung-apiserver is chosen)
  prepare restart-hung-apiserver
> prepared t-1 ok
  t-1 apiserver-hung: preparing -> planned (plan 0123456789ab is made)
  guards: deny
  t-1 apiserver-hung: planned -> held (requires: kubelet-healthz is unknown (not-looked-yet); wants kubelet-healthz to be pass)
