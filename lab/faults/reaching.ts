/**
 * A host cannot be reached, or is not the one that it is taken for; and what the run is told of the cluster is not so.
 */
import { inEtcd } from "../../helpers/diagnosis/checks.ts";
import { hostsOf } from "../topology.ts";
import { isSo, untilSo, type Fault, type Lab } from "./fault.ts";

/** What is read on server, and what is read on a worker that has a Pod. */
const onServer = [...inEtcd, "pod-ip-from-server"];
const onWorker = ["pod-cidr", "containers-on-host", "pods-on-bridge"];

const nothing = async (): Promise<void> => undefined;

function sshRefused(host: string, inconclusive: readonly string[]): Fault {
  return {
    name: `ssh-refused-on-${host}`,
    state: `sshd does not run on ${host}`,
    inject: (lab) => lab.on(host, "systemctl stop ssh"),
    heal: (lab) => lab.on(host, "systemctl start ssh"),
    holds: (lab) => isSo(lab, host, "! systemctl is-active --quiet ssh"),
    fails: [],
    inconclusive,
    because: new RegExp(`${host}: cannot open SSH .* the connection was refused`),
    cause: new RegExp(`^Cause: sshd does not run on ${host}: `),
  };
}

const hostKey = "/etc/ssh/ssh_host_ed25519_key";

function hostKeyChanged(host: string, inconclusive: readonly string[]): Fault {
  const pairs = (from: string, to: string) => `mv ${from} ${to} && mv ${from}.pub ${to}.pub`;
  const presents = (lab: Lab, file: string) =>
    isSo(lab, host, `ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null | grep -qF "$(cut -d' ' -f2 ${file})"`);
  // A reload ends before sshd listens with its new key.
  const reloadedAfter = async (lab: Lab, command: string): Promise<void> => {
    await lab.on(host, `${command} && systemctl reload ssh`);
    await untilSo(`sshd on ${host} presents its key`, () => presents(lab, `${hostKey}.pub`));
  };
  return {
    name: `host-key-changed-on-${host}`,
    state: `sshd on ${host} presents another key than it did when it was noted`,
    inject: (lab) => reloadedAfter(lab, `${pairs(hostKey, `${hostKey}.noted`)} && ssh-keygen -q -t ed25519 -N '' -f ${hostKey}`),
    heal: (lab) => reloadedAfter(lab, pairs(`${hostKey}.noted`, hostKey)),
    holds: async (lab) => (await presents(lab, `${hostKey}.pub`)) && !(await presents(lab, `${hostKey}.noted.pub`)),
    fails: [],
    inconclusive,
    because: new RegExp(`${host}: cannot open SSH .* its host key is ssh-ed25519 \\S+, but \\S+ has ssh-ed25519`),
    cause: new RegExp(`^Cause: the SSH host key of ${host} is not the one that is known`),
  };
}

export const reaching: readonly Fault[] = [
  sshRefused("server", onServer),
  sshRefused("node-1", onWorker),
  hostKeyChanged("server", onServer),
  hostKeyChanged("node-1", onWorker),
  {
    name: "worker-addresses-swapped",
    state: "in the settings node-0 has the address of node-1, and node-1 that of node-0",
    inject: nothing,
    heal: nothing,
    // Each host has the other's address in the settings, for as long as each is where the topology has it.
    holds: async (lab) => {
      const isAt = ({ name, address }: { name: string; address: string }) =>
        isSo(lab, name, `ip -4 address show | grep -qF ' ${address}/'`);
      return (await Promise.all(lab.instance.topology.workers.map(isAt))).every(Boolean);
    },
    environment: ({ instance: { topology } }) => {
      const other: Record<string, string> = { "node-0": "node-1", "node-1": "node-0" };
      return {
        SMOKE_HOSTS: hostsOf(topology)
          .map(({ name, address }) => `${other[name] ?? name}=${address}`)
          .join(","),
      };
    },
    fails: [],
    inconclusive: onWorker,
    because: /answers that its hostname is "node-[01]", expected "node-[01]"/,
    cause: /^Cause: the SSH address of node-0, \S+, is that of node-1/,
  },
  {
    name: "declared-pod-cidr-differs",
    state: "the settings and the CNI file of node-1 give it different Pod CIDRs",
    inject: nothing,
    heal: nothing,
    holds: (lab) => isSo(lab, "node-1", "! grep -q 10.222.1.0/24 /etc/cni/net.d/10-bridge.conf"),
    environment: { SMOKE_POD_CIDRS: "node-1=10.222.1.0/24" },
    fails: ["pod-cidr"],
    inconclusive: [],
    because: /node-1: its Pod CIDR is 10\.222\.1\.0\/24 by SMOKE_POD_CIDRS, but 10\.200\.1\.0\/24/,
    cause: /^Cause: the Pod CIDR of node-1 is \S+ by SMOKE_POD_CIDRS, but /,
  },
  {
    name: "service-range-differs",
    state: "the settings and the cluster have different service ranges",
    inject: nothing,
    heal: nothing,
    holds: async (lab) => (await lab.kubectl("get", "servicecidrs", "-o", "jsonpath={.items[*].spec.cidrs[*]}")) === "10.32.0.0/24",
    environment: { SMOKE_SERVICE_CIDR: "10.33.0.0/24" },
    fails: ["service-ports"],
    inconclusive: [],
    because: /10\.32\.0\.\d+ is not in 10\.33\.0\.0\/24, the service range by SMOKE_SERVICE_CIDR/,
    cause: /^Cause: kube-apiserver on server takes ClusterIPs from 10\.32\.0\.0\/24/,
  },
];
