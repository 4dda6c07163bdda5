import { expect, test } from "vitest";
import { containsAddress, firstAddress, overlaps } from "../helpers/cidr.ts";
import { clusterCIDR, hostsOf, kubernetesServiceIP, serviceCIDR, subnetOfName, topologyOf } from "./topology.ts";

test("a topology follows from its subnet and its number of workers", () => {
  expect(topologyOf({ subnet: "10.91.7.0/24", workers: 2 })).toEqual({
    subnet: "10.91.7.0/24",
    gateway: "10.91.7.1",
    server: { name: "server", address: "10.91.7.10" },
    workers: [
      { name: "node-0", address: "10.91.7.20", podCIDR: "10.200.0.0/24" },
      { name: "node-1", address: "10.91.7.21", podCIDR: "10.200.1.0/24" },
    ],
  });
});

test("the hosts are the server and every worker", () => {
  expect(hostsOf(topologyOf({ subnet: "10.91.7.0/24", workers: 2 })).map(({ name }) => name)).toEqual(["server", "node-0", "node-1"]);
});

test("in the largest lab all addresses are in the subnet, all Pod CIDRs in the cluster's, and none is given twice", () => {
  const topology = topologyOf({ subnet: "10.91.7.0/24", workers: 16 });
  const addresses = [topology.gateway, ...hostsOf(topology).map(({ address }) => address)];
  const podCIDRs = topology.workers.map(({ podCIDR }) => podCIDR);
  expect(addresses.filter((address) => !containsAddress(topology.subnet, address))).toEqual([]);
  expect(podCIDRs.filter((podCIDR) => !containsAddress(clusterCIDR, firstAddress(podCIDR)))).toEqual([]);
  expect(new Set(addresses).size).toBe(18);
  expect(new Set(podCIDRs).size).toBe(16);
});

test("Pods and Services do not share addresses, and the API's own is among the Services'", () => {
  expect(overlaps(clusterCIDR, serviceCIDR)).toBe(false);
  expect(containsAddress(serviceCIDR, kubernetesServiceIP)).toBe(true);
});

test("a name has one subnet, another name another, and none meets the lab's inner ranges", () => {
  const names = ["lab", "lab2", "test", ...Array.from({ length: 200 }, (_, index) => `lab${index}x`)];
  expect(subnetOfName("lab")).toBe(subnetOfName("lab"));
  expect(subnetOfName("lab")).not.toBe(subnetOfName("lab2"));
  for (const subnet of names.map(subnetOfName)) {
    expect(subnet).toMatch(/^10\.\d+\.\d+\.0\/24$/);
    expect([clusterCIDR, serviceCIDR].filter((range) => overlaps(range, subnet))).toEqual([]);
  }
});
