/**
 * What a Node's kernel says of its Pod network: the bridge, and each Pod's veth on it. The chapter's `brctl show` and `ip addr`.
 */
import { z } from "zod";
import { firstAddress, normaliseAddress } from "./cidr.ts";
import type { CNIConfiguration } from "./cni-configuration.ts";
import { InconclusiveError } from "./errors.ts";
import { pidFirst } from "./node-processes.ts";

export type Link = {
  ifindex: number;
  ifname: string;
  /** `UP`: switched on. `LOWER_UP`: something is there at the other end. */
  flags: string[];
  /** `bridge`, `veth`; undefined for real devices. */
  kind?: string;
  /** The bridge that it is a port of. */
  master?: string;
  /** Of a veth: the ifindex of its other end, in that end's network namespace. */
  peerIndex?: number;
};

/** The addresses of each interface, by its name. */
export type Addresses = ReadonlyMap<string, readonly string[]>;

export type NetworkFacts = {
  links: readonly Link[];
  addresses: Addresses;
  /** Each Pod by name, and its `eth0` as seen from inside; undefined where it has none, `unseen` says why we could not look. */
  interfaces: ReadonlyMap<string, Link | { unseen: string } | undefined>;
};

export const linksCommand = "ip -j -d link";
export const addressesCommand = "ip -j addr";
/** Runs inside of the network namespace of a container's process. Where it fails, it prints why. */
export const interfaceCommand = (id: string): string => `${pidFirst(id)}; nsenter -t "$pid" -n ip -j -d link show eth0 2>&1`;

const link = z.object({
  ifindex: z.number(),
  ifname: z.string(),
  flags: z.array(z.string()),
  link_index: z.number().optional(),
  master: z.string().optional(),
  linkinfo: z.looseObject({ info_kind: z.string().optional() }).optional(),
});

/** Reads `ip -j -d link`. Some releases of iproute2 print an empty object for each link that a filter leaves out. */
export function parseLinks(text: string): Link[] {
  const entries = z.array(z.looseObject({})).parse(JSON.parse(text));
  return entries
    .filter((entry) => Object.keys(entry).length > 0)
    .map((entry) => {
      const { ifindex, ifname, flags, link_index, master, linkinfo } = link.parse(entry);
      const [kind, peerIndex] = [linkinfo?.info_kind, link_index];
      return {
        ifindex,
        ifname,
        flags,
        ...(kind !== undefined && { kind }),
        ...(master !== undefined && { master }),
        ...(peerIndex !== undefined && { peerIndex }),
      };
    });
}

const addressed = z.object({ ifname: z.string(), addr_info: z.array(z.looseObject({ local: z.string().optional() })) });

/** Reads `ip -j addr`. */
export function parseAddresses(text: string): Addresses {
  const entries = z.array(z.looseObject({})).parse(JSON.parse(text));
  return new Map(
    entries
      .filter((entry) => Object.keys(entry).length > 0)
      .map((entry) => {
        const { ifname, addr_info } = addressed.parse(entry);
        return [ifname, addr_info.flatMap(({ local }) => (local === undefined ? [] : [local]))];
      }),
  );
}

/** Why there is no bridge to look at on this Node, or undefined when there is one. */
export function bridgeNotApplicable(nodeName: string, cni: CNIConfiguration | undefined): string | undefined {
  if (cni === undefined) return `${nodeName}: /etc/cni/net.d holds no valid file, so that its CNI is kept elsewhere and unknown to us`;
  return cni.type === "bridge"
    ? undefined
    : `${nodeName}: its CNI plugin is ${cni.type} (${cni.file}), which puts Pods on no bridge that the file names`;
}

type Expectation = {
  cni: CNIConfiguration;
  /** The Node's Pod CIDRs; where the CNI file names no gateways, the first address of each is one. */
  podCIDRs: readonly string[];
};

/** Sentences for a bridge that is missing, down, or without the gateway's address. */
export function bridgeProblems(nodeName: string, { links, addresses }: NetworkFacts, { cni, podCIDRs }: Expectation): string[] {
  const name = cni.bridge as string;
  const bridge = links.find(({ ifname }) => ifname === name);
  if (bridge === undefined) return [`${nodeName}: there is no interface ${name}, the bridge of ${cni.file}`];
  if (bridge.kind !== "bridge") return [`${nodeName}: ${name} is a ${bridge.kind ?? "device"}, expected the bridge of ${cni.file}`];
  const has = (addresses.get(name) ?? []).map((address) => normaliseAddress(address));
  const gateways = cni.isGateway ? (cni.ipam.gateways.length > 0 ? cni.ipam.gateways : podCIDRs.map(firstAddress)) : [];
  return [
    ...downProblem(nodeName, `bridge ${name}`, bridge),
    ...gateways
      .filter((gateway) => !has.includes(gateway))
      .map(
        (gateway) =>
          `${nodeName}: bridge ${name} has the addresses ${has.join(", ") || "(none)"}, expected ${gateway}, the gateway of its Pods, among them`,
      ),
  ];
}

/**
 * Sentences for a Pod whose eth0 is missing, or whose other end is missing, down, or on another bridge.
 * @throws InconclusiveError when its eth0 could not be looked at
 */
export function vethProblems(
  nodeName: string,
  podName: string,
  { links, interfaces }: NetworkFacts,
  { cni }: Pick<Expectation, "cni">,
): string[] {
  const inside = interfaces.get(podName);
  if (inside === undefined) return [`${nodeName}: Pod ${podName} has no eth0`];
  if ("unseen" in inside) throw new InconclusiveError(`${nodeName}: eth0 of Pod ${podName} could not be looked at: ${inside.unseen}.`);
  const outside = links.find(
    ({ ifindex, peerIndex, kind }) => kind === "veth" && ifindex === inside.peerIndex && peerIndex === inside.ifindex,
  );
  if (outside === undefined)
    return [`${nodeName}: the other end of eth0 of Pod ${podName} (interface number ${inside.peerIndex}) is not on the Node`];
  const { ifname, master } = outside;
  return [
    ...downProblem(nodeName, `eth0 of Pod ${podName}`, inside),
    ...downProblem(nodeName, `${ifname}, the veth of Pod ${podName},`, outside),
    ...(master === cni.bridge
      ? []
      : [
          `${nodeName}: ${ifname}, the veth of Pod ${podName}, is on ${master ?? "no bridge"}, expected ${cni.bridge}, the bridge of ${cni.file}`,
        ]),
  ];
}

function downProblem(nodeName: string, what: string, { flags }: Link): string[] {
  if (!flags.includes("UP")) return [`${nodeName}: ${what} is down`];
  return flags.includes("LOWER_UP") ? [] : [`${nodeName}: ${what} is up, but has no carrier`];
}
