/**
 * The lab's topology, as data: which hosts there are, their addresses, their Pod CIDRs. Everything else follows from it.
 *
 *   this machine ── veth ── bridge, in a network namespace of its own
 *                              ├── server   .10   etcd, kube-apiserver, kube-scheduler, kube-controller-manager, the registry
 *                              ├── node-0   .20   containerd, kubelet, kube-proxy; Pods 10.200.0.0/24
 *                              └── node-1   .21   containerd, kubelet, kube-proxy; Pods 10.200.1.0/24
 *
 * Pods and Services have their addresses inside of the lab only; the machine gets no route to them, as the guide's jumpbox has none.
 */
import { createHash } from "node:crypto";

export const clusterCIDR = "10.200.0.0/16";
export const serviceCIDR = "10.32.0.0/24";
/** The first address of the service range, which the API server takes for `kubernetes.default`. */
export const kubernetesServiceIP = "10.32.0.1";

export type Worker = { name: string; address: string; podCIDR: string };
export type Topology = {
  /** The /24 that the machine and the hosts share. */
  subnet: string;
  /** The machine's end. */
  gateway: string;
  server: { name: "server"; address: string };
  workers: readonly Worker[];
};

/** @param subnet a /24, such as 10.91.7.0/24 */
export function topologyOf({ subnet, workers }: { subnet: string; workers: number }): Topology {
  const prefix = subnet.replace(/\.0\/24$/, "");
  return {
    subnet,
    gateway: `${prefix}.1`,
    server: { name: "server", address: `${prefix}.10` },
    workers: Array.from({ length: workers }, (_, index) => ({
      name: `node-${index}`,
      address: `${prefix}.${20 + index}`,
      podCIDR: `10.200.${index}.0/24`,
    })),
  };
}

/** Every host's name and address. */
export const hostsOf = ({ server, workers }: Topology): readonly { name: string; address: string }[] => [server, ...workers];

/** A /24 that follows from the instance's name, so that two instances do not share one. It stays clear of the lab's inner ranges. */
export function subnetOfName(name: string): string {
  const [high = 0, low = 0] = createHash("sha256").update(name).digest();
  return `10.${64 + (high % 64)}.${low}.0/24`;
}
