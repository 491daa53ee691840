# The first remedy doesn't prove itself in time: undone, then the next playbook, then a person.
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
> prepared t-1 ok
> looked t-1
> step t-1 done
> step t-1 done
> looked t-1
> +2m wake
> undone t-1 done
> prepared t-1 ok
> looked t-1
> step t-1 done
> step t-1 failed
> undone t-1 done
> +1m signal apiserver-livez pass
