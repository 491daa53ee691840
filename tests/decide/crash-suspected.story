# The agent dies with a suspicion and with a confirmed incident: it must see for itself again, and
# has its grace.
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
> +1m crash
> +10s signal apiserver-livez fail timeout
> signal apiserver-container pass
> +3m wake
> prepared t-1 ok
