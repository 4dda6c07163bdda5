/**
 * The packets that checks send by way of a host, as far as the evidence tells of them, and the rules of the host's filters that these meet.
 */
import { normaliseAddress } from "../../cidr.ts";
import { byNodePort } from "../checks.ts";
import type { Evidence, PodEvidence } from "../model.ts";
import { addressesOn, addressOfNode, hostsOf, ownDevice, runsOn, workersOf } from "../reading.ts";
import { nodesAt, wayTo } from "../routes-seen.ts";
import type { Packet } from "./conditions.ts";
import { iptablesOf } from "./iptables.ts";
import { nftablesOf } from "./nftables.ts";
import { passageOf, type Filter, type PacketRule } from "./packet-rules.ts";

/** A packet, what it is for, and the hooks at which a host sees it. */
export type Leg = { to: "pod" | "node-port" | "kubelet"; packet: Packet; hooks: readonly string[] };

/** A SYN: the headers of IP and TCP, with the usual options. */
const lengthOfRequest = 60;
/** nginx's page of 615 bytes behind those headers without options. What brings it is no shorter. */
const lengthOfPage = 655;

const kubeletPort = 10250;

const request = { state: "NEW", length: lengthOfRequest, isByNodePort: false } as const;

/** The packet that brings the answer, on the same way. */
const replyTo = (packet: Packet): Packet => ({
  ...packet,
  source: packet.destination,
  sourcePort: packet.destinationPort,
  destination: packet.source,
  destinationPort: packet.sourcePort,
  inInterface: packet.outInterface,
  outInterface: packet.inInterface,
  state: "ESTABLISHED",
  length: lengthOfPage,
});

/** The interface by which a host sends to an address, and by which it gets what comes from there. */
const deviceTo = (evidence: Evidence, host: string, address: string | undefined): string | undefined =>
  address === undefined ? undefined : wayTo(evidence, host, address)?.device;

/** The address that a host sends from to another one: the one of the route, else that of the interface. */
function sourceOf(evidence: Evidence, host: string, to: string): string | undefined {
  const way = wayTo(evidence, host, to);
  const own = addressesOn(evidence, host).find(({ device, address }) => device === way?.device && !address.includes(":"));
  return way?.source ?? own?.address ?? (addressOfNode(evidence, host) || undefined);
}

/** Whether a host sends to an address by way of a Node itself: what goes through a router or a tunnel may come in there anywhere. */
function sendsStraightTo(evidence: Evidence, sender: string, { host, address }: { host: string; address: string }): boolean {
  const way = wayTo(evidence, sender, address);
  return way?.via !== undefined && nodesAt(evidence, way.via).includes(host) && deviceTo(evidence, sender, way.via) === way.device;
}

/** The port at which a Pod is asked, as the EndpointSlices have it. */
const portOf = ({ api }: Evidence, podIP: string): number | undefined => {
  const port = api.endpoints.find((endpoint) => endpoint.startsWith(`${podIP}:`))?.slice(podIP.length + 1);
  return port === undefined ? undefined : Number(port);
};

/** The Pods that owe an answer. */
const podsOf = ({ api }: Evidence): PodEvidence[] =>
  api.pods.filter(({ podIP, isTerminating }) => normaliseAddress(podIP) !== undefined && !isTerminating);

/** A packet and its answer, each with the hooks at which it is as it says: kube-proxy changes one on its way. */
const thereAndBack = (to: Leg["to"], packet: Packet, hooks: readonly string[], hooksOfReply: readonly string[]): Leg[] => [
  { to, packet, hooks },
  { to, packet: replyTo(packet), hooks: hooksOfReply },
];

/** Rules of IPv6 are not read, and those of IPv4 do not see its packets. */
const isOfIPv4 = ({ packet: { source, destination } }: Leg): boolean => ![source, destination].some((address) => address?.includes(":"));

/** The hooks of what goes through a host, what ends there, and what begins there. */
const [forwarded, incoming, outgoing] = [["prerouting", "forward"], ["prerouting", "input"], ["output"]] as const;

/**
 * To the Pods on a host: from `server`, or, where it has come in by the NodePort of another Node, from that Node, whose kube-proxy puts its
 * own address in the sender's place.
 */
function toOwnPods(evidence: Evidence, host: string, check: string): Leg[] {
  const senders = byNodePort.includes(check) ? workersOf(evidence) : [evidence.given.server];
  return podsOf(evidence)
    .filter(({ nodeName }) => nodeName === host)
    .flatMap(({ podIP }) =>
      senders
        .filter((sender) => sender !== host)
        .flatMap((sender) => {
          const source = sourceOf(evidence, sender, podIP);
          const isStraight = sendsStraightTo(evidence, sender, { host, address: podIP });
          const inInterface = isStraight ? deviceTo(evidence, host, source) : undefined;
          const interfaces = { inInterface, outInterface: deviceTo(evidence, host, podIP) };
          const packet = { ...request, ...interfaces, source, destination: podIP, destinationPort: portOf(evidence, podIP) };
          return thereAndBack("pod", packet, forwarded, forwarded);
        }),
    );
}

