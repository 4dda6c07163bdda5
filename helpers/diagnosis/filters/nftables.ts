/**
 * The rules of nftables, each behind its table, its chain and the hook of that: `inet own guard forward ip daddr 10.200.0.0/16 drop`. What
 * is read here of the language is what filters of hosts are mostly made of.
 */
import type { Evidence } from "../model.ts";
import { cutShort, linesOf } from "../reading.ts";
import type { Condition } from "./conditions.ts";
import { leaveOpen, type Filter, type PacketRule } from "./packet-rules.ts";

/** How a condition begins, and what it asks for. Packets of IPv4 and TCP alone are looked at. */
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

/** How a condition begins that no such packet meets, whatever it asks for. */
const otherProtocols = /^(udp|icmp|icmpv6|sctp|dccp|esp|ah|meta nfproto ipv6) /;

/** Statements that neither ask for anything nor decide. */
const asides =
  /^(counter( packets \d+ bytes \d+)?|log( (prefix|level|flags|group) ("[^"]*"|\S+))*|comment "[^"]*"|meta nfproto ipv4)(?= |$)/;

const verdicts: readonly (readonly [pattern: RegExp, verdict: PacketRule["verdict"]])[] = [
  [/^accept(?= |$)/, "accept"],
  [/^(?:drop|reject)(?= |$)/, "drop"],
  // `ct status & dnat == dnat` only asks.
  [/^(?:redirect|dnat)(?= (?:to|ip|ip6) |$)/, "redirect"],
  [/^return(?= |$)/, "return"],
  [/^jump (\S+)/, "jump"],
  [/^goto (\S+)/, "goto"],
  // Who decides then is not looked into.
  [/^(?:queue|tproxy|synproxy|fwd|vmap)(?= |$)/, "jump"],
];

/** `22`, `{ 22, 80 }` or `new,untracked`, behind an operator; no set that has a name, and not the first of several fields. */
const operand = /^(?:(!=|==|>=|<=|>|<) )?(\{ [^}@]* \}|"[^"]*"|[^\s,.@&!=<>][^\s,]*(?:,[^\s,]+)*)(?: |$)/;

/** A map that stands there in full: `vmap { 22 : accept, 80 : drop }` */
const map = /^vmap \{ ([^}@]*) \}/;
/** In a map: a value of several fields, `tcp . 22 : drop`, or any value, `* : drop`. */
const moreThanValues = / \. |(?:^|, )\* : /;

/** A word, or words in quotes. */
const nextWord = /^(?:"[^"]*"|[^ ]+)? ?/;

const largest = 65_535;
/** What an operator makes of a value, written as a range. */
const ranges: Readonly<Record<string, (value: number) => string>> = {
  ">": (value) => `${value + 1}:${largest}`,
  ">=": (value) => `${value}:${largest}`,
  "<": (value) => `0:${value - 1}`,
  "<=": (value) => `0:${value}`,
};

const somethingElse: Condition = { of: "somethingElse", values: [""], negated: false };

type Read = { condition: Condition; rest: string };

/** As iptables writes it. */
const valueOf = (of: Condition["of"], value: string): string => (of === "state" ? value.toUpperCase() : value);

const listOf = (text: string): string[] =>
  text
    .replaceAll(/[{}"]/g, "")
    .split(",")
    .map((each) => each.trim());

/** A value that is asked for, or several. */
function readValue(of: Condition["of"], text: string): Read | undefined {
  const [all, operator = "==", value = ""] = operand.exec(text) ?? [];
  if (all === undefined || value.includes(" . ")) return undefined;
  const range = ranges[operator];
  const values = listOf(value).map((each) => (range === undefined ? valueOf(of, each) : range(Number(each))));
  return { condition: { of, values, negated: operator === "!=" }, rest: text.slice(all.length) };
}

/** A map decides by the value, and asks for one that it has; its decision is read as a verdict. */
function readMap(of: Condition["of"], text: string): Read | undefined {
  const [, entries] = map.exec(text) ?? [];
  if (entries === undefined || moreThanValues.test(entries)) return undefined;
  const values = listOf(entries).map((entry) => valueOf(of, entry.replace(/ : .*/, "")));
  return { condition: { of, values, negated: false }, rest: "vmap" };
}

/** The first condition of a text, and what stands behind it; undefined where it is not known. */
function readCondition(text: string): Read | undefined {
  if (otherProtocols.test(text)) return { condition: { of: "protocol", values: ["another"], negated: false }, rest: "" };
  const [start, of] = expressions.find(([pattern]) => pattern.test(text)) ?? [];
  if (start === undefined || of === undefined) return undefined;
  const behind = text.replace(start, "");
  return behind.startsWith("vmap ") ? readMap(of, behind) : readValue(of, behind);
}

/** What a rule asks for, and what stands behind that: its verdict. */
function readConditions(statement: string): { conditions: Condition[]; rest: string } {
  const conditions: Condition[] = [];
  let rest = statement;
  let isKnown = true;
  while (rest !== "" && !verdicts.some(([start]) => start.test(rest))) {
    const aside = asides.exec(rest)?.[0];
    if (aside !== undefined) {
      rest = rest.slice(aside.length).trim();
      continue;
    }
    const read: Read | undefined = isKnown ? readCondition(rest) : undefined;
    if (isKnown) conditions.push(read?.condition ?? somethingElse);
    // Of what stands behind something unknown, nobody knows what belongs to that. Only the verdict is looked for.
    isKnown = read !== undefined;
    rest = read?.rest ?? rest.replace(nextWord, "");
  }
  return { conditions, rest };
}

/** Reads a line, with or without its handle; undefined where it is no rule, but tells of a chain. */
function nftablesRule(line: string): PacketRule | undefined {
  const [, table, chain, statement] = /^(\S+ \S+) (\S+) \S+ (.*)$/.exec(line) ?? [];
  if (table === undefined || chain === undefined || statement === undefined || /^(chain|type) /.test(statement)) return undefined;
  const { conditions, rest } = readConditions(statement.replace(/ ?# handle \d+$/, ""));
  const [start, verdict = "none"] = verdicts.find(([pattern]) => pattern.test(rest)) ?? [];
  return { line, table, chain, conditions, probability: undefined, verdict, target: start?.exec(rest)?.[1] ?? "" };
}

/** How a chain tells of its hook and, where it has one, of its policy. */
const dropsByPolicy = /^\S+ \S+ \S+ \S+ type \S+ hook .*; policy drop;/;

/** Families of tables that see packets of IPv4 on their way through a host. */
const families = /^(ip|inet) /;

/** The chains of a host that hang on a hook, each with those of its table. */
export function nftablesOf(evidence: Evidence, host: string): Filter[] {
  const tables: Record<string, Record<string, PacketRule[]>> = {};
  const filters = new Map<string, Filter>();
  let last = "";
  for (const line of linesOf(evidence, host, "nft")) {
    if (line === cutShort) leaveOpen(last, tables[last] ?? {});
    const [, table = "", chain = "", hook = ""] = /^(\S+ \S+) (\S+) (\S+) /.exec(line) ?? [];
    last = table;
    if (!families.test(table)) continue;
    const chains = (tables[table] ??= {});
    const rules = (chains[chain] ??= []);
    const rule = nftablesRule(line);
    if (rule !== undefined) rules.push(rule);
    if (hook === "-") continue;
    const { dropPolicy = dropsByPolicy.test(line) ? line : undefined } = filters.get(`${table} ${chain}`) ?? {};
    filters.set(`${table} ${chain}`, { by: "nftables", table, hook, chain, chains, dropPolicy });
  }
  return [...filters.values()];
}
