# etcd is gone: what the API server shows is explained by it. Later it has its own trouble.
policy: enforce
> start
> +10m signal kubelet-healthz pass
> signal kubelet-unit pass none active=active invocation=a
> signal containerd-unit pass
> signal etcd-health pass
> signal apiserver-manifest pass none digest=d1d1d1d1d1d1
> signal apiserver-container pass none id=c1
> signal apiserver-readyz pass
> signal apiserver-livez pass
> +1m signal etcd-health fail refused
> +5s signal apiserver-readyz fail check-failed
> +25s wake
> +1m signal apiserver-container fail crash-loop
> signal apiserver-livez fail refused
> +90s wake
> +1m signal etcd-health pass
> +89s wake
> +1s wake
> prepared t-2 ok
