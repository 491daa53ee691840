# A reload takes away the failure that is being treated: the plan is finished or taken back as it was made,
# and then nobody waits for it any more.
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
> reload enforce
> step t-1 failed
  t-1 apiserver-unready: running -> undoing (step "restart the static pod" failed: it broke)
  undo restart the static pod
  undo step 1
> undone t-1 failed
  t-1 apiserver-unready: undoing -> escalated (undo: it broke)
  escalate 
  tell t-1
  cancel t-1
  t-1 apiserver-unready: escalated -> withdrawn (a reload removed the failure)
> +1m reload two-ways
  t-2 apiserver-unready: none -> suspected (The API server isn't ready)
  wake in 1m
> +1m wake
  t-2 apiserver-unready: suspected -> confirmed (it has held for 1m)
  t-2 apiserver-unready: confirmed -> preparing (playbook by-kubelet is chosen)
  prepare by-kubelet
> prepared t-2 ok
  t-2 apiserver-unready: preparing -> planned (plan 0123456789ab is made)
  guards: deny
  t-2 apiserver-unready: planned -> held (cooldown: 3m of 5m left; wants the cooldown to be over)
  wake in 3m
> +1s reload enforce
  cancel t-2
  t-2 apiserver-unready: held -> confirmed (the documents changed)
  cancel t-2
  t-2 apiserver-unready: confirmed -> withdrawn (a reload removed the failure)
> looked t-2
