/**
 * The rules of nftables, each behind its table, its chain and the hook of that: `inet own guard forward ip daddr 10.200.0.0/16 drop`. What
 * is read here of the language is what filters of hosts are mostly made of.
 */
import type { Evidence } from "./model.ts";
import type { Condition, Filter, PacketRule } from "./packet-rules.ts";
import { linesOf } from "./reading.ts";

/** Packets of IPv4 and TCP alone are looked at. */
const expressions: readonly (readonly [pattern: RegExp, of: Condition["of"]])[] = [
  [/^(ip|ip6) saddr /, "source"],
  [/^(ip|ip6) daddr /, "destination"],
  [/^(tcp|th) sport /, "sourcePort"],
  [/^(tcp|th) dport /, "destinationPort"],
  [/^(meta )?iif(name)? /, "inInterface"],
  [/^(meta )?oif(name)? /, "outInterface"],
  [/^ct (state|status) /, "state"],
  [/^(meta|ip) length /, "length"],
  [/^(meta l4proto|ip protocol) /, "protocol"],
];

/** Of another protocol whatever is asked. */
const otherProtocols = /^(udp|icmp|icmpv6|sctp|dccp|esp|ah|arp|ether|vlan) /;

/** Statements that neither ask for anything nor decide. */
const asides =
  /^(counter( packets \d+ bytes \d+)?|log( (prefix|level|flags|group) ("[^"]*"|\S+))*|comment "[^"]*"|meta nfproto ipv4)(?= |$)/;

const verdicts: readonly (readonly [pattern: RegExp, verdict: PacketRule["verdict"]])[] = [
  [/^accept\b/, "accept"],
  [/^(?:drop|reject)\b/, "drop"],
  [/^(?:redirect|dnat)\b/, "redirect"],
  [/^return\b/, "return"],
  [/^jump (\S+)/, "jump"],
  [/^goto (\S+)/, "goto"],
  // Who decides then is not looked into.
  [/^(?:queue|tproxy|fwd|vmap)\b/, "jump"],
];

/** `22`, `{ 22, 80 }` or `new,untracked`, behind an operator; no set that has a name, and not the first of several fields. */
const operand = /^(?:(!=|==|>=|<=|>|<) )?(\{ [^}@]* \}|"[^"]*"|[^\s,.@&][^\s,]*(?:,[^\s,]+)*)(?: |$)/;

const largest = 65_535;
const ranges: Readonly<Record<string, (value: number) => string>> = {
  ">": (value) => `${value + 1}:${largest}`,
  ">=": (value) => `${value}:${largest}`,
  "<": (value) => `0:${value - 1}`,
  "<=": (value) => `0:${value}`,
};

type Read = { condition: Condition; rest: string };

const unknown = (text: string): Read => ({
  condition: { of: "somethingElse", values: [text], negated: false },
  rest: text.replace(/^\S+ ?/, ""),
});

/** The first condition of a text, and what stands behind it. */
function readCondition(text: string): Read {
  if (otherProtocols.test(text)) return { condition: { of: "protocol", values: ["another"], negated: false }, rest: "" };
  const [pattern, of] = expressions.find(([start]) => start.test(text)) ?? [];
  const behind = pattern === undefined ? "" : text.replace(pattern, "");
  // A map decides by the value; of what it has no value for it says nothing.
  const [map, entries = ""] = /^vmap \{ ([^}]*) \}/.exec(behind) ?? [];
  const [all, operator = "==", value = ""] = operand.exec(map === undefined ? behind : `{ ${entries.replaceAll(/ : [^,]+/g, "")} }`) ?? [];
  if (of === undefined || all === undefined || value.includes(" . ")) return unknown(text);
  const range = ranges[operator];
  const values = value
    .replaceAll(/[{}"]/g, "")
    .split(",")
    .map((each) => each.trim())
    .map((each) => (range === undefined ? valueOf(of, each) : range(Number(each))));
  return { condition: { of, values, negated: operator === "!=" }, rest: map === undefined ? behind.slice(all.length) : "vmap" };
}

/** As iptables writes it. */
const valueOf = (of: Condition["of"], value: string): string => (of === "state" ? value.toUpperCase() : value);

/** Reads a line, with or without its handle; undefined where it is no rule, but tells of a chain. */
function nftablesRule(line: string): PacketRule | undefined {
  const [, table, chain, statement] = /^(\S+ \S+) (\S+) \S+ (.*)$/.exec(line) ?? [];
  if (table === undefined || chain === undefined || statement === undefined || /^(chain|type) /.test(statement)) return undefined;
  const conditions: Condition[] = [];
  for (let rest = statement.replace(/ ?# handle \d+$/, ""); rest !== "";) {
    const [pattern, verdict = "none"] = verdicts.find(([start]) => start.test(rest)) ?? [];
    const target = pattern?.exec(rest)?.[1] ?? "";
    if (pattern !== undefined) return { line, table, chain, conditions, probability: undefined, verdict, target };
    const aside = asides.exec(rest)?.[0];
    if (aside === undefined) {
      const read = readCondition(rest);
      conditions.push(read.condition);
      rest = read.rest;
    } else rest = rest.slice(aside.length).trim();
  }
  return { line, table, chain, conditions, probability: undefined, verdict: "none", target: "" };
}

/** The chains of a host that hang on a hook, each with those of its table. */
export function nftablesOf(evidence: Evidence, host: string): Filter[] {
  const tables: Record<string, Record<string, PacketRule[]>> = {};
  const filters = new Map<string, Filter>();
  for (const line of linesOf(evidence, host, "nft")) {
    const [, table = "", chain = "", hook = ""] = /^(\S+ \S+) (\S+) (\S+) /.exec(line) ?? [];
    const chains = (tables[table] ??= {});
    const rules = (chains[chain] ??= []);
    const rule = nftablesRule(line);
    if (rule !== undefined) rules.push(rule);
    if (hook !== "-") filters.set(`${table} ${chain}`, { by: "nftables", table, hook, chain, chains });
  }
  return [...filters.values()];
}
