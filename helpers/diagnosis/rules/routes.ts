/**
 * The routes by which hosts send packets to Pods.
 */
import { familyOf, firstAddress } from "../../cidr.ts";
import { byNodePort, guide, overPodNetwork } from "../checks.ts";
import { lineWith } from "../kubelet-seen.ts";
import type { Evidence, Failure, Finding, Rule } from "../model.ts";
import { addressOfNode, hasAnswered, hostsOf, linesOf, podSubnetsOf, workersOf } from "../reading.ts";
import { nodesAt, routeTo, wayTo } from "../routes-seen.ts";

/** From a host to the Pods of a Node, which has an address: the subnet of the Pods, and its first address. */
type Way = { host: string; node: string; subnet: string; first: string; address: string };

function waysFrom(evidence: Evidence, host: string): Way[] {
  return workersOf(evidence)
    .filter((node) => node !== host)
    .flatMap((node) => {
      const subnet = podSubnetsOf(evidence, node).find((cidr) => familyOf(cidr) === 4);
      const address = addressOfNode(evidence, node);
      return subnet === undefined || address === "" ? [] : [{ host, node, subnet, first: firstAddress(subnet), address }];
    });
}

/** Routes of the hosts that a check goes through: `server` for Pod IPs, the Nodes for NodePorts. */
const ofRoute = (
  rule: Pick<Rule, "id" | "saying">,
  tell: (way: Way, evidence: Evidence, failure: Failure) => Finding | undefined,
): Rule => ({
  ...rule,
  explains: overPodNetwork,
  guide: guide.routes,
  find: (evidence, failure) => {
    const isAsked = (host: string): boolean => host === evidence.given.server;
    const hosts = byNodePort.includes(failure.check) ? workersOf(evidence) : hostsOf(evidence).filter(isAsked);
    for (const way of hosts.flatMap((host) => waysFrom(evidence, host))) {
      const finding = tell(way, evidence, failure);
      if (finding !== undefined) return finding;
    }
    return undefined;
  },
});

/** Where a network routes by itself, as that of a cloud does, no host has a route to the Pods of a Node by that Node's own address. */
const hostsRoute = (evidence: Evidence): boolean =>
  hostsOf(evidence)
    .flatMap((host) => waysFrom(evidence, host))
    .some(({ host, node, first }) => nodesAt(evidence, routeTo(evidence, host, first)?.via ?? "").includes(node));

const routeMissing = ofRoute({ id: "route-missing" }, ({ host, node, subnet, first, address }, evidence) =>
  !hasAnswered(evidence, host, "routes") ||
  routeTo(evidence, host, first) !== undefined ||
  (wayTo(evidence, host, first) !== undefined && !hostsRoute(evidence))
    ? undefined
    : {
        what: `${host} has no route to ${subnet}, the Pods of ${node}`,
        seen: `${host}: ip route: no line for ${subnet}`,
        mend: `ssh ${host} ip route add ${subnet} via ${address}`,
      },
);

/** A next hop that is no Node is a router, or the far end of a tunnel, and may well lead to the Pods. */
const routeElsewhere = ofRoute({ id: "route-to-another-host" }, ({ host, node, subnet, first, address }, evidence) => {
  const route = routeTo(evidence, host, first);
  const owners = nodesAt(evidence, route?.via ?? "");
  if (route === undefined || owners[0] === undefined || owners.includes(node)) return undefined;
  return {
    what: `the route of ${host} to ${subnet}, the Pods of ${node}, leads to ${route.via}, which is ${owners[0]}`,
    seen: `${host}: ip route: ${route.line}`,
    mend: `ssh ${host} ip route replace ${subnet} via ${address}`,
  };
});

const notAnswered = /exited (7|28)\b|timed out/;

/** Whether a message tells of a request on this way that was not answered, though on their own Node the Pods answer. */
function isSilent({ host, node }: Way, evidence: Evidence, { check, message }: Failure): boolean {
  const own = linesOf(evidence, node, "pods");
  if (own.length === 0 || !own.every((line) => line.includes(" exit=0 "))) return false;
  if (byNodePort.includes(check)) return new RegExp(`\\b${host}: (HEAD|GET)[^']*timed out`).test(message);
  return evidence.api.pods
    .filter(({ nodeName, podIP }) => nodeName === node && podIP !== "")
    .some(({ podIP }) => new RegExp(`//\\[?${podIP.replaceAll(".", "\\.")}\\]?:\\d+ exited (7|28)\\b`).test(message));
}

/** Nobody can look at a router. It is told as what it is, and nothing is to be changed on the hosts before somebody has looked. */
const waySilent = ofRoute({ id: "way-to-pods-silent", saying: notAnswered }, (way, evidence, failure) => {
  const { host, node, subnet, first, address } = way;
  const route = wayTo(evidence, host, first);
  if (route?.via === undefined || nodesAt(evidence, route.via).length > 0 || !isSilent(way, evidence, failure)) return undefined;
  return {
    what: `${host} sends what is for ${subnet}, the Pods of ${node}, to ${route.via}, which is no Node, and nothing comes back`,
    seen: `${host}: ip route: ${route.line}; ${lineWith(failure.message, notAnswered)}`,
    mend: `on ${route.via}, the router, route ${subnet} to ${address}; where no router does that, ${host} needs the guide's route: ip route add ${subnet} via ${address}`,
  };
});

/** What packets meet first. */
export const routeRules: readonly Rule[] = [routeMissing, routeElsewhere];

/** What is left where nothing else is wrong. */
export const routerRules: readonly Rule[] = [waySilent];
