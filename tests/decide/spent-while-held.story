# Held by the cooldown of an attempt that was the last one within its time: when the cooldown is over, the
# playbook is spent, and the next one is tried.
policy: two-ways
> start
> +10m signal kubelet-healthz pass
> signal kubelet-unit pass none active=active invocation=a
> signal containerd-unit pass
> signal apiserver-livez pass
> signal apiserver-readyz fail check-failed
  t-1 apiserver-unready: none -> suspected (The API server isn't ready)
  wake in 1m
> +1m wake
  t-1 apiserver-unready: suspected -> confirmed (it has held for 1m)
  t-1 apiserver-unready: confirmed -> preparing (playbook by-kubelet is chosen)
  prepare by-kubelet
> prepared t-1 ok
  t-1 apiserver-unready: preparing -> planned (plan 0123456789ab is made)
  t-1 apiserver-unready: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look apiserver-readyz kubelet-healthz
> looked t-1
  t-1 apiserver-unready: looking -> planned (what the plan relies on was looked at anew)
  guards: allow
  t-1 apiserver-unready: planned -> running (every guard allows it)
  intent keep the evidence
  run step 0
> step t-1 done
  intent restart the static pod
  run step 1
> step t-1 done
  t-1 apiserver-unready: running -> verifying (all 2 steps are done)
  look apiserver-readyz
> signal apiserver-readyz pass
> looked t-1
  wake in 20s
> +20s wake
  result restart the static podproven
  t-1 apiserver-unready: verifying -> resolved (every expectation has held)
> signal apiserver-readyz fail check-failed
  t-2 apiserver-unready: none -> suspected (The API server isn't ready)
  wake in 1m
> +1m wake
  t-2 apiserver-unready: suspected -> confirmed (it has held for 1m)
  t-2 apiserver-unready: confirmed -> preparing (playbook by-kubelet is chosen)
  prepare by-kubelet
> prepared t-2 ok
  t-2 apiserver-unready: preparing -> planned (plan 0123456789ab is made)
  guards: deny
  t-2 apiserver-unready: planned -> held (cooldown: 4m of 5m left; wants the cooldown to be over)
  wake in 4m
> +3m40s wake
  wake in 20s
> +19s wake
  wake in 1s
> +1s wake
  t-2 apiserver-unready: held -> failed (attempts: 1 of 1 attempts used in 1h)
  t-2 apiserver-unready: failed -> confirmed (attempts: 1 of 1 attempts used in 1h; another playbook is left)
  t-2 apiserver-unready: confirmed -> preparing (playbook by-unit is chosen)
  prepare by-unit
> prepared t-2 ok
  t-2 apiserver-unready: preparing -> planned (plan 0123456789ab is made)
  t-2 apiserver-unready: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look apiserver-readyz containerd-unit
