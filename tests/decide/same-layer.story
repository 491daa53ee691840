# Three of one layer: the more severe goes first, then the older.
policy: two-ways
> start
> +10m signal kubelet-healthz pass
> signal kubelet-unit pass none active=active invocation=a
> signal containerd-unit pass
> signal apiserver-livez pass
> signal etcd-manifest fail missing
  t-1 etcd-unwell: none -> suspected (etcd's manifest is odd)
  wake in 1m
> +1s signal apiserver-readyz fail check-failed
  t-2 apiserver-unready: none -> suspected (The API server isn't ready)
> +1s signal kubelet-client-certificate fail expired
  t-3 certificate-expired: none -> suspected (The kubelet's certificate is no good)
> +1m wake
  t-1 etcd-unwell: suspected -> confirmed (it has held for 1m)
  t-2 apiserver-unready: suspected -> confirmed (it has held for 1m)
  t-3 certificate-expired: suspected -> confirmed (it has held for 1m)
  t-3 certificate-expired: confirmed -> preparing (playbook by-certificate is chosen)
  prepare by-certificate
> prepared t-3 failed
  t-3 certificate-expired: preparing -> failed (it broke)
  t-1 etcd-unwell: confirmed -> preparing (playbook by-etcd is chosen)
  prepare by-etcd
  t-3 certificate-expired: failed -> escalated (it broke; every playbook was tried: a person is needed)
  escalate 
  tell t-3
> prepared t-1 ok
  t-1 etcd-unwell: preparing -> planned (plan 0123456789ab is made)
  t-1 etcd-unwell: planned -> looking (fresh-look: none within the last moments; wants a fresh look)
  look etcd-manifest
> kill-switch pulled
> looked t-1
  t-1 etcd-unwell: looking -> planned (what the plan relies on was looked at anew)
  guards: deny
  t-1 etcd-unwell: planned -> held (kill-switch: pulled; wants the file to be removed)
  t-2 apiserver-unready: confirmed -> preparing (playbook by-kubelet is chosen)
  prepare by-kubelet
> wake
