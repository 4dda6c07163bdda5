/**
 * A cluster whose ClusterIPs are taken from another range. A running one keeps its range in ServiceCIDR objects, whatever the flags say; so
 * these are removed with the Service that has an address of it, and the API server makes them anew.
 * https://kubernetes.io/docs/tasks/network/reconfigure-default-service-ip-ranges/
 */
import type { Lab } from "../faults/fault.ts";
import { reconnect } from "../faults/reconnect.ts";
import type { LegalCluster } from "./cluster.ts";
import { serviceCIDR } from "../topology.ts";

const other = "10.96.0.0/24";
const units = ["kube-apiserver", "kube-controller-manager"];

const keysOfRange = [
  ...["servicecidrs/", "ipaddresses/", "ranges/serviceips", "services/specs/default/kubernetes"],
  // The controller manager that is stopped would be waited for.
  "leases/kube-system/kube-controller-manager",
];

async function takeClusterIPsFrom(lab: Lab, range: string): Promise<void> {
  const files = units.map((unit) => `/etc/systemd/system/${unit}.service`).join(" ");
  const steps = [
    `systemctl stop ${units.join(" ")}`,
    `sed -i 's#--service-cluster-ip-range=[0-9./]*#--service-cluster-ip-range=${range}#' ${files}`,
    ...keysOfRange.map((key) => `etcdctl del --prefix /registry/${key}`),
    "systemctl daemon-reload",
    `systemctl start ${units.join(" ")}`,
  ];
  await lab.on("server", steps.join(" && "));
  await reconnect(lab);
}

export const serviceRangeChanged: Pick<LegalCluster, "arrange" | "undo" | "holds" | "environment"> = {
  arrange: (lab) => takeClusterIPsFrom(lab, other),
  undo: (lab) => takeClusterIPsFrom(lab, serviceCIDR),
  holds: async (lab) => (await lab.kubectl("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}")) === "10.96.0.1",
  environment: { SMOKE_SERVICE_CIDR: "" },
};
