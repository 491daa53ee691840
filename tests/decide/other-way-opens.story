# Held: when what the chosen playbook requires is gone, another that fits takes its place; when none
# does, a person is told.
policy: two-ways
> start
> +10m signal kubelet-healthz pass
> signal kubelet-unit pass none active=active invocation=a
> signal containerd-unit pass
> signal apiserver-livez pass
> kill-switch pulled
> signal apiserver-readyz fail check-failed
  t-1 apiserver-unready: none -> suspected (The API server isn't ready)
  wake in 1m
> +1m wake
  t-1 apiserver-unready: suspected -> confirmed (it has held for 1m)
  t-1 apiserver-unready: confirmed -> preparing (playbook by-kubelet is chosen)
  prepare by-kubelet
> prepared t-1 ok
  t-1 apiserver-unready: preparing -> planned (plan 0123456789ab is made)
  guards: deny
  t-1 apiserver-unready: planned -> held (kill-switch: pulled; wants the file to be removed)
> +1m signal kubelet-healthz fail timeout
  t-1 apiserver-unready: held -> confirmed (another playbook fits now)
  t-1 apiserver-unready: confirmed -> preparing (playbook by-unit is chosen)
  prepare by-unit
> prepared t-1 ok
  t-1 apiserver-unready: preparing -> planned (plan 0123456789ab is made)
  guards: deny
  t-1 apiserver-unready: planned -> held (kill-switch: pulled; wants the file to be removed)
> +1m signal containerd-unit fail failed
  t-2 container-runtime-down: none -> suspected (The container runtime isn't running)
  t-1 apiserver-unready: held -> escalated (playbook by-kubelet is left, but it requires kubelet-healthz, which is fail (timeout): a person is needed)
  escalate 
  tell t-1
  wake in 30s
