# While the evidence was collected, what the playbook requires stopped holding: nothing is changed, and
# answers that nobody waits for any more change nothing either.
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
> undone t-1 done
> recovered t-1 done
> prepared t-1 ok
  t-1 apiserver-unready: preparing -> planned (plan 0123456789ab is made)
  t-1 apiserver-unready: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look apiserver-readyz kubelet-healthz
> step t-1 done
> looked t-1
  t-1 apiserver-unready: looking -> planned (what the plan relies on was looked at anew)
  guards: allow
  t-1 apiserver-unready: planned -> running (every guard allows it)
  intent keep the evidence
  run step 0
> looked t-1
> prepared t-1 ok
> signal kubelet-healthz fail timeout
> step t-1 done
  t-1 apiserver-unready: running -> undoing (step "keep the evidence" done: then what the playbook requires did not hold any more)
  undo keep the evidence
  undo step 0
> undone t-1 done
  t-1 apiserver-unready: undoing -> failed (undo: fine)
  t-1 apiserver-unready: failed -> confirmed (undo: fine; another playbook is left)
  t-1 apiserver-unready: confirmed -> preparing (playbook by-unit is chosen)
  prepare by-unit
