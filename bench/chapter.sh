#!/usr/bin/env bash
# The chapter as a person would put it into a script: kubectl, ssh and curl in the chapter's order, with kubectl's own waits. What the
# suite's time is measured against. By hand: eval "$(npm run --silent lab -- env)"; PATH=<where the lab's kubectl is>:$PATH bench/chapter.sh
set -euo pipefail

namespace=${CHAPTER_NAMESPACE:-chapter-$$}

declare -A address
for host in ${SMOKE_HOSTS//,/ }; do address[${host%%=*}]=${host#*=}; done
workers=$(printf '%s\n' "${!address[@]}" | grep --invert-match --line-regexp "$SMOKE_SERVER" | sort)

in_namespace() { kubectl --namespace "$namespace" "$@"; }
on() {
  local host=$1
  shift
  ssh -F none -i "$SMOKE_SSH_KEY" -o "UserKnownHostsFile=$SMOKE_SSH_KNOWN_HOSTS" -o StrictHostKeyChecking=yes \
    "$SMOKE_SSH_USER@${address[$host]}" "$@"
}
# Without a message of its own, set -e would end the script in silence.
expect() { grep --quiet -- "$1" <<<"$2" || { printf 'expected "%s", seen: %s\n' "$1" "$2" >&2; exit 1; }; }

kubectl create namespace "$namespace"
trap 'kubectl delete namespace "$namespace" --wait=true' EXIT

# 1. Data encryption
in_namespace create secret generic kubernetes-the-hard-way --from-literal=mykey=mydata
expect '^mydata$' "$(in_namespace get secret kubernetes-the-hard-way -o 'jsonpath={.data.mykey}' | base64 --decode)"
dump=$(on "$SMOKE_SERVER" "etcdctl get /registry/secrets/$namespace/kubernetes-the-hard-way | hexdump -C")
# The right column of hexdump, its lines joined: the prefix stands across a line's end.
expect 'k8s:enc:aescbc:v1:key1:' "$(sed --quiet 's/^[^|]*|\(.*\)|$/\1/p' <<<"$dump" | tr --delete '\n')"

# 2. Deployments
in_namespace create deployment nginx --image=nginx:latest
in_namespace scale deployment nginx --replicas=2
in_namespace rollout status deployment nginx --timeout=120s
in_namespace get pods --output=wide
for worker in $workers; do
  on "$worker" 'ctr -n k8s.io containers ls && pstree -ap && brctl show && ip addr' >/dev/null
done
for pod_ip in $(in_namespace get pods --selector=app=nginx -o 'jsonpath={.items[*].status.podIP}'); do
  expect '<title>Welcome to nginx!</title>' "$(on "$SMOKE_SERVER" "curl --silent $pod_ip")"
done

# 3. Port forwarding, and 4. Logs. kubectl chooses the port, and says so when it listens.
pod=$(in_namespace get pods --selector=app=nginx -o 'jsonpath={.items[0].metadata.name}')
coproc forward { exec kubectl --namespace "$namespace" port-forward "$pod" :80; }
forward_pid=$!
read -r listening <&"${forward[0]}"
port=$(sed 's/.*127\.0\.0\.1:\([0-9]*\) .*/\1/' <<<"$listening")
expect '200 OK' "$(curl --silent --show-error --head "http://127.0.0.1:$port")"
expect 'HEAD / HTTP/1.1" 200' "$(in_namespace logs "$pod")"
kill "$forward_pid"

# 5. Exec. nginx writes its version to stderr.
expect '^nginx version: ' "$(in_namespace exec "$pod" -- nginx -v 2>&1)"

# 6. Services. kube-proxy needs a moment to program the port.
in_namespace expose deployment nginx --port=80 --type=NodePort
node_port=$(in_namespace get service nginx -o 'jsonpath={.spec.ports[0].nodePort}')
answers() { curl --silent --head --max-time 2 "http://${address[$1]}:$node_port" | grep --quiet '200 OK'; }
for worker in $workers; do
  for _ in {1..50}; do
    answers "$worker" && continue 2
    sleep 0.1
  done
  echo "no answer through $worker:$node_port" >&2
  exit 1
done

echo passed
