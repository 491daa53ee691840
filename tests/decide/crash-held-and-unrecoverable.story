# The agent dies while a plan is held: it is made anew. It dies while one runs, and what was half done
# can't be brought home: a person is told, and nothing else is tried on top of it.
policy: two-ways
> start
> +10m signal kubelet-healthz pass
> signal kubelet-unit pass none active=active invocation=a
> signal containerd-unit pass
> signal apiserver-livez pass
> signal apiserver-readyz fail check-failed
  t-1 apiserver-unready: none -> suspected (The API server isn't ready)
  wake in 1m
> kill-switch pulled
> +1m wake
  t-1 apiserver-unready: suspected -> confirmed (it has held for 1m)
  t-1 apiserver-unready: confirmed -> preparing (playbook by-kubelet is chosen)
  prepare by-kubelet
> prepared t-1 ok
  t-1 apiserver-unready: preparing -> planned (plan 0123456789ab is made)
  guards: deny
  t-1 apiserver-unready: planned -> held (kill-switch: pulled; wants the file to be removed)
> crash
  t-1 apiserver-unready: held -> confirmed (the agent started anew (it was held))
> +10m signal kubelet-healthz pass
> signal containerd-unit pass
> signal apiserver-readyz fail check-failed
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
> crash
  t-1 apiserver-unready: running -> recovering (the agent started anew (it was running))
  recover step 1
> recovered t-1 failed
  t-1 apiserver-unready: recovering -> escalated (recovery after the agent's end: it broke)
  escalate 
  tell t-1
> +10m signal apiserver-readyz pass
  cancel t-1
  t-1 apiserver-unready: escalated -> cleared (what was seen is gone)
