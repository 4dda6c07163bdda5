/**
 * What chains drop by their policy. Such a chain lists what it accepts, and drops the rest; so a property of a packet that is only guessed
 * is left open, or an accept that fits the real packet would be missed.
 */
import type { Evidence } from "../model.ts";
import { cniOf, hasAnswered, linesOf, ownDevice } from "../reading.ts";
import { passageOf, type Filter } from "./packet-rules.ts";
import { filtersOf, legsBy, legsToKubelet, type Leg } from "./packets.ts";

type Dropping = Filter & { dropPolicy: string };

/** The chains of a host to whose end one of these packets comes, and whose policy drops it there. */
export const droppedByPolicyOf = (evidence: Evidence, host: string, by: Filter["by"], legs: readonly Leg[]): Dropping[] =>
  filtersOf(evidence, host).flatMap((filter) => {
    const { chains, chain, hook, dropPolicy } = filter;
    const isMet = legs.some(({ hooks, packet }) => hooks.includes(hook) && passageOf(chains, chain, packet).end === "through");
    return isMet && filter.by === by && dropPolicy !== undefined ? [{ ...filter, dropPolicy }] : [];
  });

/** How it is told of a chain of nftables that its policy drops something, and the line that shows it. */
export const policyShown = (host: string, { table, chain, dropPolicy }: Dropping): { told: string; seen: string } => ({
  told: `the policy of the chain ${chain} of the nftables table ${table} is drop, and no rule of it accepts`,
  seen: `${host}: nft list ruleset: ${dropPolicy}`,
});

/** Whether what a host forwards to its Pods goes through the hooks of the kernel: a bridge leads there, and no program takes its part. */
const forwardsByHooks = (evidence: Evidence, host: string): boolean =>
  cniOf(evidence, host)?.type === "bridge" && hasAnswered(evidence, host, "stand-ins") && linesOf(evidence, host, "stand-ins").length === 0;

/**
 * New packets to the Pods of a host, with what is certain of them. The source is left open, because somebody may have changed it on the
 * way; what came by a NodePort is left out, because kube-proxy's mode decides which hooks see it.
 */
export const certainLegsToPods = (evidence: Evidence, host: string, check: string): Leg[] =>
  forwardsByHooks(evidence, host)
    ? legsBy(evidence, host, check)
        .filter(({ to, packet }) => to === "pod" && packet.state === "NEW" && !packet.isByNodePort)
        .map((leg) => ({ ...leg, packet: { ...leg.packet, source: undefined } }))
    : [];

/** The same of what comes in to a kubelet: where it comes in is known by the address that it is for. */
export const certainLegsToKubelet = (evidence: Evidence, node: string): Leg[] =>
  legsToKubelet(evidence, node, node)
    .filter(({ packet }) => packet.state === "NEW")
    .map((leg) => ({ ...leg, packet: { ...leg.packet, source: undefined, inInterface: ownDevice(evidence, node) } }));
