# The kill switch holds what has not begun; let go, it is planned anew; pulled between two steps, what
# was done is undone.
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
> kill-switch pulled
> +1m signal apiserver-livez fail timeout
> +3m wake
> prepared t-1 ok
> +1m kill-switch released
> prepared t-1 ok
> looked t-1
> kill-switch pulled
> step t-1 done
> undone t-1 done
