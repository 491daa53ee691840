# The agent dies in the middle of a step: recovery first, then proof; then it goes on as if nothing was.
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
> +3m wake
> prepared t-1 ok
> looked t-1
> step t-1 done
> +5s crash
> recovered t-1 done
> +1s signal apiserver-livez pass
> signal apiserver-readyz pass
> looked t-1
> +20s wake
