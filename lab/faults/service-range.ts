/**
 * ClusterIPs from another range. A running cluster keeps its range in ServiceCIDR objects, whatever the flags say; these are removed with
 * the Service that has an address of it, and the API server makes them anew.
 * https://kubernetes.io/docs/tasks/network/reconfigure-default-service-ip-ranges/
 */
import type { Lab } from "./fault.ts";
import { reconnect } from "./reconnect.ts";

const units = ["kube-apiserver", "kube-controller-manager"];
const fileOf = (unit: string): string => `/etc/systemd/system/${unit}.service`;

const keysOfRange = [
  ...["servicecidrs/", "ipaddresses/", "ranges/serviceips", "services/specs/default/kubernetes"],
  // The controller manager that is stopped would be waited for.
  "leases/kube-system/kube-controller-manager",
];

/** Changes the units by a command, and has the API server take its range from what its flags say then. */
async function withRangeOf(lab: Lab, change: string): Promise<void> {
  const steps = [
    `systemctl stop ${units.join(" ")}`,
    change,
    ...keysOfRange.map((key) => `etcdctl del --prefix /registry/${key}`),
    "systemctl daemon-reload",
    `systemctl start ${units.join(" ")}`,
  ];
  await lab.on("server", steps.join(" && "));
  await reconnect(lab);
}

/** Has the whole cluster take its ClusterIPs from another range. */
export const takeClusterIPsFrom = (lab: Lab, range: string): Promise<void> =>
  withRangeOf(lab, `sed -i 's#--service-cluster-ip-range=[0-9./]*#--service-cluster-ip-range=${range}#' ${units.map(fileOf).join(" ")}`);

/** Without the flag the API server has a range of its own, 10.0.0.0/24. The other units keep theirs. */
export const dropServiceRange = (lab: Lab): Promise<void> =>
  withRangeOf(lab, `sed -i.away '/--service-cluster-ip-range=/d' ${fileOf("kube-apiserver")}`);

/** Ends that. */
export const restoreServiceRange = (lab: Lab): Promise<void> =>
  withRangeOf(lab, `mv ${fileOf("kube-apiserver")}.away ${fileOf("kube-apiserver")}`);

/** Whether the first address of the range, which the API server takes for itself, is this one. */
export const takesClusterIP = async (lab: Lab, first: string): Promise<boolean> =>
  (await lab.kubectl("get", "service", "kubernetes", "--ignore-not-found", "-o", "jsonpath={.spec.clusterIP}")) === first;
