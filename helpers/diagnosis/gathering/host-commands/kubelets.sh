# shellcheck shell=sh
# Readies the asking of the kubelets as kube-apiserver does it: by the Node's name, unless it prefers the address, and with the authority of
# the kubelets' certificates. A kubelet says 401 to that. The questions stand behind this; where no kube-apiserver runs, nothing is asked.

[ -n "$(pid_of kube-apiserver)" ] || exit 0

# Of a Node's name and its address, the one that is asked.
case $(flag kube-apiserver kubelet-preferred-address-types | tr , '\n' | grep -m 1 -x -e Hostname -e InternalIP) in
  InternalIP) kubelet_at() { printf %s "$2"; } ;;
  *) kubelet_at() { printf %s "$1"; } ;;
esac

# The parameters of curl, as "$@".
ca=$(flag kube-apiserver kubelet-certificate-authority)
if [ -n "$ca" ]; then set -- --cacert "$ca"; else set -- --insecure; fi
