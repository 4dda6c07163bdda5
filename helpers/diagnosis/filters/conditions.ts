/**
 * What rules of packet filters ask for, iptables' and nftables' alike, and whether a packet has it. Where a rule asks for what is not known
 * of the packet, the answer is neither yes nor no.
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

/** Yes, no, or, where it is undefined, nobody knows. */
type Answer = boolean | undefined;

const whereKnown = <Value>(value: Value | undefined, holdsOf: (known: Value) => Answer): Answer =>
  value === undefined ? undefined : holdsOf(value);

/** `80`, and `1024:65535`, as iptables has it, or `1024-65535`, as nftables. */
const isWithin = (range: string, value: number): Answer => {
  const [from = Number.NaN, to = from] = range.split(/[:-]/).map(Number);
  return Number.isNaN(from) || Number.isNaN(to) ? undefined : from <= value && value <= to;
};

/** `10.200.1.6`, and `10.200.0.0/16`. */
const isIn = (range: string, address: string): Answer => {
  if (isCIDR(range)) return containsAddress(range, address);
  const single = normaliseAddress(range);
  return single === undefined ? undefined : single === normaliseAddress(address);
};

/** `veth+`, as iptables has it, and `veth*`, as nftables, are all whose names begin so. */
const isNamed = (pattern: string, name: string): boolean =>
  /[+*]$/.test(pattern) ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

/** A packet is in one of these. Of other states, such as UNTRACKED, and of statuses of its connection but DNAT nobody knows. */
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

/** Whether a rule applies to a packet, or would but for its dice; undefined where that cannot be known. */
export const appliesTo = ({ conditions }: { conditions: readonly Condition[] }, packet: Packet): Answer =>
  allOf(
    conditions.map(({ of, values, negated }) => {
      const answer = anyOf(values.map((value) => holds[of](packet, value)));
      return negated ? not(answer) : answer;
    }),
  );
