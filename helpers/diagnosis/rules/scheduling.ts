/**
 * Nodes that are not there for Pods, and Pods that find no Node.
 */
import { taintOf, tolerates } from "../../nodes.ts";
import { gettingPods, guide } from "../checks.ts";
import type { Evidence, LeaseEvidence, NodeEvidence, Rule } from "../model.ts";
import { lastComplaint, linesOf, secondsBehindOthers, shortened } from "../reading.ts";

const toPods = ["pods-spread", ...gettingPods];

/** Whether Pods have no place, for a reason that matches; or it is their spread alone that is in question. */
const matters = ({ api }: Evidence, check: string, reason: RegExp): boolean =>
  check === "pods-spread" || api.pods.some(({ unscheduled }) => reason.test(unscheduled));

/** The Nodes, each with those of its taints alone that the run's Pods do not tolerate. */
const withUntolerated = ({ api, given }: Evidence): NodeEvidence[] =>
  api.nodes.map((node) => ({
    ...node,
    taints: node.taints.filter((taint) => !given.tolerations.some((toleration) => tolerates(toleration, taintOf(taint)))),
  }));

/** Whether a taint keeps off Pods that have no place. A control plane is meant to take none while there are other Nodes. */
const keepsPodsOff = (taint: string, nodes: readonly NodeEvidence[]): boolean =>
  !taint.endsWith(":PreferNoSchedule") &&
  !(taint.startsWith("node-role.kubernetes.io/") && nodes.some(({ taints }) => taints.length === 0));

/**
 * The condition of a Node for which Kubernetes gives it a taint, and takes it away again. Memory is left out: the run's Pods ask for some,
 * and tolerate that one.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition
 */
const conditionBehind: Readonly<Record<string, string>> = {
  "disk-pressure": "DiskPressure",
  "pid-pressure": "PIDPressure",
  "network-unavailable": "NetworkUnavailable",
};

/** What a Node reports for which it has a taint, such as `DiskPressure: kubelet has disk pressure`. */
function reportBehind(taint: string, reports: readonly string[]): string | undefined {
  const condition = conditionBehind[/^node\.kubernetes\.io\/([a-z-]+)[:=]/.exec(taint)?.[1] ?? ""];
  return condition === undefined ? undefined : reports.find((report) => report.startsWith(`${condition}: `));
}

/** A kubelet renews its Lease four times as often as it must, every 10 s of 40 unless its nodeLeaseDurationSeconds says otherwise. */
const hasMissedTwo = (evidence: Evidence, lease: LeaseEvidence): boolean =>
  secondsBehindOthers(evidence, lease) > (lease.leaseDurationSeconds ?? 40) / 2 + 5;

