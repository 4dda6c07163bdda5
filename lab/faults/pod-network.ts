/**
 * Packets that do not find their way to a Pod.
 */
import { byNodePort, overPodNetwork } from "../../helpers/diagnosis/checks.ts";
import { isSo, type Armed, type Fault, type Lab } from "./fault.ts";
import { unreached } from "./kubelet-access.ts";
import { noPageFrom, onlyAnswering, unansweredThrough } from "./symptoms.ts";

/** A rule of iptables that is there as long as the fault. */
export function ruleOf(host: string, table: string, chain: string, rule: string): Armed {
  return {
    inject: (lab) => lab.on(host, `iptables -w -t ${table} -I ${chain} ${rule}`),
    heal: (lab) => lab.on(host, `iptables -w -t ${table} -D ${chain} ${rule}`),
    holds: (lab) => isSo(lab, host, `iptables -w -t ${table} -C ${chain} ${rule} 2>/dev/null`),
  };
}

const workerOf = ({ instance }: Lab, name: string) => instance.topology.workers.find((worker) => worker.name === name) ?? unknown(name);

function unknown(name: string): never {
  throw new Error(`The lab has no worker ${name}.`);
}

/** Sends what is for the Pods of a worker to that worker, as the guide does, or to another one. */
const route = (lab: Lab, worker: string, via = worker): string =>
  `ip route replace ${workerOf(lab, worker).podCIDR} via ${workerOf(lab, via).address}`;

/** The route of a host to the Pods of a worker is missing. */
function routeMissing(host: string, worker: string): Armed {
  return {
    inject: (lab) => lab.on(host, `ip route del ${workerOf(lab, worker).podCIDR}`),
    heal: (lab) => lab.on(host, route(lab, worker)),
    holds: (lab) => isSo(lab, host, `! ip route show ${workerOf(lab, worker).podCIDR} | grep -q via`),
  };
}

/** A table of nftables whose one chain drops what no rule of it accepts, as firewalls are written; `accepted` ends each rule with `;`. */
function guardedBy(host: string, hook: "forward" | "input", accepted: string): Armed {
  const guard = "table inet guard";
  return {
    inject: (lab) =>
      lab.on(host, `nft '${guard} { chain ${hook} { type filter hook ${hook} priority filter; policy drop; ${accepted} }; }'`),
    heal: (lab) => lab.on(host, `nft delete ${guard}`),
    holds: (lab) => isSo(lab, host, `nft list ${guard} 2>/dev/null | grep -q 'policy drop'`),
  };
}

const forwarding = "net.ipv4.conf.eth0.forwarding";
const largePackets = "table ip lost";
const onlyPingAndSSH = `ct state established,related accept; iifname "lo" accept; icmp type echo-request accept; tcp dport 22 accept;`;
const guardedInput = guardedBy("node-1", "input", onlyPingAndSSH);

const kubeletSilent = {
  ...unreached,
  because: /no answer within \d+ s, though \S+ answers other requests\. Does it reach the kubelet of this Pod\\?'s Node/,
};

