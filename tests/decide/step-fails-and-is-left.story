# A step fails, and what was done is left as it is, as the playbook says.
policy: two-ways
> start
> +10m signal kubelet-healthz pass
> signal kubelet-unit pass none active=active invocation=a
> signal containerd-unit pass
> signal apiserver-livez pass
> signal kubelet-healthz fail timeout
> signal apiserver-readyz fail check-failed
  t-1 apiserver-unready: none -> suspected (The API server isn't ready)
  wake in 1m
> +1m wake
  t-1 apiserver-unready: suspected -> confirmed (it has held for 1m)
  t-1 apiserver-unready: confirmed -> preparing (playbook by-unit is chosen)
  prepare by-unit
> prepared t-1 ok
  t-1 apiserver-unready: preparing -> planned (plan 0123456789ab is made)
  t-1 apiserver-unready: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look apiserver-readyz containerd-unit
> looked t-1
  t-1 apiserver-unready: looking -> planned (what the plan relies on was looked at anew)
  guards: allow
  t-1 apiserver-unready: planned -> running (every guard allows it)
  intent start the unit
  run step 0
> step t-1 done
  intent restart the static pod
  run step 1
> step t-1 failed
  t-1 apiserver-unready: running -> failed (step "restart the static pod" failed: it broke)
  t-1 apiserver-unready: failed -> escalated (step "restart the static pod" failed: it broke; playbook by-kubelet is left, but it requires kubelet-healthz, which is fail (timeout): a person is needed)
  escalate 
  tell t-1
