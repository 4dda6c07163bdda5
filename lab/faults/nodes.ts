/**
 * Workers that are not there for Pods, and images that are not there for workers.
 */
import { needingPods, type Fault } from "./fault.ts";

export const nodes: readonly Fault[] = [
  {
    name: "node-1-cordoned",
    state: "node-1 takes no Pods, because it is cordoned",
    inject: (lab) => lab.kubectl("cordon", "node-1"),
    heal: (lab) => lab.kubectl("uncordon", "node-1"),
    holds: async (lab) => (await lab.kubectl("get", "node", "node-1", "-o", "jsonpath={.spec.unschedulable}")) === "true",
    fails: [],
    inconclusive: ["pods-spread"],
    because: /node-1 is cordoned/,
  },
  {
    name: "node-1-tainted",
    state: "node-1 takes no Pods, because it is tainted",
    inject: (lab) => lab.kubectl("taint", "node", "node-1", "dedicated=others:NoSchedule"),
    heal: (lab) => lab.kubectl("taint", "node", "node-1", "dedicated-"),
    holds: async (lab) => (await lab.kubectl("get", "node", "node-1", "-o", "jsonpath={.spec.taints[*].key}")).includes("dedicated"),
    fails: [],
    inconclusive: ["pods-spread"],
    because: /node-1 is tainted dedicated=others:NoSchedule/,
  },
  {
    name: "image-absent",
    state: "the registry does not have the image",
    inject: async () => undefined,
    heal: async () => undefined,
    holds: async () => true,
    environment: { SMOKE_IMAGE: "nginx:no-such-tag" },
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /not found/,
  },
  {
    name: "worker-never-registered",
    state: "a worker that is named in the settings has never registered",
    inject: async () => undefined,
    heal: async () => undefined,
    holds: async (lab) => !(await lab.kubectl("get", "nodes", "-o", "name")).includes("node-9"),
    environment: { SMOKE_WORKERS: "node-0,node-1,node-9" },
    fails: ["nodes-ready"],
    inconclusive: [],
    because: /node-9: not registered/,
  },
];
