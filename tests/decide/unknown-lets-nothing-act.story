# The observer dies while a failure is suspected: the time begins anew when it is seen again.
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
> +1m signal apiserver-livez fail timeout
> +100s signal apiserver-livez unknown observer-down
> +80s wake
> +1m signal apiserver-livez fail timeout
> +179s wake
> +1s wake
> +1s prepared t-1 ok
> +1s signal apiserver-livez unknown observer-down
> looked t-1
> +1m signal apiserver-livez fail timeout
