# No playbook: a person is told, once, and the incident stays open until the copy is gone.
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
> +1m signal apiserver-manifest fail stray digest=d1d1d1d1d1d1 stray=kube-apiserver.yaml.bak
> +1m wake
> +1h wake
> signal apiserver-manifest pass none digest=d1d1d1d1d1d1
