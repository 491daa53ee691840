# Right after the agent's start nothing is begun, but all is seen.
policy: enforce
> start
> +1s signal kubelet-client-certificate pass
> signal containerd-unit pass
> signal kubelet-unit fail failed
> signal kubelet-healthz fail refused
  t-1 kubelet-down: none -> suspected (The kubelet isn't running)
  wake in 1m
> +1m wake
  t-1 kubelet-down: suspected -> confirmed (it has held for 1m)
  t-1 kubelet-down: confirmed -> preparing (playbook start-kubelet is chosen)
  prepare start-kubelet
> prepared t-1 ok
  t-1 kubelet-down: preparing -> planned (plan 0123456789ab is made)
  guards: deny
  t-1 kubelet-down: planned -> held (start-up: the agent started just now: 3m59s left; wants the grace to be over)
  wake in 3m59s
> +239s wake
  t-1 kubelet-down: held -> confirmed (nothing holds it back any more)
  t-1 kubelet-down: confirmed -> preparing (playbook start-kubelet is chosen)
  prepare start-kubelet
> prepared t-1 ok
  t-1 kubelet-down: preparing -> planned (plan 0123456789ab is made)
  t-1 kubelet-down: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look kubelet-unit kubelet-healthz kubelet-client-certificate containerd-unit
