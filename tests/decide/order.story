# Two failures at once: the lower layer goes first, the other waits its turn.
policy: enforce
> start
> +10m signal kubelet-healthz pass
> signal kubelet-unit pass none active=active invocation=a
> signal containerd-unit pass
> signal etcd-health pass
> signal etcd-manifest pass none digest=e1e1e1e1e1e1
> signal apiserver-manifest pass none digest=d1d1d1d1d1d1
> signal apiserver-container pass none id=c1
> signal apiserver-readyz pass
  wake in 2m
> signal apiserver-livez fail refused
> +1m signal kubelet-client-certificate pass
> signal apiserver-manifest fail missing
  t-1 apiserver-manifest-missing: none -> suspected (The API server's manifest is gone from the manifests folder)
> signal kubelet-unit fail failed
> signal kubelet-healthz fail refused
  t-2 kubelet-down: none -> suspected (The kubelet isn't running)
> +1m wake
  t-1 apiserver-manifest-missing: suspected -> confirmed (it has held for 1m)
  t-2 kubelet-down: suspected -> confirmed (it has held for 1m)
  t-2 kubelet-down: confirmed -> preparing (playbook start-kubelet is chosen)
  prepare start-kubelet
> prepared t-2 ok
  t-2 kubelet-down: preparing -> planned (plan 0123456789ab is made)
  t-2 kubelet-down: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look kubelet-unit kubelet-healthz kubelet-client-certificate containerd-unit
