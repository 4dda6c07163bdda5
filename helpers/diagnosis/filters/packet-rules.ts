/**
 * What rules of packet filters say, iptables' and nftables' alike, and which of them a packet is certain to meet. Where a rule asks for
 * what is not known of the packet, the answer is neither yes nor no; nobody is told to delete a rule that only may be to blame.
 */
import { containsAddress, isCIDR, normaliseAddress } from "../../cidr.ts";

/** A packet of TCP. What is undefined is not known of it. */
export type Packet = {
  source?: string | undefined;
  sourcePort?: number | undefined;
  destination?: string | undefined;
  destinationPort?: number | undefined;
  inInterface?: string | undefined;
  outInterface?: string | undefined;
  state: "NEW" | "ESTABLISHED";
  /** Whether kube-proxy has marked it, which it does with what comes in for a NodePort, and has changed its destination. */
  isByNodePort: boolean;
  /** In bytes, with its headers. */
  length: number;
};

/** One of the values holds; with `negated`, none does. */
export type Condition = { of: keyof typeof holds; values: readonly string[]; negated: boolean };

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

type Answer = boolean | undefined;

const whereKnown = <Value>(value: Value | undefined, holdsOf: (known: Value) => Answer): Answer =>
  value === undefined ? undefined : holdsOf(value);

const isWithin = (range: string, value: number): Answer => {
  const [from = Number.NaN, to = from] = range.split(/[:-]/).map(Number);
  return Number.isNaN(from) || Number.isNaN(to) ? undefined : from <= value && value <= to;
};

const isIn = (range: string, address: string): Answer => {
  if (isCIDR(range)) return containsAddress(range, address);
  const single = normaliseAddress(range);
  return single === undefined ? undefined : single === normaliseAddress(address);
};

/** `veth+`, as iptables has it, and `veth*`, as nftables, are all whose names begin so. */
const isNamed = (pattern: string, name: string): boolean =>
  /[+*]$/.test(pattern) ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

/** Of a packet of a connection one of these holds, and nobody knows of the other states and statuses. */
const states = new Set(["NEW", "ESTABLISHED", "RELATED", "INVALID"]);

function isInState({ state, isByNodePort }: Packet, value: string): Answer {
  if (value === "DNAT") return isByNodePort;
  return states.has(value) ? value === state : undefined;
}

/** What a condition can ask for, and whether a value of it holds for a packet. */
const holds = {
  protocol: (_packet: Packet, value: string): Answer => ["tcp", "6", "all"].includes(value),
  source: ({ source }: Packet, value: string): Answer => whereKnown(source, (known) => isIn(value, known)),
  sourcePort: ({ sourcePort }: Packet, value: string): Answer => whereKnown(sourcePort, (known) => isWithin(value, known)),
  destination: ({ destination }: Packet, value: string): Answer => whereKnown(destination, (known) => isIn(value, known)),
  destinationPort: ({ destinationPort }: Packet, value: string): Answer => whereKnown(destinationPort, (known) => isWithin(value, known)),
  inInterface: ({ inInterface }: Packet, value: string): Answer => whereKnown(inInterface, (known) => isNamed(value, known)),
  outInterface: ({ outInterface }: Packet, value: string): Answer => whereKnown(outInterface, (known) => isNamed(value, known)),
  state: (packet: Packet, value: string): Answer => isInState(packet, value),
  mark: ({ isByNodePort }: Packet, value: string): Answer => (value === "0x4000/0x4000" ? isByNodePort : undefined),
  length: ({ length }: Packet, value: string): Answer => isWithin(value, length),
  somethingElse: (): Answer => undefined,
};

/** Yes as soon as one says yes, and no only where all do. */
function anyOf(answers: readonly Answer[]): Answer {
  if (answers.includes(true)) return true;
  return answers.includes(undefined) ? undefined : false;
}

/** No as soon as one says no, and yes only where all do. */
function allOf(answers: readonly Answer[]): Answer {
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}

const not = (answer: Answer): Answer => (answer === undefined ? undefined : !answer);

/** Whether a rule applies to a packet, or would by the dice; undefined where that cannot be known. */
export const appliesTo = ({ conditions }: PacketRule, packet: Packet): Answer =>
  allOf(
    conditions.map(({ of, values, negated }) => {
      const answer = anyOf(values.map((value) => holds[of](packet, value)));
      return negated ? not(answer) : answer;
    }),
  );

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

/** How a packet fares in a chain. */
export function passageOf(chains: Chains, chain: string, packet: Packet, depth = 0): Passage {
  const met: PacketRule[] = [];
  for (const rule of chains[chain] ?? []) {
    const applies = appliesTo(rule, packet);
    if (applies === false || rule.verdict === "none") continue;
    const inner = depth > 8 ? ({ met: [], end: "unknown" } as const) : stepOf(chains, rule, packet, depth);
    if (applies === true) met.push(...inner.met);
    if (applies === true && rule.probability === undefined) {
      if (inner.end !== "through") return { met, end: inner.end };
      if (rule.verdict === "return" || rule.verdict === "goto") return { met, end: "through" };
    } else if (!isHarmless(rule, inner)) return { met, end: "unknown" };
  }
  return { met, end: "through" };
}

/** What a rule that applies leads to. */
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

/** Whether a packet that has perhaps met a rule is, if it goes on, where it would be without that rule. */
const isHarmless = ({ verdict }: PacketRule, { end }: Passage): boolean =>
  verdict === "drop" || verdict === "redirect" || (verdict === "jump" && end === "through");
