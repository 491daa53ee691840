# A manifest is kept as the last known good one when readiness has held for its time, not before.
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
> +1m signal apiserver-manifest pass none digest=d2d2d2d2d2d2
  wake in 2m
> +1m signal apiserver-readyz fail check-failed
> +10s signal apiserver-readyz pass
  wake in 2m
> +119s wake
  wake in 1s
> +1s wake
  keep apiserver-manifest d2d2d2d2d2d2
> +1h wake
