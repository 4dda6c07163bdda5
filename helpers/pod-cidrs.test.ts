import { expect, test } from "vitest";
import type { CNIConfiguration } from "./cni-configuration.ts";
import { choosePodCIDRs, podAddressProblems, type AddressedPod, type PodCIDRs } from "./pod-cidrs.ts";

function cni(type: string, subnets: string[] = [], ipam: Partial<CNIConfiguration["ipam"]> = {}): CNIConfiguration {
  return {
    file: "/etc/cni/net.d/10-bridge.conf",
    name: "net",
    type,
    isGateway: true,
    ipam: { type: "host-local", subnets, gateways: [], usesPodCIDRs: false, ...ipam },
  };
}

const [zero, one] = ["10.200.0.0/24", "10.200.1.0/24"];

test("the settings come first, then the CNI file, then the Node's spec", () => {
  const sources = { configured: [zero], cni: cni("bridge", [zero]), specPodCIDRs: [zero] };
  const file = "/etc/cni/net.d/10-bridge.conf";
  expect(choosePodCIDRs("node-0", sources)).toEqual({ nodeName: "node-0", cidrs: [zero], source: "SMOKE_POD_CIDRS", problems: [] });
  expect(choosePodCIDRs("node-0", { ...sources, configured: [] })).toMatchObject({ source: file, cidrs: [zero] });
  expect(choosePodCIDRs("node-0", { specPodCIDRs: [zero] })).toMatchObject({ source: "spec.podCIDRs", cidrs: [zero] });
  expect(choosePodCIDRs("node-0", { cni: cni("bridge", [], { usesPodCIDRs: true }), specPodCIDRs: [zero] })).toMatchObject({
    source: "spec.podCIDRs",
  });
});

test("sources that contradict each other are a problem, whichever is taken", () => {
  expect(choosePodCIDRs("node-0", { cni: cni("bridge", [one]), specPodCIDRs: [zero] }).problems).toEqual([
    "node-0: its Pod CIDR is 10.200.1.0/24 by /etc/cni/net.d/10-bridge.conf, but 10.200.0.0/24 by spec.podCIDRs",
  ]);
  expect(choosePodCIDRs("node-0", { configured: [zero], cni: cni("bridge", [one]), specPodCIDRs: [one] }).problems).toHaveLength(2);
});

test("sources agree when they write the same range differently, or when one is silent about a family", () => {
  const dual = cni("bridge", ["fd00::/64", zero]);
  expect(choosePodCIDRs("node-0", { configured: ["10.200.0.9/24"], cni: dual, specPodCIDRs: [zero, "FD00:0::/64"] }).problems).toEqual([]);
});

test("another IPAM is held against the settings alone, and says so", () => {
  const calico = cni("calico", [], { type: "calico-ipam" });
  expect(choosePodCIDRs("node-0", { cni: calico, specPodCIDRs: [zero] })).toMatchObject({
    cidrs: [],
    note: expect.stringMatching(
      /^node-0: the IPAM of \/etc\/cni\/net\.d\/10-bridge\.conf is calico-ipam, .* set SMOKE_POD_CIDRS/,
    ) as string,
  });
  expect(choosePodCIDRs("node-0", { configured: [one], cni: calico, specPodCIDRs: [zero] })).toMatchObject({
    cidrs: [one],
    problems: [],
    note: expect.stringMatching(/judged against SMOKE_POD_CIDRS/) as string,
  });
  expect(choosePodCIDRs("node-0", { cni: cni("cilium-cni", [], { type: "" }) }).note).toContain("is cilium-cni");
});

test("nothing that tells the range is said, not passed over", () => {
  expect(choosePodCIDRs("node-0", {})).toMatchObject({
    cidrs: [],
    source: "none",
    note: expect.stringContaining("neither SMOKE_POD_CIDRS") as string,
  });
});

const node = (nodeName: string, ...cidrs: string[]): PodCIDRs => ({ nodeName, cidrs, source: "its CNI file", problems: [] });
const pod = (name: string, nodeName: string, ...podIPs: string[]) => ({ name, nodeName, podIPs });
const nodes = [node("node-0", zero), node("node-1", one)];

test.for([
  ["each in its Node's range", [pod("a", "node-0", "10.200.0.2"), pod("b", "node-1", "10.200.1.2")], nodes, []],
  [
    "in another Node's range",
    [pod("a", "node-0", "10.200.1.2")],
    nodes,
    ["Pod a on node-0 has 10.200.1.2, expected an address in 10.200.0.0/24 (its CNI file); that address belongs to node-1"],
  ],
  [
    "in nobody's range",
    [pod("a", "node-0", "10.88.0.2")],
    nodes,
    ["Pod a on node-0 has 10.88.0.2, expected an address in 10.200.0.0/24 (its CNI file)"],
  ],
  ["without an address", [pod("a", "node-0")], nodes, ["Pod a on node-0 has no address"]],
  ["on an unknown Node", [pod("a", "node-2", "10.200.2.2")], nodes, ["Pod a is on node-2, of which no Pod CIDR was looked up"]],
  ["where no range is known", [pod("a", "node-0", "10.88.0.2")], [node("node-0")], []],
  ["with a family that is not judged", [pod("a", "node-0", "10.200.0.2", "fd00::2")], nodes, []],
  [
    "with one wrong family",
    [pod("a", "node-0", "10.200.0.2", "fd01::2")],
    [node("node-0", zero, "fd00::/64")],
    [/fd01::2, expected an address in/],
  ],
  [
    "sharing an address",
    [pod("a", "node-0", "fd00::2"), pod("b", "node-1", "FD00:0::2")],
    [node("node-0"), node("node-1")],
    ["2 Pods have the address fd00::2: a on node-0, b on node-1"],
  ],
  [
    "in ranges that overlap",
    [],
    [node("node-0", "10.200.0.0/16"), node("node-1", one)],
    ["node-0 has the Pod CIDR 10.200.0.0/16 (its CNI file), which overlaps 10.200.1.0/24 of node-1 (its CNI file)"],
  ],
  ["with contradicting sources", [], [{ ...node("node-0", zero), problems: ["node-0: contradicts"] }], ["node-0: contradicts"]],
] satisfies [string, AddressedPod[], PodCIDRs[], (string | RegExp)[]][])("Pods %s", ([, pods, ranges, expected]) => {
  const seen = podAddressProblems(pods, ranges);
  expect(seen).toEqual(expected.map((entry) => (typeof entry === "string" ? entry : (expect.stringMatching(entry) as string))));
});
