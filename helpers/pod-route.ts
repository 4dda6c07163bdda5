/**
 * Which way a host would send a packet for a Pod: `ip -j route get`.
 */
import { z } from "zod";
import { normaliseAddress } from "./cidr.ts";
import { InconclusiveError, reasonOf } from "./errors.ts";
import { requireSuccess, type Host } from "./ssh.ts";

export type Route = {
  dst: string;
  dev: string;
  /** The next hop; undefined where the address is on the link itself. */
  gateway?: string;
  /** `local` when the address is the host's own, `unreachable` or `blackhole` when there is no way. */
  type?: string;
};

/**
 * Asks a host for its route to a Pod. That there is none is an answer: its type is `unreachable` then.
 * @throws InconclusiveError when the host cannot be asked, or answers what cannot be understood
 */
export async function readRoute(host: Host, podIP: string): Promise<Route> {
  const command = routeCommand(podIP);
  const result = await host.run(command);
  // The kernel says "Network is unreachable", "No route to host", or "Invalid argument" for a blackhole; `ip` exits 2 for all of them.
  if (result.exitCode === 2 && result.stderr.includes("RTNETLINK answers")) return { dst: podIP, dev: "", type: "unreachable" };
  const text = requireSuccess(host, command, result).stdout.toString("utf8");
  try {
    return parseRoute(text);
  } catch (error) {
    throw new InconclusiveError(
      `${host.name}: the answer to "${command}" could not be read (${reasonOf(error)}): ${text.trim() || "it is empty"}.`,
    );
  }
}

/** @param podIP an address out of the API; anything else is refused, since it becomes part of a command */
export function routeCommand(podIP: string): string {
  const address = normaliseAddress(podIP);
  if (address === undefined) throw new RangeError(`"${podIP}" is no IP address`);
  return `ip -j route get ${address}`;
}

const route = z.object({
  dst: z.string(),
  dev: z.string().default(""),
  gateway: z.string().optional(),
  via: z.object({ host: z.string() }).optional(),
  type: z.string().optional(),
});

/** Reads the answer. An IPv4 route whose next hop is IPv6 has it in `via`. */
export function parseRoute(text: string): Route {
  const [{ dst, dev, gateway, via, type }] = z.tuple([route], z.looseObject({})).parse(JSON.parse(text));
  const hop = gateway ?? via?.host;
  return { dst, dev, ...(hop !== undefined && { gateway: hop }), ...(type !== undefined && { type }) };
}

export type RouteVerdict = { problem?: string; note?: string };

type Expectation = {
  /** The host whose route it is. */
  hostName: string;
  pod: { name: string; nodeName: string; podIP: string };
  /** The addresses of every Node, by its name. */
  nodeAddresses: Readonly<Record<string, readonly string[]>>;
};

/**
 * Whether a route leads to the Pod's own Node. With static routes, as the guide sets them, the next hop is that Node. A route without a
 * next hop is an overlay's, or the Pod is on this very host; a next hop that is no Node's address is a router's, or the far end of a
 * tunnel, as with Flannel, Cilium and Calico over VXLAN. Those name no Node, which is a note: whether they lead to the Pod, its page shows.
 */
export function judgeRoute({ dev, gateway, type }: Route, { hostName, pod, nodeAddresses }: Expectation): RouteVerdict {
  const target = `${pod.podIP} (Pod ${pod.name} on ${pod.nodeName})`;
  if (type !== undefined && type !== "unicast" && type !== "local") return { problem: `${hostName}: its route to ${target} is ${type}` };
  if (gateway === undefined)
    return { note: `${hostName}: its route to ${target} goes out of ${dev} without a next hop, so it names no Node` };
  const hop = normaliseAddress(gateway);
  const owners = Object.keys(nodeAddresses).filter((name) => nodeAddresses[name]?.some((address) => normaliseAddress(address) === hop));
  if (owners.includes(pod.nodeName)) return {};
  if (owners[0] === undefined)
    return { note: `${hostName}: its route to ${target} goes via ${gateway} out of ${dev}, which is no Node's address` };
  const expected = nodeAddresses[pod.nodeName]?.join(" or ") || "an address of its Node";
  return { problem: `${hostName}: its route to ${target} goes via ${gateway}, which is ${owners[0]}, expected ${expected}` };
}
