/**
 * What the policies of chains drop. A chain with such a policy says only what it accepts, so that nothing of a packet may pass for known
 * that is guessed.
 */
import type { Evidence } from "../model.ts";
import { cniOf, hasAnswered, linesOf, ownDevice } from "../reading.ts";
import { passageOf, type Filter } from "./packet-rules.ts";
import { filtersOf, legsBy, legsToKubelet, type Leg } from "./packets.ts";

/** The chains of a host to whose end one of these packets comes, and whose policy drops it there. */
export const droppedAtEndOf = (evidence: Evidence, host: string, legs: readonly Leg[]): (Filter & { dropPolicy: string })[] =>
  filtersOf(evidence, host).flatMap((filter) => {
    const { chains, chain, hook, dropPolicy } = filter;
    const isMet = legs.some(({ hooks, packet }) => hooks.includes(hook) && passageOf(chains, chain, packet).end === "through");
    return isMet && dropPolicy !== undefined ? [{ ...filter, dropPolicy }] : [];
  });

/** Whether what a host forwards to its Pods goes through the hooks of the kernel: a bridge leads there, and no program takes its part. */
const forwardsByHooks = (evidence: Evidence, host: string): boolean =>
  cniOf(evidence, host)?.type === "bridge" && hasAnswered(evidence, host, "stand-ins") && linesOf(evidence, host, "stand-ins").length === 0;

/**
 * Of packets only what is certain: that a host is asked for its Pods. From what address that comes depends on who has changed it on the
 * way, and where kube-proxy has changed the destination, its mode decides by what hooks it goes.
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