export const schedulingRules: readonly Rule[] = [
  {
    id: "node-never-registered",
    explains: ["nodes-ready", "pods-spread"],
    guide: guide.workers,
    find: (evidence) => {
      const { nodes } = evidence.api;
      const host = evidence.given.workers.find((worker) => !nodes.some(({ name }) => name === worker));
      if (host === undefined || nodes.length === 0) return undefined;
      const line = `Nodes: ${nodes.map(({ name }) => name).join(", ")}`;
      return {
        what: `${host} has never registered with the API server: the cluster has no Node of this name`,
        seen: shortened(lastComplaint(evidence, host, "kubelet") ?? line),
        mend: `ssh ${host} journalctl -u kubelet -n 50  # or is it named wrongly in SMOKE_WORKERS or SMOKE_HOSTS?`,
      };
    },
  },
  {
    id: "node-not-ready",
    explains: ["nodes-ready", ...toPods],
    guide: guide.workers,
    find: (evidence, { check }) => {
      const node = evidence.api.nodes.find(({ ready }) => ready !== "True");
      const explainsIt = check === "nodes-ready" || matters(evidence, check, /not-ready|unreachable|pressure/);
      if (node === undefined || !explainsIt) return undefined;
      return {
        what: `${node.name} is not Ready: its kubelet does not report, or reports a problem`,
        seen: shortened(`Node ${node.name}: ${node.ready}`),
        mend: `ssh ${node.name} journalctl -u kubelet -n 50`,
      };
    },
  },
  {
    id: "kubelet-silent",
    explains: ["nodes-ready", ...gettingPods],
    guide: guide.workers,
    find: (evidence) => {
      const { leases, nodes } = evidence.api;
      const silent = leases.find((lease) => nodes.some(({ name }) => name === lease.name) && hasMissedTwo(evidence, lease));
      if (silent === undefined) return undefined;
      const [from] = linesOf(evidence, silent.name, "api-from-here");
      return {
        what: `the kubelet of ${silent.name} has not renewed its Lease for ${silent.secondsSinceRenewal} s: it does not reach the API server`,
        seen: shortened(from === undefined ? `Lease kube-node-lease/${silent.name}` : `${silent.name}: ${from}`),
        mend: `ssh ${silent.name} journalctl -u kubelet -n 50`,
      };
    },
  },
  {
    id: "node-cordoned",
    explains: toPods,
    guide: guide.smokeTest,
    find: (evidence, { check }) => {
      const node = evidence.api.nodes.find(({ unschedulable }) => unschedulable);
      if (node === undefined || !matters(evidence, check, /unschedulable/)) return undefined;
      return {
        what: `${node.name} is cordoned, so that it takes no Pods`,
        seen: `Node ${node.name}: spec.unschedulable is true`,
        mend: `kubectl uncordon ${node.name}`,
      };
    },
  },
  {
    id: "node-tainted",
    explains: toPods,
    guide: guide.smokeTest,
    find: (evidence, { check, message }) => {
      const nodes = withUntolerated(evidence);
      const tainted = nodes.flatMap(({ name, taints }) => taints.map((taint) => ({ name, taint })));
      const found = tainted.find(
        ({ taint }) =>
          !taint.startsWith("node.kubernetes.io/") && (message.includes(taint) || (check !== "pods-spread" && keepsPodsOff(taint, nodes))),
      );
      if (found === undefined || !matters(evidence, check, /taint/)) return undefined;
      return {
        what: `${found.name} is tainted ${found.taint}, which the run does not tolerate, so that it takes no Pods of it`,
        seen: `Node ${found.name}: spec.taints has ${found.taint}`,
        mend: `SMOKE_TOLERATIONS=${found.taint}, or kubectl taint node ${found.name} ${found.taint.split(/[=:]/, 1)[0]}-`,
      };
    },
  },
  {
    id: "node-under-pressure",
    explains: toPods,
    guide: guide.workers,
    find: (evidence, { check, message }) => {
      const found = evidence.api.nodes
        .flatMap(({ name, pressures, taints }) => taints.map((taint) => ({ name, taint, report: reportBehind(taint, pressures) })))
        .find(({ taint, report }) => report !== undefined && (check !== "pods-spread" || message.includes(taint)));
      if (found === undefined || !matters(evidence, check, /taint|pressure|network-unavailable/)) return undefined;
      const { name, taint, report } = found;
      return {
        what: `${name} takes no Pods, because of what it reports: ${report}`,
        seen: `Node ${name}: spec.taints has ${taint}`,
        mend: `ssh ${name} df -h /var/lib/containerd /var/lib/kubelet`,
      };
    },
  },
  {
    id: "pods-bound-to-nodes",
    explains: toPods,
    guide: guide.smokeTest,
    find: (evidence, { check }) => {
      const pod = evidence.api.pods.find(({ nodeSelector }) => Object.keys(nodeSelector).length > 0);
      if (pod === undefined || !matters(evidence, check, /affinity|selector/)) return undefined;
      const selector = Object.entries(pod.nodeSelector)
        .map(([name, value]) => `${name}=${value}`)
        .join(",");
      return {
        what: `something gives the Pods the nodeSelector ${selector}, so that they go nowhere else`,
        seen: `Pod ${pod.name}: spec.nodeSelector is ${selector}, and the Deployment has none`,
        mend: "who changes Pods? kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations",
      };
    },
  },
  {
    id: "no-room",
    explains: gettingPods,
    guide: guide.workers,
    find: ({ api }) => {
      const said = api.pods.map(({ unscheduled }) => unscheduled).find((text) => /Too many pods|Insufficient \S+/.test(text));
      if (said === undefined) return undefined;
      const fewest = String(Math.min(...api.nodes.map(({ maxPods }) => Number(maxPods || Infinity))));
      const full = api.nodes
        .filter(({ maxPods }) => maxPods === fewest)
        .map(({ name }) => name)
        .join(", ");
      const what = said.includes("Too many pods")
        ? `${full} has no room for another Pod: it takes ${fewest} (maxPods)`
        : `the Nodes have no room for the Pods: ${/Insufficient \S+/.exec(said)?.[0]}`;
      return {
        what,
        seen: shortened(said),
        mend: `ssh ${api.nodes.find(({ maxPods }) => maxPods === fewest)?.name ?? "NODE"} grep maxPods /var/lib/kubelet/kubelet-config.yaml`,
      };
    },
  },
  {
    id: "pod-without-a-place",
    explains: gettingPods,
    guide: guide.smokeTest,
    find: ({ api, given }) => {
      const said = api.pods.map(({ unscheduled }) => unscheduled).find((text) => text !== "");
      return said === undefined
        ? undefined
        : { what: "kube-scheduler finds no Node for the Pods", seen: shortened(said), mend: `kubectl -n ${given.namespace} describe pods` };
    },
  },
];
