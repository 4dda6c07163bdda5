/**
 * Pods that are wired wrongly on their Node. A run's veths are there for seconds only; what is wrong with them is done by the CNI plugin
 * that makes them.
 */
import { overPodNetwork } from "../../helpers/diagnosis/checks.ts";
import { bridgeGone } from "./cni.ts";
import { isSo, programIs, type Armed, type Fault } from "./fault.ts";
import { node1sPodsCutOff } from "./symptoms.ts";

const plugin = "/opt/cni/bin/bridge";

/** A plugin that does something more for every Pod: $veth is the Node's end of the Pod's veth. */
const wrapper = (then: string): string => `result=$(${plugin}.real) || { printf '%s' "$result"; exit 1; }
veth=$(printf '%s' "$result" | grep -o 'veth[0-9a-f]*' | head -n 1)
if [ "$CNI_COMMAND" = ADD ]; then ${then}; fi >&2
printf '%s' "$result"`;

/** The CNI plugin of node-1, having made a Pod's veth, does this. */
function bridgePluginThen(then: string): Armed {
  return {
    ...programIs(["node-1"], plugin, wrapper(then)),
    holds: (lab) => isSo(lab, "node-1", `grep -qF '${then}' ${plugin}`),
  };
}

/** The Pod runs and is Ready all the same: logs and exec act inside of its namespaces. */
const cutOff = ["pods-on-bridge", ...overPodNetwork];

const offTheBridge = bridgePluginThen(
  "ip address del 10.200.1.1/24 dev cni0; ip address replace 10.200.1.1/32 dev lo; ip route replace 10.200.1.0/24 dev cni0",
);

export const veths: readonly Fault[] = [
  {
    name: "veth-down-on-node-1",
    state: "the veths of node-1's Pods are down",
    ...bridgePluginThen("ip link set $veth down"),
    fails: cutOff,
    inconclusive: [],
    because: { ...node1sPodsCutOff, "pods-on-bridge": /node-1: veth\w+, the veth of Pod nginx-\S+, is down/ },
    cause: /^Cause: veth\w+, the veth of a Pod on node-1, is down/,
  },
  {
    name: "veth-off-bridge-on-node-1",
    state: "the veths of node-1's Pods are not on its bridge",
    ...bridgePluginThen("ip link set $veth nomaster"),
    fails: cutOff,
    inconclusive: [],
    because: { ...node1sPodsCutOff, "pods-on-bridge": /node-1: veth\w+, the veth of Pod nginx-\S+, is on no bridge, expected cni0/ },
    cause: /^Cause: veth\w+, the veth of a Pod on node-1, is on no bridge/,
  },
  {
    name: "gateway-off-bridge-on-node-1",
    state: "the gateway's address is on the loopback interface of node-1 and not on its bridge; the kernel answers for it all the same",
    ...offTheBridge,
    heal: async (lab) => {
      await offTheBridge.heal(lab);
      await lab.on("node-1", `ip address del 10.200.1.1/32 dev lo; ${bridgeGone}`);
    },
    fails: ["pods-on-bridge"],
    inconclusive: [],
    because: /node-1: bridge cni0 has the addresses .*, expected 10\.200\.1\.1, the gateway of its Pods/,
    cause: /^Cause: the bridge cni0 on node-1 has not the address 10\.200\.1\.1, the gateway of /,
  },
];
