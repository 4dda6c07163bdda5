/**
 * From the API server to the kubelets: rights, names, the port.
 */
import { guide, throughKubelet } from "../checks.ts";
import { legsToKubelet, metBy, shownAs } from "../filters/packets.ts";
import { certainLegsToKubelet, droppedByPolicyOf, policyShown } from "../filters/policies.ts";
import { lineWith, seenByAsking, seenOf } from "../kubelet-seen.ts";
import type { Evidence, Rule } from "../model.ts";
import { addressOfNode, firstOf, hostsOf, lineOnFirst, workersOf } from "../reading.ts";
import { certificateRules } from "./certificates.ts";

const explains = throughKubelet;

const unbound: Rule = {
  id: "kubelet-api-forbidden",
  explains,
  saying: /Forbidden \(user=/,
  guide: guide.controlPlane,
  find: (_evidence, { message }) => {
    const pattern = /Forbidden \(user=([^,]+), verb=([^,]+), resource=nodes, subresource[^=]*=([^)]+)\)/;
    const [, user = "kubernetes", verb = "get", subresource = "proxy"] = pattern.exec(message) ?? [];
    return {
      what: `user ${user}, as whom kube-apiserver asks the kubelets, has no right to ${verb} nodes/${subresource}: the ClusterRoleBinding system:kube-apiserver is missing`,
      seen: lineWith(message, /Forbidden \(user=/),
      mend: `kubectl create clusterrolebinding system:kube-apiserver --clusterrole=system:kube-apiserver-to-kubelet --user=${user}`,
    };
  },
};

const handlersOff: Rule = {
  id: "kubelet-debugging-handlers-off",
  explains,
  guide: guide.workers,
  find: (evidence) =>
    lineOnFirst(
      evidence,
      { hosts: workersOf(evidence), name: "kubelet", matches: (line) => /enableDebuggingHandlers"?: *false/.test(line) },
      (host, setting) => ({
        what: `the kubelet of ${host} has its debugging handlers off, which serve logs, exec and port-forward`,
        seen: `${host}: kubelet-config.yaml: ${setting}`,
        mend: `enableDebuggingHandlers: true in /var/lib/kubelet/kubelet-config.yaml on ${host}, and restart the kubelet`,
      }),
    ),
};

const wrongAddress = seenByAsking("node-name-of-another-host", guide.machines, ({ host, node, byName, exit, ip }, evidence) => {
  const own = addressOfNode(evidence, node);
  if (!byName || ip === "" || own === "" || ip === own) return undefined;
  const owner = evidence.api.nodes.find(({ internalIP }) => internalIP === ip)?.name;
  if (owner === undefined && exit === "0") return undefined;
  return {
    what: `${host} takes ${node} for ${ip}, ${owner === undefined ? `which is not its address, ${own}` : `which is ${owner}, so that it asks the wrong kubelet`}`,
    mend: `ssh ${host} grep ${node} /etc/hosts  # the line should be ${own} ${node}`,
  };
});

const isUnresolved = ({ exit, line }: { exit: string; line: string }): boolean => exit === "6" || line.includes("Resolving timed out");

const unresolvable = seenByAsking("node-name-unresolvable", guide.machines, ({ host, node, byName, exit, line }, evidence) =>
  !byName || !isUnresolved({ exit, line })
    ? undefined
    : {
        what: `the name ${node} does not resolve on ${host}, where kube-apiserver asks the kubelets by their Nodes' names`,
        mend: `ssh ${host} 'echo ${addressOfNode(evidence, node) || "ADDRESS"} ${node} >> /etc/hosts'`,
      },
);

const isUnreached = ({ exit, line }: { exit: string; line: string }): boolean =>
  (exit === "7" || exit === "28") && !isUnresolved({ exit, line });

/** Nodes whose kubelets do not answer, or of which nobody has seen whether they do. */
const silentNodes = (evidence: Evidence): string[] =>
  evidence.api.nodes
    .map(({ name }) => name)
    .filter((name) => {
      const seen = seenOf(evidence).filter(({ node }) => node === name);
      return seen.length === 0 || seen.some(isUnreached);
    });

/** A rule for this port, which may be open to kube-apiserver all the same. One that is for everything is not to be taken away for it. */
const portDropped: Rule = {
  id: "kubelet-port-dropped",
  explains,
  guide: guide.workers,
  find: (evidence) =>
    firstOf(hostsOf(evidence), (host) => {
      const found = silentNodes(evidence)
        .flatMap((node) => metBy(evidence, host, legsToKubelet(evidence, host, node)))
        .find(({ rule }) => rule.verdict === "drop" && rule.conditions.some(({ of }) => of === "destinationPort" || of === "sourcePort"));
      return found && { what: `a rule on ${host} drops what goes to port 10250, where kubelets listen`, ...shownAs(host, found) };
    }),
};

/** A chain that drops all that it does not accept, where a kubelet is asked and silent. */
const portDroppedByPolicy: Rule = {
  id: "kubelet-port-dropped-by-policy",
  explains,
  guide: guide.workers,
  find: (evidence) =>
    firstOf(workersOf(evidence), (host) => {
      const isSilent = seenOf(evidence).some((seen) => seen.node === host && seen.exit === "28" && !isUnresolved(seen));
      if (!isSilent) return undefined;
      const [found] = droppedByPolicyOf(evidence, host, "nftables", certainLegsToKubelet(evidence, host));
      if (found === undefined) return undefined;
      const { told, seen } = policyShown(host, found);
      return {
        what: `${host} drops what goes to port 10250, where kubelets listen: ${told} that`,
        seen,
        mend: `ssh ${host} nft insert rule ${found.table} ${found.chain} tcp dport 10250 accept  # and wherever it is loaded from, such as /etc/nftables.conf`,
      };
    }),
};

const unreachable = seenByAsking("kubelet-unreachable", guide.workers, ({ host, node, exit, line }) =>
  !isUnreached({ exit, line })
    ? undefined
    : {
        what: `${host} does not reach the kubelet of ${node} on port 10250: ${exit === "7" ? "refused" : "no answer"}`,
        mend: `ssh ${node} 'ss -ltn sport = :10250; iptables -S'`,
      },
);

/** What the check itself has been told, where nobody on `server` could look. */
const toldOfKubelet = (id: string, saying: RegExp, chapter: string, what: (node: string) => string, mend: string): Rule => ({
  id,
  explains,
  saying,
  guide: chapter,
  find: (_evidence, { message }) => ({
    what: what(/https:\/\/([\w.-]+):10250/.exec(message)?.[1] ?? "a Node"),
    seen: lineWith(message, saying),
    mend,
  }),
});

export const kubeletRules: readonly Rule[] = [
  unbound,
  handlersOff,
  wrongAddress,
  unresolvable,
  ...certificateRules,
  portDropped,
  portDroppedByPolicy,
  unreachable,
  toldOfKubelet(
    "node-name-unresolvable-told",
    /lookup \S+.*(no such host|server misbehaving|name resolution|i\/o timeout)/,
    guide.machines,
    (node) => `the name of ${node} does not resolve where kube-apiserver runs`,
    "add the Nodes to /etc/hosts there",
  ),
  toldOfKubelet(
    "kubelet-without-serving-certificate",
    /remote error: tls: internal error/,
    guide.certificates,
    (node) =>
      `the kubelet of ${node} has no serving certificate yet: with serverTLSBootstrap it waits until its request for one is approved`,
    "kubectl get certificatesigningrequests  # approve those of the kubelets: kubectl certificate approve NAME",
  ),
  toldOfKubelet(
    "kubelet-certificate-told",
    /x509: |tls: /,
    guide.certificates,
    (node) => `kube-apiserver does not accept the serving certificate of the kubelet of ${node}`,
    "issue it with the cluster's CA, for the Node's name",
  ),
  toldOfKubelet(
    "wrong-kubelet-told",
    /pod does not exist|pod "?\S+"? not found/,
    guide.machines,
    (node) => `kube-apiserver asks the wrong kubelet for ${node}, one that does not have the Pod`,
    "compare /etc/hosts where kube-apiserver runs with kubectl get nodes -o wide",
  ),
];
