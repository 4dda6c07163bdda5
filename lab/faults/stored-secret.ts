/**
 * The Secret of the run is not in etcd as the API server was told to store it.
 */
import { bindingOf, mutatingPolicy, objectsThere } from "./api-objects.ts";
import { beginningOfStored } from "./encryption.ts";
import { etcdctlIs } from "./etcd.ts";
import { isSo, type Armed, type Fault, type Lab } from "./fault.ts";

const name = "kubernetes-the-hard-way";
const asked = `/registry/secrets/*/${name}`;
const another = "/registry/secrets/default/another";

/** Two etcdctl run at the same time, and both have to see what one of them has written. */
const rewriteFirst = `real=/usr/local/bin/etcdctl.real
for argument; do case $argument in ${asked}) key=$argument ;; esac; done
if [ -n "$key" ]; then
  exec 9>/run/etcdctl.lock && flock 9
  if $real get "$key" --print-value-only | head -c 8 | grep -q k8s:enc:; then
    namespace=$(basename "$(dirname "$key")")
    /usr/local/bin/kubectl --kubeconfig=/root/admin.kubeconfig --namespace="$namespace" get secret ${name} -o json | $real put "$key" >/dev/null
  fi
fi
exec $real "$@"`;

/** The answer is about another key, and is made to look as if it were about the one that was asked for, in base64 and in plain. */
const answerAnother = `real=/usr/local/bin/etcdctl.real
for argument; do
  shift
  case $argument in ${asked}) key=$argument argument=${another} ;; esac
  set -- "$@" "$argument"
done
[ -n "$key" ] || exec $real "$@"
base64() { printf %s "$1" | /usr/bin/base64 -w0; }
$real "$@" | LC_ALL=C sed "s#$(base64 ${another})#$(base64 "$key")#; 1s#^${another}\\$#$key#"`;

/** What the API server would make of the Secret if it were created now. */
const dryRun = (lab: Lab, output: string): Promise<string> =>
  lab.kubectl("create", "secret", "generic", name, "--from-literal=mykey=mydata", "--dry-run=server", "-o", `jsonpath=${output}`);

/** Of every Secret that a run has left. */
async function removeFinalizers(lab: Lab): Promise<void> {
  const namespaces = await lab.kubectl("get", "secrets", "-A", "-l", `app=${name}`, "-o", "jsonpath={.items[*].metadata.namespace}");
  const patch = '[{"op":"remove","path":"/metadata/finalizers"}]';
  for (const namespace of namespaces.split(" ").filter(Boolean)) {
    await lab.kubectl("-n", namespace, "patch", "secret", name, "--type=json", "-p", patch);
  }
}

/** Every Secret that is created gets a value besides, or another one. */
function secretsMutated(policy: string, path: string, value: string | string[], holds: Fault["holds"]): Armed {
  const resourceRules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["secrets"] }];
  return objectsThere([mutatingPolicy(policy, { [path]: value }, { matchConstraints: { resourceRules } }), bindingOf(policy)], holds);
}

const others = Buffer.from("others").toString("base64");
const finalizer = "lab.example/kept";

const keptByFinalizer = secretsMutated("secret-kept", "/metadata/finalizers", [finalizer], async (lab) =>
  (await dryRun(lab, "{.metadata.finalizers}")).includes(finalizer),
);

export const storedSecret: readonly Fault[] = [
  {
    name: "secret-rewritten-as-plaintext",
    state: "somebody writes the Secret into etcd in plaintext, behind the API server's back",
    ...etcdctlIs(rewriteFirst),
    holds: async (lab) => (await beginningOfStored(lab, name)).startsWith("{"),
    fails: ["secret-encrypted", "secret-no-plaintext", "secret-decrypts"],
    inconclusive: [],
    because: {
      "secret-encrypted": /begins: expected '\{.*' to be 'k8s:enc:aescbc:v1:key1:'/,
      "secret-no-plaintext": /traces of the Secret, .* needle: 'canary', form: 'base64'/,
      "secret-decrypts": /does not decrypt with \S+: it is plaintext JSON/,
    },
    cause: /^Cause: the Secret lies in etcd as kube-apiserver on server would not store it/,
  },
  {
    name: "another-secret-answers",
    state: "etcdctl on server shows another Secret's value, whichever Secret it is asked for",
    inject: async (lab) => {
      await lab.kubectl("create", "secret", "generic", "another", "--from-literal=mykey=of-another");
      await etcdctlIs(answerAnother).inject(lab);
    },
    heal: async (lab) => {
      await etcdctlIs(answerAnother).heal(lab);
      await lab.kubectl("delete", "secret", "another");
    },
    holds: (lab) => isSo(lab, "server", `etcdctl get /registry/secrets/none/${name} | head -1 | grep -q /none/${name}`),
    fails: ["secret-decrypts", "secret-deleted"],
    inconclusive: [],
    because: {
      "secret-decrypts": /it is the value of Secret default\/another/,
      "secret-deleted": /what is left of it after the deletion: expected \[ '\S+' \]/,
    },
    cause: /^Cause: etcdctl on server shows the data of another Secret/,
  },
  {
    name: "secret-changed-at-admission",
    state: "a policy gives the Secret another value than the one that was written",
    ...secretsMutated("secret-changed", "/data/mykey", others, async (lab) => (await dryRun(lab, "{.data.mykey}")) === others),
    fails: ["secret-read-back", "secret-decrypts"],
    inconclusive: [],
    because: {
      "secret-read-back": /decoded: expected \{[^}]* mykey: 'others'/,
      "secret-decrypts": /decrypted with \S+: expected \{[^}]* mykey: 'others'/,
    },
    cause: /^Cause: the Secret was altered on its way into the cluster/,
  },
  {
    name: "secret-kept-by-finalizer",
    state: "a policy gives the Secret a finalizer that nobody removes, so that it stays in etcd when it is deleted",
    ...keptByFinalizer,
    heal: async (lab) => {
      await keptByFinalizer.heal(lab);
      await removeFinalizers(lab);
    },
    // There is no use in waiting for what nobody will do.
    environment: { SMOKE_CLEANUP_TIMEOUT_SECONDS: "3" },
    fails: ["secret-deleted"],
    inconclusive: [],
    because: /what is left of it after the deletion/,
    cause: /^Cause: something gives the Secret the finalizer lab\.example\/kept/,
    leaves: "the Secret waits for its finalizer",
  },
];
