# A reload takes away the failure while its remedy is being verified: it is judged in its own time by what
# it was planned on, not when something else happens to come.
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
> looked t-1
  wake in 2m
> reload enforce
> +5s signal apiserver-readyz pass
  wake in 20s
> +5m wake
  result restart the static podproven
  t-1 apiserver-unready: verifying -> resolved (every expectation has held)
