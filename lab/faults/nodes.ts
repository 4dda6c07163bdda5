/**
 * Workers that are not there for Pods.
 */
import { kubeletConfigurationFile } from "../components/kubelet.ts";
import { podsMutated } from "./api-objects.ts";
import { isSo, needingPods, unitStopped, untilSo, type Fault, type Lab } from "./fault.ts";

const ofNode1 = (lab: Lab, jsonpath: string): Promise<string> => lab.kubectl("get", "node", "node-1", "-o", `jsonpath=${jsonpath}`);

/** Which is longer than the kubelet ever waits with renewing its Lease. */
const silentSeconds = 15;

/** Empty while there is no Lease: a kubelet that has just registered its Node may take 7 s more to create it. */
const lastRenewal = (lab: Lab): Promise<string> =>
  lab.kubectl("-n", "kube-node-lease", "get", "lease", "node-1", "--ignore-not-found", "-o", "jsonpath={.spec.renewTime}");

async function isSilent(lab: Lab): Promise<boolean> {
  const renewed = await lastRenewal(lab);
  return Date.now() - Date.parse(renewed) > silentSeconds * 1000;
}

/** Only the kubelet can say that a Pod has ended; so long the run's namespace cannot go. */
const noPodLeft = async (lab: Lab): Promise<boolean> => (await lab.kubectl("get", "pods", "--all-namespaces", "-o", "name")) === "";

/** The kubelet is heard of no more, and its Node still passes for Ready, so that the scheduler sends a Pod there. */
function justStopped(unit: "kubelet" | "containerd"): Fault {
  const stopped = unitStopped("node-1", unit, {
    fails: ["nodes-ready", "replicas-ready"],
    inconclusive: needingPods,
    because: {
      "nodes-ready": /node-1: Ready, but its Lease .* its kubelet is silent|node-1: Ready is Unknown/,
      "replicas-ready": /1 of 2 Pods Ready; Pod nginx-\S+ on node-1: Pending, not Ready/,
    },
    cause: new RegExp(`^Cause: ${unit} is not running on node-1 \\(inactive\\)`),
    leaves: "a Pod of a Node without a kubelet does not end",
  });
  return {
    ...stopped,
    inject: async (lab) => {
      await untilSo("node-1 to have a Lease", async () => (await lastRenewal(lab)) !== "");
      await stopped.inject(lab);
      await untilSo("node-1 to be silent", () => isSilent(lab));
    },
    heal: async (lab) => {
      // It requires containerd, and starts it.
      await lab.on("node-1", "systemctl start kubelet");
      await untilSo("every Pod to be gone", () => noPodLeft(lab), 60_000);
    },
  };
}

const registersNoNode = "registerNode: false";

const setMaxPods = (maxPods: number): string =>
  `sed -i 's/^maxPods: .*/maxPods: ${maxPods}/' ${kubeletConfigurationFile} && systemctl restart kubelet`;

const hasRoomFor = async (lab: Lab, pods: string): Promise<boolean> => (await ofNode1(lab, "{.status.allocatable.pods}")) === pods;

const takesPods = async (lab: Lab): Promise<boolean> =>
  (await ofNode1(lab, `{.status.conditions[?(@.type=="Ready")].status}{.spec.taints}`)) === "True";

/** A Pod that has ended takes no room. */
const isOccupied = async (lab: Lab): Promise<boolean> =>
  (await lab.kubectl("get", "pod", "occupant", "-o", "jsonpath={.spec.nodeName} {.status.phase}")) === "node-1 Running";

