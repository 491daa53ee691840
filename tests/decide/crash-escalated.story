# The agent dies while an incident is a person's: what it told them may be gone with it, so they are
# told again, for the same reason.
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
> +1m signal apiserver-manifest fail stray digest=d1d1d1d1d1d1 stray=kube-apiserver.yaml.bak
  t-1 apiserver-manifest-stray: none -> suspected (A second file in the manifests folder declares the API server's pod)
> +1m wake
  t-1 apiserver-manifest-stray: suspected -> confirmed (it has held for 1m)
  t-1 apiserver-manifest-stray: confirmed -> escalated (no playbook treats it: a person is needed)
  escalate 
  tell t-1
> +1h crash
  t-1 apiserver-manifest-stray: escalated -> escalated (no playbook treats it: a person is needed)
  escalate 
  tell t-1
> +10s signal apiserver-manifest fail stray digest=d1d1d1d1d1d1 stray=kube-apiserver.yaml.bak
> +1h crash
  t-1 apiserver-manifest-stray: escalated -> escalated (no playbook treats it: a person is needed)
  escalate 
  tell t-1
> +10s signal apiserver-manifest pass none digest=d1d1d1d1d1d1
  cancel t-1
  t-1 apiserver-manifest-stray: escalated -> cleared (what was seen is gone)
