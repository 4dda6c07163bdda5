/**
 * The rules of packet filters, iptables' and nftables' alike, and which of them a packet is certain to meet on its way through the chains:
 * nobody is told to delete a rule that only may be to blame.
 */
import { appliesTo, type Condition, type Packet } from "./conditions.ts";

export type PacketRule = {
  /** As the evidence has it. */
  line: string;
  table: string;
  chain: string;
  conditions: readonly Condition[];
  /** How often it applies, where it does so at random. */
  probability: number | undefined;
  verdict: "accept" | "drop" | "redirect" | "return" | "jump" | "goto" | "none";
  /** The chain that it leads to; empty where that is not known. */
  target: string;
};

/** The rules of a table, by their chains. */
type Chains = Readonly<Record<string, readonly PacketRule[]>>;

/** A chain that hangs on a hook, with all chains of its table. */
export type Filter = {
  by: "iptables" | "nftables";
  table: string;
  /** `prerouting`, `input`, `forward`, `output`, `postrouting`. */
  hook: string;
  chain: string;
  chains: Chains;
  /** The line by which it drops what comes to its end, where that is read and so. */
  dropPolicy: string | undefined;
};

export type Passage = {
  /** Those that drop or redirect the packet for certain, or at random, in their order. */
  met: readonly PacketRule[];
  /** `decided` by a rule; `through` to the end of the chain; `unknown` where a rule before that may have decided. */
  end: "decided" | "through" | "unknown";
};

/** Chains of known programs into which nobody looks, since they accept nothing that is on its way to a Pod or a host. */
const letsPass =
  /^(KUBE-(SERVICES|EXTERNAL-SERVICES|PROXY-FIREWALL|NODEPORTS|FIREWALL|POSTROUTING|IPVS-FILTER|SOURCE-RANGES-FIREWALL)|DOCKER(-[A-Z0-9-]+)?|LIBVIRT_\w+|CNI-HOSTPORT-DNAT)$/;

/** Those of kube-proxy that change where what comes in for a NodePort goes. */
const decidesInNat = /^KUBE-(SERVICES|NODEPORTS)$/;

const isPassed = ({ table, target }: PacketRule): boolean => letsPass.test(target) && !(table === "nat" && decidesInNat.test(target));

/** Chains may lead in a circle. None that somebody has written lead as far as this. */
const deepest = 8;

/** How a packet fares in a chain. */
export function passageOf(chains: Chains, chain: string, packet: Packet, depth = 0): Passage {
  const met: PacketRule[] = [];
  for (const rule of chains[chain] ?? []) {
    const applies = appliesTo(rule, packet);
    if (applies === false || rule.verdict === "none") continue;
    const inner = depth > deepest ? ({ met: [], end: "unknown" } as const) : stepOf(chains, rule, packet, depth);
    // A rule that applies at random is met as well, by some of the packets.
    if (applies === true) met.push(...inner.met);
    const isCertain = applies === true && rule.probability === undefined;
    if (!isCertain && !isHarmless(rule, inner)) return { met, end: "unknown" };
    if (!isCertain) continue;
    if (inner.end !== "through") return { met, end: inner.end };
    // What has been sent away by `goto` does not come back here.
    if (rule.verdict === "return" || rule.verdict === "goto") return { met, end: "through" };
  }
  return { met, end: "through" };
}

/** Whether a rule that perhaps applies leaves no doubt about those behind it: what goes on meets them either way. */
const isHarmless = ({ verdict }: PacketRule, { end }: Passage): boolean =>
  verdict === "drop" || verdict === "redirect" || (verdict === "jump" && end === "through");

/** How a packet fares that a rule applies to: by its verdict, or in the chain that it leads to. */
function stepOf(chains: Chains, rule: PacketRule, packet: Packet, depth: number): Passage {
  const { verdict, target } = rule;
  if (verdict === "drop" || verdict === "redirect") return { met: [rule], end: "decided" };
  if (verdict === "accept") return { met: [], end: "decided" };
  if (verdict === "return" || (chains[target] === undefined && isPassed(rule))) return { met: [], end: "through" };
  return chains[target] === undefined ? { met: [], end: "unknown" } : passageOf(chains, target, packet, depth + 1);
}

/** Leaves open what is at the end of the chains of a table of which a host has more rules than are read: they may decide. */
export function leaveOpen(table: string, chains: Readonly<Record<string, PacketRule[]>>): void {
  const rest = { line: "", table, conditions: [], probability: undefined, verdict: "jump", target: "" } as const;
  for (const [chain, rules] of Object.entries(chains)) rules.push({ ...rest, chain });
}
