/**
 * In which ranges the Pods of a Node must have their addresses, and who says so.
 */
import { containsAddress, familyOf, normalise, normaliseAddress, overlaps } from "./cidr.ts";
import type { CNIConfiguration } from "./cni-configuration.ts";

export type PodCIDRSources = {
  /** SMOKE_POD_CIDRS for this Node. */
  configured?: readonly string[] | undefined;
  /** Undefined where the Node could not be asked, or has no valid file. */
  cni?: CNIConfiguration | undefined;
  /** `spec.podCIDRs` of the Node; Kubernetes the Hard Way leaves it empty. */
  specPodCIDRs?: readonly string[] | undefined;
};

export type PodCIDRs = {
  nodeName: string;
  /** Empty where nothing tells; then the note says why. */
  cidrs: string[];
  /** Which source was taken: `SMOKE_POD_CIDRS`, `/etc/cni/net.d/10-bridge.conf`, `spec.podCIDRs`. */
  source: string;
  /** What a reader should know of a range that is not host-local's. */
  note?: string;
  /** Sources that contradict each other. */
  problems: string[];
};

/**
 * Chooses the ranges of a Node: what is configured, else its CNI file where the IPAM there is host-local, else `spec.podCIDRs`. Where the
 * IPAM is host-local all sources that say something have to agree, because routes are made from one and addresses from another.
 * An IPAM of another kind may hand out addresses from anywhere, so that only what is configured is held against it.
 */
export function choosePodCIDRs(nodeName: string, { configured = [], cni, specPodCIDRs = [] }: PodCIDRSources): PodCIDRs {
  const otherIPAM = cni === undefined || cni.ipam.type === "host-local" || cni.ipam.usesPodCIDRs ? undefined : cni.ipam.type || cni.type;
  const sources = [
    { source: "SMOKE_POD_CIDRS", cidrs: configured },
    { source: cni?.file ?? "", cidrs: cni?.ipam.type === "host-local" ? cni.ipam.subnets : [] },
    { source: "spec.podCIDRs", cidrs: otherIPAM === undefined ? specPodCIDRs : [] },
  ]
    .map(({ source, cidrs }) => ({ source, cidrs: cidrs.map(normalise) }))
    .filter(({ cidrs }) => cidrs.length > 0);
  const [chosen, ...others] = sources;
  const note = noteOf(otherIPAM, cni, chosen?.source);
  if (chosen === undefined)
    return { nodeName, cidrs: [], source: "none", note: `${nodeName}: ${note ?? "nothing tells its Pod CIDR"}`, problems: [] };
  const problems = others
    .filter(({ cidrs }) => contradict(chosen.cidrs, cidrs))
    .map(
      ({ source, cidrs }) =>
        `${nodeName}: its Pod CIDR is ${chosen.cidrs.join(", ")} by ${chosen.source}, but ${cidrs.join(", ")} by ${source}`,
    );
  return { nodeName, ...chosen, ...(note !== undefined && { note: `${nodeName}: ${note}` }), problems };
}

function noteOf(otherIPAM: string | undefined, cni: CNIConfiguration | undefined, source: string | undefined): string | undefined {
  const remedy = "set SMOKE_POD_CIDRS to have them judged";
  if (otherIPAM !== undefined) {
    const judged = source === undefined ? `its Pods' addresses are judged by being unique alone; ${remedy}` : `judged against ${source}`;
    return `the IPAM of ${cni?.file} is ${otherIPAM}, which has ranges of its own: ${judged}`;
  }
  return source === undefined ? `neither SMOKE_POD_CIDRS, nor its CNI file, nor spec.podCIDRs tells its Pod CIDR; ${remedy}` : undefined;
}

/** Two sources contradict each other in a family of addresses that both speak of. */
function contradict(one: readonly string[], other: readonly string[]): boolean {
  return ([4, 6] as const).some((family) => {
    const [a, b] = [one, other].map((cidrs) =>
      cidrs
        .filter((cidr) => familyOf(cidr) === family)
        .toSorted()
        .join(),
    );
    return a !== "" && b !== "" && a !== b;
  });
}

export type AddressedPod = {
  name: string;
  nodeName: string;
  /** `status.podIPs`. */
  podIPs: readonly string[];
};

/** One sentence for each Pod outside of its Node's ranges, each pair of Nodes whose ranges overlap, each address given twice. */
export function podAddressProblems(pods: readonly AddressedPod[], nodes: readonly PodCIDRs[]): string[] {
  return [
    ...nodes.flatMap(({ problems }) => problems),
    ...overlapping(nodes),
    ...pods.flatMap((pod) => outside(pod, nodes)),
    ...shared(pods),
  ];
}

function outside({ name, nodeName, podIPs }: AddressedPod, nodes: readonly PodCIDRs[]): string[] {
  if (podIPs.length === 0) return [`Pod ${name} on ${nodeName} has no address`];
  const node = nodes.find((candidate) => candidate.nodeName === nodeName);
  if (node === undefined) return [`Pod ${name} is on ${nodeName}, of which no Pod CIDR was looked up`];
  return podIPs
    .filter((ip) => judged(ip, node.cidrs) && !node.cidrs.some((cidr) => containsAddress(cidr, ip)))
    .map((ip) => {
      const owner = nodes.find(({ cidrs }) => cidrs.some((cidr) => containsAddress(cidr, ip)));
      const whose = owner === undefined ? "" : `; that address belongs to ${owner.nodeName}`;
      return `Pod ${name} on ${nodeName} has ${ip}, expected an address in ${node.cidrs.join(", ")} (${node.source})${whose}`;
    });
}

/** A second address family that the sources are silent about is not judged. */
const judged = (ip: string, cidrs: readonly string[]): boolean => cidrs.some((cidr) => (familyOf(cidr) === 6) === ip.includes(":"));

function overlapping(nodes: readonly PodCIDRs[]): string[] {
  const ranges = nodes.flatMap(({ nodeName, cidrs, source }) => cidrs.map((cidr) => ({ nodeName, cidr, source })));
  return ranges.flatMap((one, index) =>
    ranges
      .slice(index + 1)
      .filter((other) => other.nodeName !== one.nodeName && overlaps(one.cidr, other.cidr))
      .map(
        (other) =>
          `${one.nodeName} has the Pod CIDR ${one.cidr} (${one.source}), which overlaps ${other.cidr} of ${other.nodeName} (${other.source})`,
      ),
  );
}

function shared(pods: readonly AddressedPod[]): string[] {
  const holders = Map.groupBy(
    pods.flatMap(({ name, nodeName, podIPs }) => podIPs.map((ip) => ({ ip: normaliseAddress(ip) ?? ip, pod: `${name} on ${nodeName}` }))),
    ({ ip }) => ip,
  );
  return [...holders]
    .filter(([, those]) => those.length > 1)
    .map(([ip, those]) => `${those.length} Pods have the address ${ip}: ${those.map(({ pod }) => pod).join(", ")}`);
}
