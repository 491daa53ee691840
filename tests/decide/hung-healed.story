# A hung API server: suspected, confirmed after its time, planned, looked at anew, restarted, proven.
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
> +1s signal apiserver-readyz fail timeout
> +179s wake
> +1s prepared t-1 ok
> +1s looked t-1
> +1s step t-1 done
> +5s step t-1 done
> +1s signal apiserver-livez pass
> signal apiserver-readyz pass
> +1s looked t-1
> +20s wake
