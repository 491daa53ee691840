# Once something was changed the plan goes on, whatever is seen; a last step that changes nothing fails
# without stopping the remedy. What is not proven then is left as it is, as the playbook says.
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
> signal containerd-unit fail failed
  t-2 container-runtime-down: none -> suspected (The container runtime isn't running)
  wake in 30s
> step t-1 done
  intent keep the evidence
  run step 2
> step t-1 failed
  t-1 apiserver-unready: running -> verifying (all 3 steps are done)
  look apiserver-readyz
> looked t-1
> +1s reload two-ways
> +2m wake
  result keep the evidencefailed
  t-1 apiserver-unready: verifying -> failed (apiserver-readyz is fail (check-failed), expected pass)
  t-2 container-runtime-down: suspected -> confirmed (it has held for 30s)
  t-1 apiserver-unready: failed -> escalated (apiserver-readyz is fail (check-failed), expected pass; playbook by-kubelet is left, but it requires kubelet-healthz, which is fail (timeout): a person is needed)
  escalate 
  tell t-1
  t-2 container-runtime-down: confirmed -> preparing (playbook start-containerd is chosen)
  prepare start-containerd
