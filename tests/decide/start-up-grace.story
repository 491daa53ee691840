# Right after the agent's start nothing is begun, but all is seen.
policy: enforce
> start
> +1s signal kubelet-healthz pass
> signal etcd-health pass
> signal apiserver-manifest pass none digest=d1d1d1d1d1d1
> signal apiserver-container pass none id=c1
> signal apiserver-livez fail timeout
> +3m wake
> prepared t-1 ok
> +119s wake
> prepared t-1 ok
