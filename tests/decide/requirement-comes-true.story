# A playbook is left, but what it requires doesn't hold: a person is told; when it holds, it is tried.
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
> signal apiserver-livez pass
> signal kubelet-client-certificate fail expired
> +1m signal kubelet-unit fail failed
> signal kubelet-healthz fail refused
  t-1 kubelet-down: none -> suspected (The kubelet isn't running)
> +1m wake
  t-1 kubelet-down: suspected -> confirmed (it has held for 1m)
  t-1 kubelet-down: confirmed -> escalated (playbook start-kubelet is left, but it requires kubelet-client-certificate, which is fail (expired): a person is needed)
  escalate 
  tell t-1
  keep apiserver-manifest d1d1d1d1d1d1
> +1h signal kubelet-client-certificate pass
  t-1 kubelet-down: escalated -> confirmed (what playbook start-kubelet requires may hold now)
  t-1 kubelet-down: confirmed -> preparing (playbook start-kubelet is chosen)
  prepare start-kubelet
> prepared t-1 ok
  t-1 kubelet-down: preparing -> planned (plan 0123456789ab is made)
  t-1 kubelet-down: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look kubelet-unit kubelet-healthz kubelet-client-certificate containerd-unit
