/**
 * Rules of packet filters that others than Kubernetes have put on the way to Pods. One is named only where a packet of the check that did
 * not pass is certain to meet it: hosts have many rules that drop, and most of them for a good reason.
 */
import { byNodePort, guide, overPodNetwork } from "../checks.ts";
import type { PacketRule } from "../filters/packet-rules.ts";
import { legsBy, metBy, shownAs, type Met } from "../filters/packets.ts";
import { certainLegsToPods, droppedByPolicyOf, policyShown } from "../filters/policies.ts";
import type { Rule } from "../model.ts";
import { firstOf, workersOf } from "../reading.ts";

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

const forwardPolicy: Rule = {
  id: "forward-policy-drop",
  explains: overPodNetwork,
  guide: guide.workers,
  find: (evidence, { check }) =>
    firstOf(workersOf(evidence), (host) => {
      const legs = legsBy(evidence, host, check);
      const dropping = droppedByPolicyOf(evidence, host, "iptables", legs);
      const found = dropping.find(({ table, hook }) => table === "filter" && hook === "forward");
      return (
        found && {
          what: `${host} forwards no packets to its Pods: the policy of its FORWARD chain is DROP`,
          seen: `${host}: iptables-save: ${found.dropPolicy}`,
          mend: `ssh ${host} iptables -P FORWARD ACCEPT`,
        }
      );
    }),
};

/** What one chain of nftables accepts another one may still drop, so that only the chain itself tells. */
const forwardPolicyOfNftables: Rule = {
  id: "forward-policy-drop-by-nftables",
  explains: overPodNetwork,
  guide: guide.workers,
  find: (evidence, { check }) =>
    firstOf(workersOf(evidence), (host) => {
      const [found] = droppedByPolicyOf(evidence, host, "nftables", certainLegsToPods(evidence, host, check));
      if (found === undefined) return undefined;
      const { told, seen } = policyShown(host, found);
      return {
        what: `${host} forwards no packets to its Pods: ${told} them`,
        seen,
        mend: `ssh ${host} 'nft chain ${found.table} ${found.chain} { policy accept \\; }'  # and wherever it is loaded from, such as /etc/nftables.conf`,
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
  forwardPolicy,
  onWorkers(
    "forwarding-dropped-by-nftables",
    overPodNetwork,
    (met) => isOf("nftables", met) && drops(met),
    (host) => `a rule of nftables on ${host} drops packets that it should forward`,
  ),
  forwardPolicyOfNftables,
];
