/**
 * What a Node object says of itself. https://kubernetes.io/docs/reference/node/node-status/
 */
import type { V1Node } from "@kubernetes/client-node";
import type { Toleration } from "./config.ts";

/** The name of a Node, which the API always gives. */
export const nameOf = (node: V1Node): string => node.metadata?.name ?? "";

/** Why a Node is not Ready, or undefined when it is. */
export function notReadyBecause(node: V1Node): string | undefined {
  const ready = (node.status?.conditions ?? []).find(({ type }) => type === "Ready");
  if (ready === undefined) return "its kubelet has never reported a Ready condition";
  return ready.status === "True" ? undefined : `Ready is ${ready.status} (${ready.reason}: ${ready.message})`;
}

/** Why the scheduler may not put the run's Pods on a Node, or undefined when it may. */
export function unschedulableBecause(node: V1Node, tolerations: readonly Toleration[]): string | undefined {
  if (node.spec?.unschedulable === true) return "cordoned";
  const untolerated = (node.spec?.taints ?? []).filter(
    (taint) => taint.effect !== "PreferNoSchedule" && !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
  if (untolerated.length > 0) return `tainted ${untolerated.map(taintText).join(", ")}`;
  return notReadyBecause(node);
}

/** In the notation of `kubectl taint`: `key=value:Effect`. */
export const taintText = ({ key, value, effect }: { key: string; value?: string; effect: string }): string =>
  `${key}${value ? `=${value}` : ""}:${effect}`;

/** A taint in that notation, read back. */
export function taintOf(text: string): { key: string; value: string; effect: string } {
  const [, key = "", value = "", effect = ""] = /^([^=:]+)(?:=([^:]*))?:(.+)$/.exec(text) ?? [];
  return { key, value, effect };
}

/** Whether one toleration is enough for a Pod to be put on a Node with this taint. */
export function tolerates(toleration: Toleration, taint: { key: string; value?: string; effect: string }): boolean {
  return (
    toleration.key === taint.key &&
    (toleration.operator === "Exists" || (toleration.value ?? "") === (taint.value ?? "")) &&
    (toleration.effect === undefined || toleration.effect === taint.effect)
  );
}

/** The address of a Node for this machine: the configured host's, else InternalIP, else ExternalIP. */
export function addressOf(node: V1Node, hosts: Readonly<Record<string, string>>): string {
  const reported = (wanted: string) => (node.status?.addresses ?? []).find(({ type }) => type === wanted)?.address;
  return hosts[nameOf(node)] ?? reported("InternalIP") ?? reported("ExternalIP") ?? nameOf(node);
}

/** Every IP address that a Node reports or is configured with. */
export function addressesOf(node: V1Node, hosts: Readonly<Record<string, string>>): string[] {
  const reported = (node.status?.addresses ?? []).filter(({ type }) => type.endsWith("IP")).map(({ address }) => address);
  return [...new Set([...(hosts[nameOf(node)] === undefined ? [] : [hosts[nameOf(node)] as string]), ...reported])];
}