export const nodes: readonly Fault[] = [
  {
    name: "node-1-cordoned",
    state: "node-1 takes no Pods, because it is cordoned",
    inject: (lab) => lab.kubectl("cordon", "node-1"),
    heal: (lab) => lab.kubectl("uncordon", "node-1"),
    holds: async (lab) => (await ofNode1(lab, "{.spec.unschedulable}")) === "true",
    fails: [],
    inconclusive: ["pods-spread"],
    because: /node-1 is cordoned/,
    cause: /^Cause: node-1 is cordoned/,
  },
  {
    name: "node-1-tainted",
    state: "node-1 takes no Pods, because it is tainted",
    inject: (lab) => lab.kubectl("taint", "node", "node-1", "dedicated=others:NoSchedule"),
    heal: (lab) => lab.kubectl("taint", "node", "node-1", "dedicated-"),
    holds: async (lab) => (await ofNode1(lab, "{.spec.taints[*].key}")).includes("dedicated"),
    fails: [],
    inconclusive: ["pods-spread"],
    because: /node-1 is tainted dedicated=others:NoSchedule/,
    cause: /^Cause: node-1 is tainted dedicated=others:NoSchedule/,
  },
  {
    name: "node-1-full",
    state: "node-1 has room for one Pod, and another has taken it",
    inject: async (lab) => {
      const overrides = JSON.stringify({ apiVersion: "v1", spec: { nodeName: "node-1", terminationGracePeriodSeconds: 0 } });
      await lab.kubectl("run", "occupant", "--image=nginx", `--overrides=${overrides}`);
      await untilSo("the occupant to run", () => isOccupied(lab));
      await lab.on("node-1", setMaxPods(1));
      await untilSo("node-1 to have room for 1 Pod", () => hasRoomFor(lab, "1"));
      // A kubelet that has been started anew may call its Node not Ready for a while.
      await untilSo("node-1 to be Ready and untainted", () => takesPods(lab));
    },
    heal: async (lab) => {
      await lab.on("node-1", setMaxPods(16));
      await lab.kubectl("delete", "pod", "occupant");
      await untilSo("node-1 to have room for 16 Pods", () => hasRoomFor(lab, "16"));
    },
    holds: async (lab) => (await hasRoomFor(lab, "1")) && isOccupied(lab),
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /Unschedulable, 0\/2 nodes are available: .*Too many pods/,
    cause: /^Cause: node-1 has no room for another Pod: it takes 1 \(maxPods\)/,
  },
  {
    name: "pods-on-one-node",
    state: "a policy sends every Pod to node-0",
    ...podsMutated("pods-on-one-node", { "/spec/nodeSelector": { "kubernetes.io/hostname": "node-0" } }),
    fails: ["pods-spread"],
    inconclusive: [],
    because: /Nodes with one of 2 Pods; node-0, node-1 may have one/,
    cause: /^Cause: something gives the Pods the nodeSelector /,
  },
  justStopped("kubelet"),
  justStopped("containerd"),
  {
    name: "node-1-not-ready",
    state: "node-1 is not Ready, because its kubelet has been stopped for a minute",
    inject: async (lab) => {
      await lab.on("node-1", "systemctl stop kubelet");
      await untilSo("node-1 to pass for lost", async () => (await ofNode1(lab, "{.spec.taints[*].key}")).includes("unreachable"), 90_000);
    },
    heal: (lab) => lab.on("node-1", "systemctl start kubelet"),
    holds: (lab) => isSo(lab, "node-1", "! systemctl is-active --quiet kubelet"),
    fails: ["nodes-ready"],
    inconclusive: ["pods-spread"],
    because: /node-1: Ready is Unknown/,
    cause: /^Cause: kubelet is not running on node-1 \(inactive\)/,
  },
  {
    name: "node-1-never-registered",
    state: "the kubelet of node-1 runs, and has never registered its Node",
    inject: async (lab) => {
      await lab.on("node-1", `systemctl stop kubelet && echo '${registersNoNode}' >> ${kubeletConfigurationFile}`);
      await lab.kubectl("delete", "node", "node-1");
      await lab.on("node-1", "systemctl start kubelet");
    },
    heal: (lab) => lab.on("node-1", `sed -i '/^${registersNoNode}$/d' ${kubeletConfigurationFile} && systemctl restart kubelet`),
    holds: async (lab) =>
      (await isSo(lab, "node-1", "systemctl is-active --quiet kubelet")) &&
      !(await lab.kubectl("get", "nodes", "-o", "name")).includes("node-1"),
    fails: ["nodes-ready"],
    inconclusive: ["pods-spread"],
    because: /node-1: not registered/,
    cause: /^Cause: node-1 has never registered with the API server/,
  },
];
