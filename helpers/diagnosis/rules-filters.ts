/**
 * Rules of iptables that others than Kubernetes have put in front of its own.
 */
import { byNodePort, guide, overPodNetwork } from "./checks.ts";
import type { Evidence, Finding, Rule } from "./model.ts";
import { cniOf, firstOf, lineOnFirst, linesOf, workersOf } from "./reading.ts";

/** A rule as iptables-save prints it, behind its table. */
type Filter = { line: string; table: string; chain: string; rule: string };

const ofKubernetes = /KUBE-|CNI-|ctstate INVALID/;

/** The rules of a host that are not Kubernetes' own. */
function filtersOf(evidence: Evidence, host: string): Filter[] {
  return linesOf(evidence, host, "filters").flatMap((line) => {
    const [, table, chain, rest] = /^(\S+) -A (\S+) (.*)$/.exec(line) ?? [];
    if (table === undefined || chain === undefined || rest === undefined || ofKubernetes.test(line)) return [];
    return [{ line, table, chain, rule: `${chain} ${rest}` }];
  });
}

const drops = ({ rule }: Filter): boolean => /-j (DROP|REJECT)/.test(rule);

/** The ports that a rule is for: from and to; all of them where it names none. */
function portsOf({ rule }: Filter): [from: number, to: number] {
  const [, from, to] = /--dports? (\d+)(?:[:-](\d+))?/.exec(rule) ?? [];
  return from === undefined ? [0, 65535] : [Number(from), Number(to ?? from)];
}

/** Whether a rule is for the run's NodePort, among others perhaps. */
function isForNodePort(filter: Filter, { api }: Evidence): boolean {
  const [from, to] = portsOf(filter);
  const nodePort = api.service?.nodePort ?? 30000;
  return from <= nodePort && nodePort <= to;
}

const onWorkers = (
  id: string,
  explains: readonly string[],
  applies: (filter: Filter, evidence: Evidence) => boolean,
  what: (host: string, filter: Filter) => string,
): Rule => ({
  id,
  explains,
  guide: guide.workers,
  find: (evidence) =>
    firstOf(workersOf(evidence), (host): Finding | undefined => {
      const filter = filtersOf(evidence, host).find((candidate) => applies(candidate, evidence));
      return (
        filter && {
          what: what(host, filter),
          seen: `${host}: iptables-save: ${filter.line}`,
          mend: `ssh ${host} iptables -t ${filter.table} -D ${filter.rule}`,
        }
      );
    }),
});

/** Whether FORWARD lets everything through after all, or what comes from and goes to the Pods. */
const acceptsAnyway = (filters: readonly Filter[], bridge: string): boolean =>
  filters.some(
    ({ chain, rule }) => chain === "FORWARD" && rule.endsWith("-j ACCEPT") && (rule === "FORWARD -j ACCEPT" || rule.includes(bridge)),
  );

const dropPolicy: Rule = {
  id: "forward-policy-drop",
  explains: overPodNetwork,
  guide: guide.workers,
  find: (evidence) =>
    firstOf(workersOf(evidence), (host) => {
      const policy = linesOf(evidence, host, "filters").find((line) => line.startsWith("filter :FORWARD DROP"));
      if (policy === undefined || acceptsAnyway(filtersOf(evidence, host), cniOf(evidence, host)?.bridge ?? "cni0")) return undefined;
      return {
        what: `${host} forwards no packets to its Pods: the policy of its FORWARD chain is DROP`,
        seen: `${host}: iptables-save: ${policy}`,
        mend: `ssh ${host} iptables -P FORWARD ACCEPT`,
      };
    }),
};

/** The same in nftables: what is dropped behind the hooks through which packets for Pods come. */
const ofNftables = (id: string, pattern: RegExp, what: (host: string, rule: string) => string): Rule => ({
  id,
  explains: overPodNetwork,
  guide: guide.workers,
  find: (evidence) =>
    lineOnFirst(
      evidence,
      { hosts: workersOf(evidence), name: "nft", matches: (line) => pattern.test(line) && !line.includes("ct state invalid") },
      (host, line) => {
        const [family, table, chain, , ...rule] = line.split(" ");
        return {
          what: what(host, rule.join(" ")),
          seen: `${host}: nft list ruleset: ${line}`,
          mend: `ssh ${host} nft flush chain ${family} ${table} ${chain}`,
        };
      },
    ),
});

export const filterRules: readonly Rule[] = [
  onWorkers(
    "connections-lost-at-random",
    overPodNetwork,
    (filter, evidence) =>
      /-m statistic .*-j (DROP|REJECT|DNAT|REDIRECT)/.test(filter.rule) && (filter.chain === "FORWARD" || isForNodePort(filter, evidence)),
    (host, { rule }) =>
      `a rule on ${host} loses connections at random, ${Math.round(Number(/--probability (\S+)/.exec(rule)?.[1] ?? 0) * 100)} % of them`,
  ),
  onWorkers(
    "node-port-redirected",
    byNodePort,
    (filter, evidence) =>
      filter.table === "nat" && filter.chain === "PREROUTING" && /-j (REDIRECT|DNAT)/.test(filter.rule) && isForNodePort(filter, evidence),
    (host) => `a rule on ${host} hands what comes in for the NodePort to another process`,
  ),
  onWorkers(
    "large-packets-dropped",
    overPodNetwork,
    (filter) => drops(filter) && filter.rule.includes("-m length"),
    (host, { rule }) => `a rule on ${host} drops large packets (--length ${/--length (\S+)/.exec(rule)?.[1] ?? ""})`,
  ),
  ofNftables(
    "large-packets-dropped-by-nftables",
    / (forward|prerouting) .*length > (\d+).* (drop|reject)/,
    (host, rule) => `a rule on ${host} drops large packets (${/\S+ length > \d+/.exec(rule)?.[0]})`,
  ),
  onWorkers(
    "node-ports-dropped",
    byNodePort,
    (filter, evidence) => drops(filter) && /--dport/.test(filter.rule) && filter.chain === "PREROUTING" && isForNodePort(filter, evidence),
    (host) => `a rule on ${host} drops what comes in for NodePorts`,
  ),
  onWorkers(
    "forwarding-dropped",
    overPodNetwork,
    (filter) => drops(filter) && filter.chain === "FORWARD",
    (host) => `a rule on ${host} drops packets that it should forward`,
  ),
  dropPolicy,
  ofNftables(
    "forwarding-dropped-by-nftables",
    /^\S+ \S+ \S+ (forward|prerouting) .*(drop|reject)/,
    (host) => `a rule of nftables on ${host} drops packets that it should forward`,
  ),
];
