/**
 * CNI on a worker: its files, its plugins, its bridge and its addresses.
 */
import { overPodNetwork } from "../../helpers/diagnosis/checks.ts";
import { isSo, needingPods, untilSo, type Armed, type Fault, type Lab } from "./fault.ts";
import { onlyAnswering } from "./symptoms.ts";

const folder = "/etc/cni/net.d";
const bridgeFile = `${folder}/10-bridge.conf`;
/** host-local keeps a file here for each address that it has given away. */
const leases = "/var/lib/cni/networks/bridge";
const takeAddresses = `mkdir -p ${leases} && cd ${leases} && for i in $(seq 2 254); do [ -e 10.200.1.$i ] || echo filler > 10.200.1.$i; done`;
const addressesAreTaken = (lab: Lab): Promise<boolean> =>
  isSo(lab, "node-1", `[ "$(grep -lx filler ${leases}/10.200.1.* | wc -l)" = 253 ]`);

/** Removes the bridge of a worker; the plugin makes it anew for the next Pod. */
export const bridgeGone = "ip link delete cni0 2>/dev/null || true";

/** No Pod can get a sandbox on node-1; the scheduler sends one there all the same. */
const withoutSandbox: Pick<Fault, "fails" | "inconclusive"> = { fails: ["replicas-ready"], inconclusive: needingPods };

/**
 * A file of node-1 has another name as long as the fault. It stays in its folder: containerd reads CNI files anew when one is renamed
 * there, and not when one appears.
 */
const fileMissing = (path: string): Armed => ({
  inject: (lab) => lab.on("node-1", `mv ${path} ${path}.away`),
  heal: (lab) => lab.on("node-1", `mv ${path}.away ${path}`),
  holds: (lab) => isSo(lab, "node-1", `[ ! -e ${path} ]`),
});

const isWithoutNetwork = async (lab: Lab): Promise<boolean> =>
  (await lab.kubectl("get", "node", "node-1", "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].message}`)).includes("cni plugin");

const plugin = "/opt/cni/bin/bridge";

export const cni: readonly Fault[] = [
  {
    name: "cni-file-removed-on-node-1",
    state: "node-1 has no CNI file but that of loopback, which containerd takes for the Pod network",
    ...fileMissing(bridgeFile),
    ...withoutSandbox,
    because: /on node-1: FailedCreatePodSandBox.*failed to find network info/,
    cause: /^Cause: \/etc\/cni\/net\.d on node-1 holds 99-loopback\.conf alone/,
  },
  {
    name: "cni-folder-empty-on-node-1",
    state: "node-1 has no CNI file, and is not Ready for it",
    inject: async (lab) => {
      await lab.on("node-1", `for file in ${folder}/*.conf; do mv $file $file.away; done`);
      await untilSo("node-1 to miss its CNI", () => isWithoutNetwork(lab));
    },
    heal: (lab) => lab.on("node-1", `for file in ${folder}/*.away; do mv $file \${file%.away}; done`),
    holds: async (lab) => (await isSo(lab, "node-1", `! ls ${folder}/*.conf 2>/dev/null`)) && isWithoutNetwork(lab),
    fails: ["nodes-ready"],
    inconclusive: ["pods-spread"],
    because: /node-1: Ready is False .*cni plugin not initialized/,
    cause: /^Cause: \/etc\/cni\/net\.d on node-1 is empty/,
  },
  {
    name: "bridge-plugin-missing-on-node-1",
    state: "node-1 does not have the CNI plugin that its CNI file names",
    ...fileMissing(plugin),
    ...withoutSandbox,
    because: /on node-1: FailedCreatePodSandBox.*failed to find plugin "bridge"/,
    cause: /^Cause: the CNI plugin bridge is missing from \/opt\/cni\/bin on node-1/,
  },
  {
    name: "bridge-with-another-address-on-node-1",
    state: "the bridge of node-1 has an address outside of its Pod CIDR",
    inject: (lab) =>
      lab.on("node-1", `${bridgeGone}; ip link add cni0 type bridge && ip link set cni0 up && ip address add 10.200.99.1/24 dev cni0`),
    heal: (lab) => lab.on("node-1", bridgeGone),
    holds: (lab) => isSo(lab, "node-1", "ip -4 address show dev cni0 | grep -q 10.200.99.1/24"),
    ...withoutSandbox,
    because: /on node-1: FailedCreatePodSandBox.*already has an IP address different from/,
    cause: /^Cause: the bridge cni0 on node-1 has not the address 10\.200\.1\.1/,
  },
  {
    name: "pod-addresses-exhausted-on-node-1",
    state: "every address of node-1's Pod CIDR is given away",
    // A Pod that is on its way out still gives its address back.
    inject: (lab) =>
      untilSo("every address of node-1 to be taken", async () => {
        await lab.on("node-1", takeAddresses);
        return addressesAreTaken(lab);
      }),
    heal: (lab) => lab.on("node-1", `grep -lx filler ${leases}/10.200.1.* | xargs rm`),
    holds: addressesAreTaken,
    ...withoutSandbox,
    because: /on node-1: FailedCreatePodSandBox.*no IP addresses available in range set/,
    cause: /^Cause: the Pod subnet on node-1 has no address left/,
  },
  {
    name: "one-pod-cidr-for-two-workers",
    state: "the CNI files of both workers name the Pod CIDR of node-0",
    inject: async (lab) => {
      await lab.on("node-1", `sed -i.away s/10.200.1.0/10.200.0.0/ ${bridgeFile} && ${bridgeGone}`);
      // Two Pods with the very same address are another fault: each Node would find one at home.
      await lab.on("node-0", `mkdir -p ${leases} && printf 10.200.0.9 > ${leases}/last_reserved_ip.0`);
      await lab.on("node-1", `mkdir -p ${leases} && printf 10.200.0.99 > ${leases}/last_reserved_ip.0`);
    },
    heal: (lab) => lab.on("node-1", `mv ${bridgeFile}.away ${bridgeFile} && ${bridgeGone}`),
    holds: (lab) => isSo(lab, "node-1", `grep -q 10.200.0.0/24 ${bridgeFile}`),
    fails: ["pod-cidr", ...overPodNetwork],
    inconclusive: [],
    because: {
      "pod-cidr": /node-0 has the Pod CIDR 10\.200\.0\.0\/24 .* which overlaps 10\.200\.0\.0\/24 of node-1/,
      "pod-ip-from-server": /server: its route to 10\.200\.0\.\d+ \(Pod nginx-\S+ on node-1\) goes via \S+, which is node-0/,
      ...onlyAnswering("node-0", ["node-0"]),
    },
    cause: /^Cause: node-0 and node-1 have the same Pod subnet/,
  },
];
