# Attempts and cooldown outlive incidents and restarts of the agent; a spent playbook calls a person.
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
> +1s signal kubelet-unit fail failed
> signal kubelet-healthz fail refused
  t-2 kubelet-down: none -> suspected (The kubelet isn't running)
  wake in 1m
> +1m wake
  t-2 kubelet-down: suspected -> confirmed (it has held for 1m)
  t-2 kubelet-down: confirmed -> preparing (playbook start-kubelet is chosen)
  prepare start-kubelet
> prepared t-2 ok
  t-2 kubelet-down: preparing -> planned (plan 0123456789ab is made)
  guards: deny
  t-2 kubelet-down: planned -> held (cooldown: 3m59s of 5m left; wants the cooldown to be over)
  wake in 3m59s
> +4m wake
  t-2 kubelet-down: held -> confirmed (nothing holds it back any more)
  t-2 kubelet-down: confirmed -> preparing (playbook start-kubelet is chosen)
  prepare start-kubelet
> prepared t-2 ok
  t-2 kubelet-down: preparing -> planned (plan 0123456789ab is made)
  t-2 kubelet-down: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look kubelet-unit kubelet-healthz kubelet-client-certificate containerd-unit
> looked t-2
  t-2 kubelet-down: looking -> planned (what the plan relies on was looked at anew)
  guards: allow
  t-2 kubelet-down: planned -> running (every guard allows it)
  intent keep the evidence
  run step 0
> step t-2 done
  intent start the unit
  run step 1
> step t-2 done
  t-2 kubelet-down: running -> verifying (all 2 steps are done)
  look kubelet-unit kubelet-healthz
> signal kubelet-unit pass none active=active invocation=c
> signal kubelet-healthz pass
> looked t-2
  wake in 20s
> +20s wake
  result start the unitproven
  t-2 kubelet-down: verifying -> resolved (every expectation has held)
> crash
> +10m signal kubelet-client-certificate pass
> signal containerd-unit pass
> signal kubelet-unit fail failed
> signal kubelet-healthz fail refused
  t-3 kubelet-down: none -> suspected (The kubelet isn't running)
  wake in 1m
> +1m wake
  t-3 kubelet-down: suspected -> confirmed (it has held for 1m)
  t-3 kubelet-down: confirmed -> preparing (playbook start-kubelet is chosen)
  prepare start-kubelet
> prepared t-3 ok
  t-3 kubelet-down: preparing -> planned (plan 0123456789ab is made)
  guards: spent
  t-3 kubelet-down: planned -> failed (attempts: 2 of 2 attempts used in 1h)
  t-3 kubelet-down: failed -> escalated (attempts: 2 of 2 attempts used in 1h; every playbook was tried: a person is needed)
  escalate 
  tell t-3
