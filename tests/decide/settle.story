# What breaks while an action is under way is most likely its echo: waited out.
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
> signal kubelet-client-certificate pass
> +1m signal kubelet-unit fail failed
> signal kubelet-healthz fail refused
  t-1 kubelet-down: none -> suspected (The kubelet isn't running)
> +1m wake
  t-1 kubelet-down: suspected -> confirmed (it has held for 1m)
  t-1 kubelet-down: confirmed -> preparing (playbook start-kubelet is chosen)
  prepare start-kubelet
  keep apiserver-manifest d1d1d1d1d1d1
> prepared t-1 ok
  t-1 kubelet-down: preparing -> planned (plan 0123456789ab is made)
  t-1 kubelet-down: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look kubelet-unit kubelet-healthz kubelet-client-certificate containerd-unit
> looked t-1
  t-1 kubelet-down: looking -> planned (what the plan relies on was looked at anew)
  guards: allow
  t-1 kubelet-down: planned -> running (every guard allows it)
  intent keep the evidence
  run step 0
> step t-1 done
  intent start the unit
  run step 1
> signal apiserver-livez fail refused
> signal apiserver-manifest fail missing
  t-2 apiserver-manifest-missing: none -> suspected (The API server's manifest is gone from the manifests folder)
  wake in 1m
> step t-1 done
  t-1 kubelet-down: running -> verifying (all 2 steps are done)
  look kubelet-unit kubelet-healthz
> signal kubelet-unit pass none active=active invocation=b
> signal kubelet-healthz pass
> looked t-1
  wake in 20s
> +20s wake
  result start the unitproven
  t-1 kubelet-down: verifying -> resolved (every expectation has held)
  wake in 40s
> +40s wake
  t-2 apiserver-manifest-missing: suspected -> confirmed (it has held for 1m)
  t-2 apiserver-manifest-missing: confirmed -> preparing (playbook restore-missing-apiserver-manifest is chosen)
  prepare restore-missing-apiserver-manifest
> prepared t-2 ok
  t-2 apiserver-manifest-missing: preparing -> planned (plan 0123456789ab is made)
  guards: deny
  t-2 apiserver-manifest-missing: planned -> held (settle: opened during or after an action (40s ago); wants the node to settle)
  wake in 4m20s
> +4m20s wake
  t-2 apiserver-manifest-missing: held -> confirmed (nothing holds it back any more)
  t-2 apiserver-manifest-missing: confirmed -> preparing (playbook restore-missing-apiserver-manifest is chosen)
  prepare restore-missing-apiserver-manifest