export const podNetwork: readonly Fault[] = [
  {
    name: "route-to-node-1-missing-on-server",
    state: "server has no route to the Pods of node-1",
    ...routeMissing("server", "node-1"),
    fails: ["pod-ip-from-server"],
    inconclusive: [],
    because: /server: its route to 10\.200\.1\.\d+ \(Pod nginx-\S+ on node-1\) goes via \S+ out of \S+, which is no Node/,
    cause: /^Cause: server has no route to 10\.200\.1\.0\/24, the Pods of node-1/,
  },
  {
    name: "routes-swapped-on-server",
    state: "server sends what is for the Pods of either worker to the other",
    inject: (lab) => lab.on("server", `${route(lab, "node-0", "node-1")} && ${route(lab, "node-1", "node-0")}`),
    heal: (lab) => lab.on("server", `${route(lab, "node-0")} && ${route(lab, "node-1")}`),
    holds: (lab) =>
      isSo(lab, "server", `ip route show ${workerOf(lab, "node-0").podCIDR} | grep -q 'via ${workerOf(lab, "node-1").address} '`),
    fails: ["pod-ip-from-server"],
    inconclusive: [],
    because: /server: its route to 10\.200\.0\.\d+ .* which is node-1, expected/,
    cause: /^Cause: the route of server to 10\.200\.\d\.0\/24, the Pods of node-\d, leads to \S+, which is node-\d/,
  },
  {
    name: "route-to-node-1-missing-on-node-0",
    state: "node-0 has no route to the Pods of node-1",
    ...routeMissing("node-0", "node-1"),
    fails: byNodePort,
    inconclusive: [],
    because: onlyAnswering("node-0", ["node-0"]),
    cause: /^Cause: node-0 has no route to 10\.200\.1\.0\/24, the Pods of node-1/,
  },
  {
    // The CNI plugin switches the forwarding of all interfaces together, and leaves a single one alone.
    name: "forwarding-off-on-node-1",
    state: "node-1 does not forward what comes in from other hosts",
    inject: (lab) => lab.on("node-1", `sysctl -qw ${forwarding}=0`),
    heal: (lab) => lab.on("node-1", `sysctl -qw ${forwarding}=1`),
    holds: (lab) => isSo(lab, "node-1", `[ "$(sysctl -n ${forwarding})" = 0 ]`),
    fails: overPodNetwork,
    inconclusive: [],
    because: { "pod-ip-from-server": noPageFrom("10.200.1."), ...onlyAnswering("node-1", []) },
    cause: /^Cause: node-1 does not forward packets: /,
  },
  {
    // Its own NodePorts work: kube-proxy accepts what it has marked. Through node-0 the Pods of node-1 are missing.
    name: "forward-policy-drop-on-node-1",
    state: "node-1 drops what it would forward, unless a rule accepts it",
    inject: (lab) => lab.on("node-1", "iptables -w -P FORWARD DROP"),
    heal: (lab) => lab.on("node-1", "iptables -w -P FORWARD ACCEPT"),
    holds: (lab) => isSo(lab, "node-1", "iptables -w -S FORWARD | grep -q -- '-P FORWARD DROP'"),
    fails: overPodNetwork,
    inconclusive: [],
    because: { "pod-ip-from-server": noPageFrom("10.200.1."), ...onlyAnswering("node-0", ["node-0"]) },
    cause: /^Cause: node-1 forwards no packets to its Pods: the policy of its FORWARD chain is DROP/,
  },
  {
    // What kube-proxy accepts by iptables is dropped all the same.
    name: "forward-policy-drop-by-nftables-on-node-1",
    state: "a chain of nftables on node-1 drops what it would forward, unless a rule of it accepts it",
    ...guardedBy("node-1", "forward", "ct state established accept;"),
    fails: overPodNetwork,
    inconclusive: [],
    because: { "pod-ip-from-server": noPageFrom("10.200.1."), ...onlyAnswering("node-1", []) },
    cause: /^Cause: node-1 forwards no packets to its Pods: the policy of the chain forward of the nftables table inet guard is drop/,
  },
  {
    name: "large-packets-lost-on-node-1",
    state: "node-1 does not forward packets of more than 600 bytes",
    inject: (lab) =>
      lab.on(
        "node-1",
        `nft '${largePackets} { chain forward { type filter hook forward priority filter; meta length > 600 counter drop; }; }'`,
      ),
    heal: (lab) => lab.on("node-1", `nft delete ${largePackets}`),
    holds: (lab) => isSo(lab, "node-1", `nft list ${largePackets} 2>/dev/null | grep -q drop`),
    fails: ["pod-ip-from-server", "node-port-answers"],
    inconclusive: [],
    because: { "pod-ip-from-server": /exited 28, expected 0: .* with 0 bytes received/, "node-port-answers": unansweredThrough("node-1") },
    cause: /^Cause: a rule on node-1 drops large packets/,
  },
  {
    name: "node-ports-dropped-on-node-1",
    state: "node-1 drops what comes in for NodePorts",
    ...ruleOf("node-1", "raw", "PREROUTING", "-p tcp --dport 30000:32767 -j DROP"),
    fails: byNodePort,
    inconclusive: [],
    because: onlyAnswering("node-1", []),
    cause: /^Cause: a rule on node-1 drops what comes in for NodePorts/,
  },
  {
    name: "kubelet-port-dropped-on-node-1",
    state: "node-1 drops what comes in for its kubelet",
    ...ruleOf("node-1", "raw", "PREROUTING", "-p tcp --dport 10250 -j DROP"),
    ...kubeletSilent,
    cause: /^Cause: a rule on node-1 drops what goes to port 10250/,
  },
  {
    name: "kubelet-port-unaccepted-on-node-1",
    state: "a chain of nftables on node-1 drops what comes in, unless a rule of it accepts it, and none does so for the kubelet",
    ...guardedInput,
    inject: async (lab) => {
      await guardedInput.inject(lab);
      // Connections that the API server has from before would be accepted.
      await lab.on("node-1", "ss -K sport = :10250 >/dev/null");
    },
    ...kubeletSilent,
    cause:
      /^Cause: node-1 drops what goes to port 10250, where kubelets listen: the policy of the chain input of the nftables table inet guard is drop/,
  },
];
