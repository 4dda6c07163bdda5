/**
 * Rules of packet filters that others than Kubernetes have put on the way to Pods. One is named only where a packet of the check that did
 * not pass is certain to meet it: hosts have many rules that drop, and most of them for a good reason.
 */
import { byNodePort, guide, overPodNetwork } from "../checks.ts";
import type { Evidence, Rule } from "../model.ts";
import { passageOf, type PacketRule } from "../filters/packet-rules.ts";
import { iptablesOf } from "../filters/iptables.ts";
import { legsBy, metBy, shownAs, type Met } from "../filters/packets.ts";
import { firstOf, linesOf, workersOf } from "../reading.ts";

const asksFor = (of: string, { conditions }: PacketRule): boolean => conditions.some((condition) => condition.of === of);
const drops = ({ rule }: Met): boolean => rule.verdict === "drop";
const isOf = (by: Met["filter"]["by"], { filter }: Met): boolean => filter.by === by;

const onWorkers = (
  id: string,
  explains: readonly string[],
  isToBlame: (met: Met) => boolean,
  what: (host: string, rule: PacketRule) => string,
): Rule => ({
  id,
  explains,
  guide: guide.workers,
  find: (evidence, { check }) =>
    firstOf(workersOf(evidence), (host) => {
      const met = metBy(evidence, host, legsBy(evidence, host, check)).find(isToBlame);
      return met && { what: what(host, met.rule), ...shownAs(host, met) };
    }),
});

/** Whether something that is to be forwarded comes to the end of the chain, where its policy decides. */
const meetsPolicy = (evidence: Evidence, host: string, check: string): boolean =>
  iptablesOf(evidence, host)
    .filter(({ table, hook }) => table === "filter" && hook === "forward")
    .some(({ chain, chains }) =>
      legsBy(evidence, host, check).some(
        ({ packet, hooks }) => hooks.includes("forward") && passageOf(chains, chain, packet).end === "through",
      ),
    );

const dropPolicy: Rule = {
  id: "forward-policy-drop",
  explains: overPodNetwork,
  guide: guide.workers,
  find: (evidence, { check }) =>
    firstOf(workersOf(evidence), (host) => {
      const policy = linesOf(evidence, host, "filters").find((line) => line.startsWith("filter :FORWARD DROP"));
      if (policy === undefined || !meetsPolicy(evidence, host, check)) return undefined;
      return {
        what: `${host} forwards no packets to its Pods: the policy of its FORWARD chain is DROP`,
        seen: `${host}: iptables-save: ${policy}`,
        mend: `ssh ${host} iptables -P FORWARD ACCEPT`,
      };
    }),
};

export const filterRules: readonly Rule[] = [
  onWorkers(
    "connections-lost-at-random",
    overPodNetwork,
    ({ rule }) => rule.probability !== undefined,
    (host, { probability = 0 }) => `a rule on ${host} loses connections at random, ${Math.round(probability * 100)} % of them`,
  ),
  onWorkers(
    "node-port-redirected",
    byNodePort,
    ({ leg, rule }) => leg.to === "node-port" && rule.verdict === "redirect",
    (host) => `a rule on ${host} hands what comes in for the NodePort to another process`,
  ),
  onWorkers(
    "large-packets-dropped",
    overPodNetwork,
    (met) => isOf("iptables", met) && drops(met) && asksFor("length", met.rule),
    (host, { line }) => `a rule on ${host} drops large packets (--length ${/--length (\S+)/.exec(line)?.[1] ?? ""})`,
  ),
  onWorkers(
    "large-packets-dropped-by-nftables",
    overPodNetwork,
    (met) => isOf("nftables", met) && drops(met) && asksFor("length", met.rule),
    (host, { line }) => `a rule on ${host} drops large packets (${/\S+ length \S+ \S+/.exec(line)?.[0]})`,
  ),
  onWorkers(
    "node-ports-dropped",
    byNodePort,
    (met) => isOf("iptables", met) && drops(met) && met.leg.to === "node-port",
    (host) => `a rule on ${host} drops what comes in for NodePorts`,
  ),
  onWorkers(
    "forwarding-dropped",
    overPodNetwork,
    (met) => isOf("iptables", met) && drops(met),
    (host) => `a rule on ${host} drops packets that it should forward`,
  ),
  dropPolicy,
  onWorkers(
    "forwarding-dropped-by-nftables",
    overPodNetwork,
    (met) => isOf("nftables", met) && drops(met),
    (host) => `a rule of nftables on ${host} drops packets that it should forward`,
  ),
];
