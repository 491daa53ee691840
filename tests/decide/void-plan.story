# The world moved between plan and step: the plan is void, nothing was done, the playbook may try again.
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
> step t-1 refused
> undone t-1 done
