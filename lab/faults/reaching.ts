/**
 * What has to be reached cannot be.
 */
import { isSo, type Fault } from "./fault.ts";

export const reaching: readonly Fault[] = [
  {
    name: "ssh-refused-on-node-1",
    state: "sshd does not run on node-1",
    inject: (lab) => lab.on("node-1", "systemctl stop ssh"),
    heal: (lab) => lab.on("node-1", "systemctl start ssh"),
    holds: (lab) => isSo(lab, "node-1", "! systemctl is-active --quiet ssh"),
    fails: [],
    inconclusive: ["pod-cidr", "containers-on-host", "pods-on-bridge"],
    because: /node-1: cannot open SSH .* the connection was refused/,
  },
  {
    name: "declared-pod-cidr-differs",
    state: "the settings and the CNI file of node-1 give it different Pod CIDRs",
    inject: async () => undefined,
    heal: async () => undefined,
    holds: (lab) => isSo(lab, "node-1", "! grep -q 10.222.1.0/24 /etc/cni/net.d/10-bridge.conf"),
    environment: { SMOKE_POD_CIDRS: "node-1=10.222.1.0/24" },
    fails: ["pod-cidr"],
    inconclusive: [],
    because: /node-1: its Pod CIDR is 10\.222\.1\.0\/24 by SMOKE_POD_CIDRS, but 10\.200\.1\.0\/24/,
  },
  {
    name: "service-range-differs",
    state: "the settings and the cluster have different service ranges",
    inject: async () => undefined,
    heal: async () => undefined,
    holds: async (lab) => (await lab.kubectl("get", "servicecidrs", "-o", "jsonpath={.items[*].spec.cidrs[*]}")) === "10.32.0.0/24",
    environment: { SMOKE_SERVICE_CIDR: "10.33.0.0/24" },
    fails: ["service-ports"],
    inconclusive: [],
    because: /10\.33\.0\.0\/24/,
  },
];
