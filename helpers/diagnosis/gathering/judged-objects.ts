/**
 * What each check looks at in the API: its evidence shows these objects as they were when it did not pass. `Log` is the end of the log of
 * each container of the run's Pods, and of the one before it where it has restarted.
 */

export type Judged =
  "Deployment" | "ReplicaSet" | "Pod" | "Event" | "Log" | "Service" | "EndpointSlice" | "ServiceCIDR" | "Secret" | "Node" | "Lease";

const workload = ["Deployment", "ReplicaSet", "Pod", "Event", "Log"] as const;
const containers = ["Pod", "Log"] as const;
const podNetwork = ["Pod", "Node"] as const;
const service = ["Service", "EndpointSlice", "Pod"] as const;

/** By the id of the check. */
export const judgedObjects: Readonly<Record<string, readonly Judged[]>> = {
  "nodes-ready": ["Node", "Lease"],
  "secret-read-back": ["Secret"],
  "secret-encrypted": ["Secret"],
  "secret-no-plaintext": ["Secret"],
  "secret-decrypts": ["Secret"],
  "secret-deleted": ["Secret"],
  "replicas-ready": workload,
  "no-restarts": workload,
  "pod-replaced": workload,
  "pod-cidr": podNetwork,
  "pods-spread": podNetwork,
  "containers-on-host": podNetwork,
  "pods-on-bridge": podNetwork,
  "pod-ip-from-server": podNetwork,
  "port-forward": containers,
  "logs-recorded": containers,
  "logs-followed": containers,
  "exec-version": containers,
  "exec-streams": containers,
  "exec-reads": containers,
  "exec-stdin": containers,
  "exec-tty": containers,
  "service-ports": [...service, "ServiceCIDR"],
  "service-endpoints": service,
  "node-port-answers": [...service, "Node"],
  "node-port-every-pod": [...service, "Node"],
};
