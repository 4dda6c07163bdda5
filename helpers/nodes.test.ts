import type { V1Node, V1NodeSpec, V1NodeStatus } from "@kubernetes/client-node";
import { expect, test } from "vitest";
import { readSettings } from "./config.ts";
import { addressesOf, addressOf, nameOf, notReadyBecause, taintOf, taintText, unschedulableBecause } from "./nodes.ts";

const ready: V1NodeStatus = {
  conditions: [
    { type: "DiskPressure", status: "False" },
    { type: "Ready", status: "True" },
  ],
};
const node = (spec: V1NodeSpec = {}, status: V1NodeStatus = ready): V1Node => ({ metadata: { name: "node-0" }, spec, status });
const tolerating = (notation: string) => readSettings({ SMOKE_TOLERATIONS: notation }).tolerations;

test("a Node has a name", () => {
  expect(nameOf(node())).toBe("node-0");
});

test("a Node is Ready when it says so, and only then", () => {
  const condition = { reason: "KubeletNotReady", message: "cni plugin not initialized" };
  const saying = (status: string) => node({}, { conditions: [{ type: "Ready", status, ...condition }] });
  expect(notReadyBecause(node())).toBeUndefined();
  expect(notReadyBecause(saying("False"))).toBe("Ready is False (KubeletNotReady: cni plugin not initialized)");
  expect(notReadyBecause(saying("Unknown"))).toBe("Ready is Unknown (KubeletNotReady: cni plugin not initialized)");
  expect(notReadyBecause(node({}, {}))).toBe("its kubelet has never reported a Ready condition");
  expect(notReadyBecause({ metadata: { name: "node-0" } })).toBe("its kubelet has never reported a Ready condition");
});

test("a cordoned Node takes no Pods, whatever is tolerated", () => {
  const cordoned = node({ unschedulable: true, taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }] });
  expect(unschedulableBecause(cordoned, tolerating("node.kubernetes.io/unschedulable"))).toBe("cordoned");
});

test("a Node that is not Ready takes no Pods", () => {
  expect(unschedulableBecause(node(), [])).toBeUndefined();
  expect(unschedulableBecause(node({}, {}), [])).toBe("its kubelet has never reported a Ready condition");
});

test("every taint that is not tolerated is named; one that only prefers is none", () => {
  const taints = [
    { key: "dedicated", value: "etcd", effect: "NoSchedule" },
    { key: "slow", effect: "PreferNoSchedule" },
    { key: "broken", effect: "NoExecute" },
  ];
  expect(unschedulableBecause(node({ taints }), [])).toBe("tainted dedicated=etcd:NoSchedule, broken:NoExecute");
  expect(unschedulableBecause(node({ taints }), tolerating("dedicated"))).toBe("tainted broken:NoExecute");
  expect(unschedulableBecause(node({ taints }), tolerating("dedicated,broken"))).toBeUndefined();
});

test.for([
  ["dedicated=smoke:NoSchedule", true],
  ["dedicated=smoke", true],
  ["dedicated:NoSchedule", true],
  ["dedicated", true],
  ["dedicated=other:NoSchedule", false],
  ["dedicated=:NoSchedule", false],
  ["dedicated=smoke:NoExecute", false],
  ["dedicate", false],
] as const)("the taint dedicated=smoke:NoSchedule is tolerated by %s: %s", ([notation, tolerated]) => {
  const tainted = node({ taints: [{ key: "dedicated", value: "smoke", effect: "NoSchedule" }] });
  expect(unschedulableBecause(tainted, tolerating(notation)) === undefined).toBe(tolerated);
});

test.for(["dedicated=smoke:NoSchedule", "dedicated:NoExecute", "node-role.kubernetes.io/control-plane:NoSchedule"])(
  "a taint is read as it is written: %s",
  (text) => {
    expect(taintText(taintOf(text))).toBe(text);
  },
);

test("a taint without a value is tolerated by an empty one", () => {
  const tainted = node({ taints: [{ key: "dedicated", effect: "NoSchedule" }] });
  expect(unschedulableBecause(tainted, tolerating("dedicated=:NoSchedule"))).toBeUndefined();
  expect(unschedulableBecause(tainted, tolerating("dedicated=smoke:NoSchedule"))).toBe("tainted dedicated:NoSchedule");
});

const hostname = { type: "Hostname", address: "node-0.example" };
const external = { type: "ExternalIP", address: "198.51.100.20" };
const internal = { type: "InternalIP", address: "192.0.2.20" };
const withAddresses = (...addresses: { type: string; address: string }[]): V1Node => node({}, { addresses });

test("a Node is reached by the configured host, else InternalIP, else ExternalIP, else its name", () => {
  const all = withAddresses(hostname, external, internal);
  expect(addressOf(all, { "node-0": "203.0.113.20", "node-1": "203.0.113.21" })).toBe("203.0.113.20");
  expect(addressOf(all, { "node-1": "203.0.113.21" })).toBe("192.0.2.20");
  expect(addressOf(withAddresses(hostname, external), {})).toBe("198.51.100.20");
  expect(addressOf(withAddresses(hostname), {})).toBe("node-0");
  expect(addressOf({ metadata: { name: "node-0" } }, {})).toBe("node-0");
});

test("every address of a Node is listed once, the configured one first, and a hostname is none", () => {
  const all = withAddresses(hostname, internal, external, { type: "InternalIP", address: "fd00::20" });
  expect(addressesOf(all, {})).toEqual(["192.0.2.20", "198.51.100.20", "fd00::20"]);
  expect(addressesOf(all, { "node-0": "198.51.100.20" })).toEqual(["198.51.100.20", "192.0.2.20", "fd00::20"]);
  expect(addressesOf(withAddresses(), { "node-0": "203.0.113.20" })).toEqual(["203.0.113.20"]);
});
