# The mode gets stricter between two steps: what was done is undone.
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
> reload dry-run
> step t-1 done
  t-1 apiserver-unready: running -> undoing (step "keep the evidence" done: then the mode got stricter)
  undo keep the evidence
  undo step 0
> undone t-1 done
  t-1 apiserver-unready: undoing -> failed (undo: fine)
  cancel t-1
  t-1 apiserver-unready: failed -> withdrawn (a reload removed the failure)
