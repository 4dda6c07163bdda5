/**
 * What does the part of a unit of the guide in clusters that are built otherwise. There the unit may be installed, and is not missed.
 */

/** Distributions that run all of Kubernetes in one process. */
const distributions = ["k3s", "k3s-server", "k3s-agent", "kubelite"];

/** By the unit, the names of processes, of which the kernel keeps 15 characters. Of etcd, a distribution has its own. */
const standIns: Readonly<Record<string, readonly string[]>> = {
  containerd: ["crio"],
  // They can do without kube-proxy, and only their own settings tell whether they do.
  "kube-proxy": ["cilium-agent", "kube-router", "antrea-agent", "ovnkube"],
};

/** Every process that a host is asked for. */
export const allStandIns: readonly string[] = [...distributions, ...Object.values(standIns).flat()];

/** Whether a process does the part of a unit. */
export const standsInFor = (unit: string, process: string): boolean =>
  distributions.includes(process) || (standIns[unit]?.includes(process) ?? false);
