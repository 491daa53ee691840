# etcd is gone: what the API server shows is explained by it. Later it has its own trouble.
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
> +1m signal etcd-health fail refused
  t-1 etcd-down: none -> suspected (The local etcd member doesn't answer)
  wake in 30s
> +5s signal apiserver-readyz fail check-failed
> +25s wake
  t-1 etcd-down: suspected -> confirmed (it has held for 30s)
  t-1 etcd-down: confirmed -> escalated (no playbook treats it: a person is needed)
  escalate 
  tell t-1
> +1m signal apiserver-container fail crash-loop
> signal apiserver-livez fail refused
  t-2 apiserver-down: none -> suspected (The API server isn't running)
  wake in 1m30s
> +90s wake
  t-2 apiserver-down: suspected -> confirmed (it has held for 1m30s)
  cancel t-2
  t-2 apiserver-down: confirmed -> suppressed (explained by etcd-down)
> +1m signal etcd-health pass
  cancel t-1
  t-1 etcd-down: escalated -> cleared (what was seen is gone)
  wake in 1m30s
> +89s wake
  wake in 1s
> +1s wake
  t-2 apiserver-down: suppressed -> confirmed (it has outlived its cause)
  t-2 apiserver-down: confirmed -> preparing (playbook restart-apiserver is chosen)
  prepare restart-apiserver
> prepared t-2 ok
  t-2 apiserver-down: preparing -> planned (plan 0123456789ab is made)
  t-2 apiserver-down: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look apiserver-livez apiserver-container apiserver-manifest kubelet-healthz etcd-health etcd-manifest kubelet-unit containerd-unit