/** From outside by the NodePort of a host, and once kube-proxy has changed the destination, on to any Pod. */
function byItsNodePort(evidence: Evidence, host: string): Leg[] {
  const arriving = { ...request, inInterface: ownDevice(evidence, host) };
  const destination = addressOfNode(evidence, host) || undefined;
  const packet = { ...arriving, destination, destinationPort: evidence.api.service?.nodePort };
  const onwards = podsOf(evidence).flatMap(({ podIP }) => {
    const outInterface = deviceTo(evidence, host, podIP);
    const changed = { ...arriving, isByNodePort: true, destination: podIP, destinationPort: portOf(evidence, podIP), outInterface };
    // At prerouting it is still the packet above.
    return thereAndBack("pod", changed, ["forward"], forwarded);
  });
  return [{ to: "node-port", packet, hooks: ["prerouting"] }, ...onwards];
}

/** What a check over the Pod network sends by way of a Node. */
export const legsBy = (evidence: Evidence, host: string, check: string): Leg[] =>
  [...(byNodePort.includes(check) ? byItsNodePort(evidence, host) : []), ...toOwnPods(evidence, host, check)].filter(isOfIPv4);

/**
 * From kube-apiserver to the kubelet of a Node, as either host sees it. Where nobody knows who runs kube-apiserver, it comes from anywhere.
 */
export function legsToKubelet(evidence: Evidence, host: string, node: string): Leg[] {
  const destination = addressOfNode(evidence, node);
  const senders = hostsOf(evidence).filter((sender) => runsOn(evidence, sender, "kube-apiserver"));
  const packet = { ...request, destination, destinationPort: kubeletPort };
  if (senders.length === 0 && host === node) return thereAndBack("kubelet", packet, incoming, outgoing).filter(isOfIPv4);
  return senders
    .filter((sender) => sender !== node && destination !== "")
    .flatMap((sender) => {
      const source = sourceOf(evidence, sender, destination);
      const atNode = { ...packet, source, inInterface: deviceTo(evidence, node, source) };
      const atSender = { ...packet, source, outInterface: deviceTo(evidence, sender, destination) };
      return [
        ...(host === node ? thereAndBack("kubelet", atNode, incoming, outgoing) : []),
        ...(host === sender ? thereAndBack("kubelet", atSender, outgoing, incoming) : []),
      ].filter(isOfIPv4);
    });
}

/** From a host to the API server, as the kubeconfig names it. Where that is a name and no address, the destination is not known. */
export function packetToAPI(evidence: Evidence, host: string): Packet {
  const { hostname, port } = new URL(URL.canParse(evidence.api.server) ? evidence.api.server : "https://unknown:6443");
  const destination = normaliseAddress(hostname.replaceAll(/[[\]]/g, ""));
  const interfaces = { outInterface: deviceTo(evidence, host, destination) };
  return {
    ...request,
    ...interfaces,
    source: addressOfNode(evidence, host) || undefined,
    destination,
    destinationPort: Number(port || 443),
  };
}

/** A rule that a packet meets for certain. */
export type Met = { leg: Leg; filter: Filter; rule: PacketRule };

/** Every chain of a host that hangs on a hook. */
export const filtersOf = (evidence: Evidence, host: string): Filter[] => [...iptablesOf(evidence, host), ...nftablesOf(evidence, host)];

/** The rules of a host that drop or redirect one of these packets, in the order of the packets. */
export const metBy = (evidence: Evidence, host: string, legs: readonly Leg[]): Met[] =>
  legs.flatMap((leg) =>
    filtersOf(evidence, host)
      .filter(({ hook }) => leg.hooks.includes(hook))
      .flatMap((filter) => passageOf(filter.chains, filter.chain, leg.packet).met.map((rule) => ({ leg, filter, rule }))),
  );

/** How the line that shows a rule begins, and the command that takes this very rule away. */
export function shownAs(host: string, { filter, rule }: Met): { seen: string; mend: string } {
  const { line, table, chain } = rule;
  if (filter.by === "iptables")
    return { seen: `${host}: iptables-save: ${line}`, mend: `ssh ${host} iptables -t ${table} -D ${line.replace(/^\S+ -A /, "")}` };
  const seen = `${host}: nft list ruleset: ${line}`;
  // What firewalld has made it makes again.
  if (table.endsWith(" firewalld")) return { seen, mend: `ssh ${host} firewall-cmd --list-all-zones  # and let it pass there` };
  const [, handle] = / # handle (\d+)$/.exec(line) ?? [];
  return handle === undefined
    ? { seen, mend: `ssh ${host} nft --handle list chain ${table} ${chain}  # then delete this very rule by its handle` }
    : { seen, mend: `ssh ${host} nft delete rule ${table} ${chain} handle ${handle}` };
}
