/**
 * Packets that do not find their way to a Pod.
 */
import { isSo, throughKubelet, type Fault } from "./fault.ts";

/** A rule of iptables that is there as long as the fault. */
function ruleOf(host: string, table: string, chain: string, rule: string): Pick<Fault, "inject" | "heal" | "holds"> {
  return {
    inject: (lab) => lab.on(host, `iptables -w -t ${table} -I ${chain} ${rule}`),
    heal: (lab) => lab.on(host, `iptables -w -t ${table} -D ${chain} ${rule}`),
    holds: (lab) => isSo(lab, host, `iptables -w -t ${table} -C ${chain} ${rule} 2>/dev/null`),
  };
}

/** The route of a host to the Pods of a worker is missing. */
function routeMissing(host: string, worker: string): Pick<Fault, "inject" | "heal" | "holds"> {
  const podCIDR = `10.200.${worker.replace("node-", "")}.0/24`;
  const addressOf = (hosts: string): string => new RegExp(`^(\\S+) .*\\b${worker}$`, "m").exec(hosts)?.[1] ?? "";
  return {
    inject: (lab) => lab.on(host, `ip route del ${podCIDR}`),
    heal: async (lab) => lab.on(host, `ip route replace ${podCIDR} via ${addressOf(await lab.on(host, "cat /etc/hosts"))}`),
    holds: (lab) => isSo(lab, host, `! ip route show ${podCIDR} | grep -q via`),
  };
}

export const podNetwork: readonly Fault[] = [
  {
    name: "route-to-node-1-missing-on-server",
    state: "server has no route to the Pods of node-1",
    ...routeMissing("server", "node-1"),
    fails: ["pod-ip-from-server"],
    inconclusive: [],
    because: /server/,
  },
  {
    name: "route-to-node-1-missing-on-node-0",
    state: "node-0 has no route to the Pods of node-1",
    ...routeMissing("node-0", "node-1"),
    fails: ["node-port-answers", "node-port-every-pod"],
    inconclusive: [],
    because: /node-0/,
  },
  {
    name: "node-ports-dropped-on-node-1",
    state: "node-1 drops what comes in for NodePorts",
    ...ruleOf("node-1", "raw", "PREROUTING", "-p tcp --dport 30000:32767 -j DROP"),
    fails: ["node-port-answers", "node-port-every-pod"],
    inconclusive: [],
    because: /node-1/,
  },
  {
    name: "kubelet-port-dropped-on-node-1",
    state: "node-1 drops what comes in for its kubelet",
    ...ruleOf("node-1", "raw", "PREROUTING", "-p tcp --dport 10250 -j DROP"),
    fails: throughKubelet,
    // The logs tell which Pod has answered.
    inconclusive: ["node-port-every-pod"],
    because: /kubelet|10250/,
  },
];
