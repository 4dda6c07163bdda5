/**
 * The routes of hosts, as `ip route` prints them.
 */
import { containsAddress, normaliseAddress } from "../cidr.ts";
import type { Evidence } from "./model.ts";
import { addressesOn, addressOfNode, linesOf, workersOf } from "./reading.ts";

export type Route = { cidr: string; via: string | undefined; device: string | undefined; source: string | undefined; line: string };

const everything = "0.0.0.0/0";

function routesOf(evidence: Evidence, host: string): Route[] {
  return linesOf(evidence, host, "routes").flatMap((line) => {
    const [, kind, to] = /^(?:(blackhole|unreachable|prohibit) )?(default|\d+(?:\.\d+){3}(?:\/\d+)?)(?= |$)/.exec(line) ?? [];
    // The default route of IPv6 begins like that of IPv4.
    if (to === undefined || kind !== undefined || / via \S*:/.test(line)) return [];
    const cidr = to === "default" ? everything : to.includes("/") ? to : `${to}/32`;
    const [via, device, source] = ["via", "dev", "src"].map((word) => new RegExp(` ${word} (\\S+)`).exec(line)?.[1]);
    return [{ cidr, via, device, source, line }];
  });
}

const width = ({ cidr }: Route): number => Number(cidr.split("/")[1]);

/** The route that a host takes to an address: the narrowest. */
export const wayTo = (evidence: Evidence, host: string, address: string): Route | undefined =>
  routesOf(evidence, host)
    .filter(({ cidr }) => containsAddress(cidr, address))
    .toSorted((one, other) => width(other) - width(one))[0];

/** The same, where it is more than the default route. */
export function routeTo(evidence: Evidence, host: string, address: string): Route | undefined {
  const way = wayTo(evidence, host, address);
  return way?.cidr === everything ? undefined : way;
}

/** The Nodes that have an address: by the API, or by what they say themselves. */
export const nodesAt = (evidence: Evidence, address: string): string[] =>
  workersOf(evidence).filter((host) => {
    const own = addressesOn(evidence, host).map((one) => one.address);
    return [addressOfNode(evidence, host), ...own].some((one) => one !== "" && normaliseAddress(one) === normaliseAddress(address));
  });
