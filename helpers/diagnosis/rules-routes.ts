/**
 * The routes by which hosts send packets to Pods.
 */
import { containsAddress, firstAddress } from "../cidr.ts";
import { byNodePort, guide, overPodNetwork } from "./checks.ts";
import type { Evidence, Finding, Rule } from "./model.ts";
import { addressOfNode, firstOf, hostsOf, linesOf, podSubnetsOf, workersOf } from "./reading.ts";

type Route = { cidr: string; via: string | undefined; line: string };

/** The route that a host takes to an address: the narrowest, but for the default one. */
function routeTo(evidence: Evidence, host: string, address: string): Route | undefined {
  const routes = linesOf(evidence, host, "routes").flatMap((line) => {
    const [, kind, cidr] = /^(?:(blackhole|unreachable|prohibit) )?(\d+(?:\.\d+){3}(?:\/\d+)?)\b/.exec(line) ?? [];
    return cidr === undefined || kind !== undefined
      ? []
      : [{ cidr: cidr.includes("/") ? cidr : `${cidr}/32`, via: / via (\S+)/.exec(line)?.[1], line }];
  });
  const width = ({ cidr }: Route): number => Number(cidr.split("/")[1]);
  return routes.filter(({ cidr }) => containsAddress(cidr, address)).toSorted((one, other) => width(other) - width(one))[0];
}

/** Routes of the hosts that a check goes through: `server` for Pod IPs, the Nodes for NodePorts. */
const ofRoute = (
  id: string,
  tell: (found: {
    host: string;
    node: string;
    subnet: string;
    address: string;
    route: Route | undefined;
    evidence: Evidence;
  }) => Finding | undefined,
): Rule => ({
  id,
  explains: overPodNetwork,
  guide: guide.routes,
  find: (evidence, { check }) => {
    const hosts = byNodePort.includes(check) ? workersOf(evidence) : hostsOf(evidence).filter((host) => host === evidence.given.server);
    return firstOf(hosts, (host) => {
      for (const node of workersOf(evidence).filter((name) => name !== host)) {
        const [subnet] = podSubnetsOf(evidence, node);
        const address = addressOfNode(evidence, node);
        if (subnet === undefined || address === "") continue;
        const finding = tell({ host, node, subnet, address, route: routeTo(evidence, host, firstAddress(subnet)), evidence });
        if (finding !== undefined) return finding;
      }
      return undefined;
    });
  },
});

const routeMissing = ofRoute("route-missing", ({ host, node, subnet, address, route }) =>
  route !== undefined
    ? undefined
    : {
        what: `${host} has no route to ${subnet}, the Pods of ${node}`,
        seen: `${host}: ip route: no line for ${subnet}`,
        mend: `ssh ${host} ip route add ${subnet} via ${address}`,
      },
);

const routeElsewhere = ofRoute("route-to-another-host", ({ host, node, subnet, address, route, evidence }) => {
  if (route?.via === undefined || route.via === address) return undefined;
  const owner = evidence.api.nodes.find(({ internalIP }) => internalIP === route.via)?.name ?? "no Node";
  return {
    what: `the route of ${host} to ${subnet}, the Pods of ${node}, leads to ${route.via}, which is ${owner}`,
    seen: `${host}: ip route: ${route.line}`,
    mend: `ssh ${host} ip route replace ${subnet} via ${address}`,
  };
});

export const routeRules: readonly Rule[] = [routeMissing, routeElsewhere];
