/**
 * The rules of iptables, as iptables-save prints them, each behind its table: `filter -A FORWARD -i cni0 -j ACCEPT`.
 */
import type { Evidence } from "../model.ts";
import { cutShort, linesOf } from "../reading.ts";
import type { Condition } from "./conditions.ts";
import { leaveOpen, type Filter, type PacketRule } from "./packet-rules.ts";

/** What an option asks for. */
const options: Readonly<Record<string, Condition["of"]>> = {
  "-p": "protocol",
  "-s": "source",
  "-d": "destination",
  "-i": "inInterface",
  "-o": "outInterface",
  "--sport": "sourcePort",
  "--sports": "sourcePort",
  "--dport": "destinationPort",
  "--dports": "destinationPort",
  "--state": "state",
  "--ctstate": "state",
  "--mark": "mark",
  "--length": "length",
};

/** Modules of which the options above are, or that ask for nothing. */
const knownModules = new Set(["tcp", "udp", "multiport", "conntrack", "state", "mark", "length", "statistic", "comment", "nfacct"]);
/** Their options that ask for nothing by themselves. */
const optionsAside = new Set(["--comment", "--mode", "--packet", "--nfacct-name"]);

const verdicts: Readonly<Record<string, PacketRule["verdict"]>> = {
  ACCEPT: "accept",
  DROP: "drop",
  REJECT: "drop",
  RETURN: "return",
  REDIRECT: "redirect",
  DNAT: "redirect",
};

/** Targets that do something to a packet, or tell of it, and let it go on. */
const goesOn =
  /^(LOG|NFLOG|ULOG|AUDIT|TRACE|MARK|CONNMARK|SECMARK|CONNSECMARK|TCPMSS|CT|NOTRACK|TOS|DSCP|TTL|CHECKSUM|CLASSIFY|SET|SNAT|MASQUERADE)$/;

function verdictOf(option: string | undefined, target: string): PacketRule["verdict"] {
  if (option === undefined || goesOn.test(target)) return "none";
  return verdicts[target] ?? (option === "-g" ? "goto" : "jump");
}

/** Reads a line; undefined where it is no rule. */
export function iptablesRule(line: string): PacketRule | undefined {
  const [, table, chain, rest] = /^(\S+) -A (\S+)(.*)$/.exec(line) ?? [];
  if (table === undefined || chain === undefined || rest === undefined) return undefined;
  const words = rest.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [];
  const end = words.findIndex((word) => word === "-j" || word === "-g");
  // A rule without a target only counts.
  const [option, target = ""] = end < 0 ? [] : words.slice(end);
  const asked = end < 0 ? words : words.slice(0, end);
  return { line, table, chain, ...conditionsIn(asked), verdict: verdictOf(option, target), target };
}

/** Every option here has one value. What is not known may have any number, none of which looks like an option. */
function conditionsIn(words: readonly string[]): Pick<PacketRule, "conditions" | "probability"> {
  const conditions: Condition[] = [];
  let probability: number | undefined;
  for (const [index, word] of words.entries()) {
    const value = words[index + 1] ?? "";
    const of = options[word];
    if (of !== undefined) conditions.push({ of, values: value.split(","), negated: words[index - 1] === "!" });
    else if (word === "--probability") probability = Number(value);
    else if (word === "--every") probability = 1 / Number(value);
    else if (asksForMore(word, value)) conditions.push({ of: "somethingElse", values: [word], negated: false });
  }
  return { conditions, probability };
}

/** Whether it is a module or an option that is not read here. */
const asksForMore = (word: string, value: string): boolean =>
  word === "-m" ? !knownModules.has(value) : word.startsWith("-") && !optionsAside.has(word);

/** kube-proxy's own chain through which forwarded packets go, which is not among the evidence: it accepts these. */
const kubeForward: readonly PacketRule[] = [
  { of: "mark", values: ["0x4000/0x4000"], negated: false } as const,
  { of: "state", values: ["RELATED", "ESTABLISHED"], negated: false } as const,
].map((condition) => ({
  line: "",
  table: "filter",
  chain: "KUBE-FORWARD",
  conditions: [condition],
  probability: undefined,
  verdict: "accept",
  target: "ACCEPT",
}));

const hooks = new Set(["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]);

/** The chains of a host that hang on a hook, table by table, each with the others of its table. */
export function iptablesOf(evidence: Evidence, host: string): Filter[] {
  const tables: Record<string, Record<string, PacketRule[]>> = {};
  const dropPolicies: Record<string, string> = {};
  let last = "";
  for (const line of linesOf(evidence, host, "filters")) {
    if (line === cutShort) leaveOpen(last, tables[last] ?? {});
    const [, table, chain] = /^(\S+) (?::|-A )(\S+)/.exec(line) ?? [];
    if (table === undefined || chain === undefined) continue;
    const rules = ((tables[table] ??= {})[chain] ??= []);
    if (line.startsWith(`${table} :${chain} DROP`)) dropPolicies[`${table} ${chain}`] = line;
    const rule = iptablesRule(line);
    if (rule !== undefined) rules.push(rule);
    last = table;
  }
  (tables["filter"] ??= {})["KUBE-FORWARD"] = [...kubeForward];
  return Object.entries(tables).flatMap(([table, chains]) =>
    Object.keys(chains)
      .filter((chain) => hooks.has(chain))
      .map((chain): Filter => {
        const dropPolicy = dropPolicies[`${table} ${chain}`];
        return { by: "iptables", table, hook: chain.toLowerCase(), chain, chains, dropPolicy };
      }),
  );
}
