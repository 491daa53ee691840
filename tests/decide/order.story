# Two failures at once: the lower layer goes first, the other waits its turn.
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
> +1m signal kubelet-client-certificate pass
> signal apiserver-manifest fail missing
> signal kubelet-unit fail failed
> signal kubelet-healthz fail refused
> +1m wake
> prepared t-2 ok
