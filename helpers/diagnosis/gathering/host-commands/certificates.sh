# shellcheck shell=sh disable=SC2154
# What certificates say, a line each: what it is for, its file, and the rest. Certificates are public; no key is opened.

certificate() {
  [ -f "$2" ] && openssl x509 -in "$2" -noout -subject -issuer -dates -ext subjectAltName -fingerprint -sha256 2>/dev/null |
    tr -s ' \n' ' ' | sed "s|^|$1 $2 |"
  echo
}

certificate kubelet-serving "$(setting "$kubelet_config" tlsCertFile)"
certificate kubelet-client-ca "$(setting "$kubelet_config" clientCAFile)"
certificate apiserver-client-ca "$(flag kube-apiserver client-ca-file)"
certificate apiserver-serving "$(flag kube-apiserver tls-cert-file)"
certificate apiserver-kubelet-client "$(flag kube-apiserver kubelet-client-certificate)"
