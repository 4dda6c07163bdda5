import { expect, test } from "vitest";
import { readSettings } from "../../config.ts";
import { api, causeOf, line, lookalikes, node, pods, all, type Case, type Change } from "../recorded.ts";

const without = (gone: string) => api(({ nodes }) => ({ nodes: nodes.filter(({ name }) => name !== gone) }));
const full = "0/2 nodes are available: 1 Too many pods, 1 node(s) didn't match pod topology spread constraints.";
const ofControlPlane = "node-role.kubernetes.io/control-plane:NoSchedule";
const fullButFor =
  "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }.";

const diskPressure = "node.kubernetes.io/disk-pressure:NoSchedule";
const fullDisk = node("node-1", {
  pressures: ["EtcdIsVoter: Node is a voting member", "DiskPressure: kubelet has disk pressure"],
  taints: [diskPressure],
});
const tolerating =
  (notation: string): Change =>
  (evidence) => ({
    ...evidence,
    given: { ...evidence.given, tolerations: readSettings({ SMOKE_TOLERATIONS: notation }).tolerations },
  });
const untolerated = pods({ nodeName: "", unscheduled: "0/2 nodes are available: 2 node(s) had untolerated taint(s)." });

const cases: readonly Case[] = [
  {
    rule: "node-never-registered",
    check: "nodes-ready",
    change: without("node-1"),
    cause: /^node-1 has never registered with the API server/,
    // Where no Node is known, they were not asked for, or none is there.
    butNot: [{ change: all(without("node-0"), without("node-1")) }, { check: "exec-tty", change: without("node-1") }],
  },
  { rule: "node-never-registered", check: "pods-spread", change: without("node-1"), cause: /^node-1 has never registered/ },
  {
    rule: "node-not-ready",
    check: "nodes-ready",
    change: node("node-1", { ready: "Ready is Unknown (NodeStatusUnknown: Kubelet stopped posting node status.)" }),
    cause: /^node-1 is not Ready: /,
    butNot: [{ check: "replicas-ready", change: node("node-1", { ready: "Ready is Unknown" }) }],
  },
  {
    rule: "kubelet-silent",
    check: "nodes-ready",
    change: all(
      api(({ leases }) => ({ leases: leases.map((lease) => (lease.name === "node-1" ? { ...lease, secondsSinceRenewal: 47 } : lease)) })),
      line("node-1", "api-from-here", "kube-apiserver exit=28 code=000 ip= server= curl: (28) Connection timed out"),
    ),
    cause: /^the kubelet of node-1 has not renewed its Lease for 47 s: it does not reach the API server$/,
    butNot: [
      // A clock that is wrong makes all of them old, and others than kubelets have Leases as well.
      {
        change: api(({ leases }) => ({
          leases: leases.map((lease) => ({ ...lease, secondsSinceRenewal: lease.secondsSinceRenewal + 47 })),
        })),
      },
      { change: api(({ leases }) => ({ leases: [...leases, { name: "someones-leader", holder: "node-1", secondsSinceRenewal: 3600 }] })) },
    ],
  },
  {
    rule: "node-cordoned",
    check: "pods-spread",
    change: node("node-1", { unschedulable: true }),
    cause: /^node-1 is cordoned/,
    // Pods that do start do not mind.
    butNot: [{ check: "replicas-ready", change: node("node-1", { unschedulable: true }) }],
  },
  {
    rule: "node-tainted",
    check: "pods-spread",
    message: "2 Pods can be spread over 2 workers or more, but they may go to node-0 alone: node-1 is tainted dedicated=others:NoSchedule",
    change: node("node-1", { taints: ["dedicated=others:NoSchedule"] }),
    cause: /^node-1 is tainted dedicated=others:NoSchedule, which the run does not tolerate/,
    butNot: [
      { change: node("node-1", { taints: ["dedicated=others:NoSchedule"] }) },
      // A control plane is meant to take no Pods, and a preference keeps none off.
      { check: "replicas-ready", change: all(node("node-1", { taints: [ofControlPlane] }), pods({ unscheduled: fullButFor })) },
      { check: "replicas-ready", change: all(node("node-1", { taints: ["busy:PreferNoSchedule"] }), pods({ unscheduled: fullButFor })) },
    ],
  },
  {
    rule: "node-tainted",
    check: "replicas-ready",
    // There is no other Node.
    change: all(
      node("node-0", { taints: [ofControlPlane] }),
      node("node-1", { taints: [ofControlPlane] }),
      pods({ unscheduled: fullButFor }),
    ),
    cause: /^node-0 is tainted node-role\.kubernetes\.io\/control-plane:NoSchedule/,
  },
  {
    rule: "node-tainted",
    check: "replicas-ready",
    change: all(
      node("node-0", { taints: ["dedicated=smoke:NoSchedule"] }),
      node("node-1", { taints: ["dedicated=others:NoSchedule"] }),
      tolerating("dedicated=smoke:NoSchedule"),
      untolerated,
    ),
    cause: /^node-1 is tainted dedicated=others:NoSchedule/,
    // What the run tolerates is not what keeps its Pods off.
    butNot: [{ change: all(node("node-0", { taints: ["dedicated=smoke:NoSchedule"] }), tolerating("dedicated"), untolerated) }],
  },
  {
    rule: "node-under-pressure",
    check: "replicas-ready",
    change: all(fullDisk, untolerated),
    cause: /^node-1 takes no Pods, because of what it reports: DiskPressure: kubelet has disk pressure$/,
    butNot: [
      { change: fullDisk },
      { change: all(fullDisk, pods({ nodeName: "", unscheduled: "0/2 nodes are available: 2 Insufficient cpu." })) },
      {
        change: all(
          node("node-1", { pressures: ["MemoryPressure: x"], taints: ["node.kubernetes.io/memory-pressure:NoSchedule"] }),
          untolerated,
        ),
      },
      // It has said so, and it is over.
      { change: all(node("node-1", { pressures: ["DiskPressure: kubelet has disk pressure"] }), untolerated) },
      { check: "exec-tty", change: all(fullDisk, untolerated) },
    ],
  },
  {
    rule: "node-under-pressure",
    check: "pods-spread",
    message: `2 Pods can be spread over 2 workers or more, but they may go to node-0 alone: node-1 is tainted ${diskPressure}. See SMOKE_TOLERATIONS.`,
    change: fullDisk,
    cause: /^node-1 takes no Pods/,
    butNot: [{ message: "Nodes with one of 2 Pods; node-0, node-1 may have one", change: fullDisk }],
  },
  {
    rule: "pods-bound-to-nodes",
    check: "replicas-ready",
    change: pods({
      nodeSelector: { disk: "fast" },
      unscheduled: "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
    }),
    cause: /^something gives the Pods the nodeSelector disk=fast/,
    butNot: [
      // They have found their Nodes all the same, or what they lack is room.
      { change: pods({ nodeSelector: { "kubernetes.io/os": "linux" } }) },
      { change: pods({ nodeSelector: { "kubernetes.io/os": "linux" }, unscheduled: full }) },
    ],
  },
  {
    rule: "pods-bound-to-nodes",
    check: "pods-spread",
    change: pods({ nodeSelector: { "kubernetes.io/hostname": "node-0" } }),
    cause: /^something gives the Pods the nodeSelector kubernetes\.io\/hostname=node-0/,
  },
  {
    rule: "no-room",
    check: "replicas-ready",
    change: all(node("node-1", { maxPods: "1" }), pods({ unscheduled: full })),
    cause: /^node-1 has no room for another Pod: it takes 1 \(maxPods\)$/,
    butNot: [{ change: node("node-1", { maxPods: "1" }) }],
  },
  {
    rule: "no-room",
    check: "replicas-ready",
    change: pods({ unscheduled: "0/2 nodes are available: 2 Insufficient cpu." }),
    cause: /Insufficient cpu/,
  },
  {
    rule: "pod-without-a-place",
    check: "replicas-ready",
    change: pods({ unscheduled: "0/2 nodes are available: 2 node(s) did something else." }),
    cause: /finds no Node/,
    butNot: [{ change: pods({ unscheduled: full }) }, { check: "nodes-ready", change: pods({ unscheduled: "0/2 nodes are available" }) }],
  },
];

test.for(cases)("$rule is named when $check does not pass", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
