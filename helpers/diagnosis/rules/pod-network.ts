/**
 * The way of a packet from a host to a Pod: subnets, bridges, veths, forwarding.
 */
import { overlaps } from "../../cidr.ts";
import { guide, overPodNetwork } from "../checks.ts";
import type { Evidence, Finding, Rule } from "../model.ts";
import { cniFilesOf, cniOf, firstOf, hostsOf, lineOnFirst, linesOf, ownDevice, podSubnetsOf, workersOf } from "../reading.ts";
import { routeRules, routerRules } from "./routes.ts";
import { wayTo } from "../routes-seen.ts";

const explains = [...overPodNetwork, "pods-on-bridge"];

/** Whether a Node gives only a part of its subnet, so that another may give the rest. */
const givesPart = (evidence: Evidence, host: string): boolean =>
  cniFilesOf(evidence, host).some(({ path, text }) => path === cniOf(evidence, host)?.file && text.includes('"rangeStart"'));

const sameSubnet: Rule = {
  id: "pod-subnets-overlap",
  explains: [...explains, "pod-cidr"],
  guide: guide.workers,
  find: (evidence) => {
    const hosts = workersOf(evidence).filter((host) => !givesPart(evidence, host));
    const all = hosts.flatMap((host) => podSubnetsOf(evidence, host).map((subnet) => ({ host, subnet })));
    for (const [index, one] of all.entries()) {
      const other = all.slice(index + 1).find(({ host, subnet }) => host !== one.host && overlaps(one.subnet, subnet));
      if (other !== undefined) {
        const where = `${cniOf(evidence, one.host)?.file}`;
        return {
          what: `${one.host} and ${other.host} have the same Pod subnet, ${other.subnet}`,
          seen: `${one.host}: ${where}: ${one.subnet}; ${other.host}: ${where}: ${other.subnet}`,
          mend: `give ${other.host} a subnet of its own in ${where}, then ssh ${other.host} ip link delete ${cniOf(evidence, other.host)?.bridge}`,
        };
      }
    }
    return undefined;
  },
};

const declared: Rule = {
  id: "declared-pod-cidr-differs",
  explains: ["pod-cidr"],
  guide: guide.machines,
  find: (evidence) =>
    firstOf(workersOf(evidence), (host) => {
      const [subnets, given] = [podSubnetsOf(evidence, host), evidence.given.podCIDRs[host] ?? []];
      const ofAPI = evidence.api.nodes.find(({ name }) => name === host)?.podCIDRs ?? [];
      const file = cniOf(evidence, host)?.file ?? "";
      const differs = (cidrs: readonly string[]): boolean =>
        cidrs.length > 0 && subnets.length > 0 && !cidrs.some((cidr) => subnets.includes(cidr));
      const [who, says] = differs(given) ? ["SMOKE_POD_CIDRS", given] : ["spec.podCIDRs", ofAPI];
      if (!differs(says)) return undefined;
      return {
        what: `the Pod CIDR of ${host} is ${says.join(", ")} by ${who}, but ${subnets.join(", ")} by ${file}`,
        seen: `${host}: ${file}: subnet ${subnets.join(", ")}`,
        mend: `set ${who} right, or ${file} on ${host}`,
      };
    }),
};

/** The Pods' veths as the CNI plugin bridge names them: `12: veth1a2b3c4d@if2: <...> mtu 1500 ... master cni0 ...`. */
const veths = (evidence: Evidence, host: string) =>
  linesOf(evidence, host, "links").flatMap((line) => {
    const [, name, flags, rest] = /^\d+: (veth[0-9a-f]{8})@\S+: <([^>]*)> (.*)$/.exec(line) ?? [];
    const master = / master (\S+)/.exec(rest ?? "")?.[1];
    return name === undefined || flags === undefined
      ? []
      : [{ name, up: flags.split(",").includes("UP"), master, line: line.slice(0, 160) }];
  });

type Veth = ReturnType<typeof veths>[number];

/**
 * Containers that are no Pods have veths of such names as well, on bridges of their own, as nerdctl's and Docker's. One on another bridge
 * can be a Pod's only where the bridge of the Pods lacks one.
 */
function mayBeOfPod(evidence: Evidence, host: string, { master }: Veth, bridge: string): boolean {
  if (master === undefined || master === bridge) return true;
  const pods = evidence.api.pods.filter(({ nodeName, podIP, isTerminating }) => nodeName === host && podIP !== "" && !isTerminating);
  return veths(evidence, host).filter((veth) => veth.master === bridge).length < pods.length;
}

const ofVeth = (
  id: string,
  isWrong: (veth: Veth, bridge: string) => boolean,
  tell: (veth: Veth, host: string, bridge: string) => Omit<Finding, "seen">,
): Rule => ({
  id,
  explains,
  guide: guide.workers,
  find: (evidence) =>
    firstOf(workersOf(evidence), (host) => {
      const bridge = cniOf(evidence, host)?.bridge;
      const veth =
        bridge === undefined
          ? undefined
          : veths(evidence, host).find((each) => isWrong(each, bridge) && mayBeOfPod(evidence, host, each, bridge));
      return veth && { ...tell(veth, host, bridge ?? ""), seen: `${host}: ip link: ${veth.line}` };
    }),
});

const forwardingOff: Rule = {
  id: "forwarding-off",
  explains: overPodNetwork,
  guide: guide.workers,
  find: (evidence) =>
    firstOf(workersOf(evidence), (host) => {
      const line = [ownDevice(evidence, host), cniOf(evidence, host)?.bridge]
        .flatMap((name) =>
          linesOf(evidence, host, "forwarding").filter((candidate) => candidate === `/proc/sys/net/ipv4/conf/${name}/forwarding:0`),
        )
        .at(0);
      if (line === undefined) return undefined;
      const name = line.split("/")[6] ?? "";
      const everywhere = linesOf(evidence, host, "forwarding").includes("/proc/sys/net/ipv4/ip_forward:0");
      const setting = everywhere ? "net.ipv4.ip_forward" : `net.ipv4.conf.${name}.forwarding`;
      return {
        what: `${host} does not forward packets: ${setting} is 0`,
        seen: `${host}: ${line}`,
        mend: `ssh ${host} sysctl -w ${setting}=1`,
      };
    }),
};

/** The interfaces by which a host sends to Nodes and Pods. */
const devicesOf = (evidence: Evidence, host: string): string[] =>
  [...evidence.api.nodes.map(({ internalIP }) => internalIP), ...evidence.api.pods.map(({ podIP }) => podIP)]
    .filter((address) => address !== "")
    .flatMap((address) => wayTo(evidence, host, address)?.device ?? []);

/** Queues that are there to delay and lose. The others, such as tbf, shape a line, or a Pod that has a bandwidth of its own. */
const queueing: Rule = {
  id: "packets-lost-in-queue",
  explains: overPodNetwork,
  guide: guide.workers,
  find: (evidence) =>
    firstOf(hostsOf(evidence), (host) => {
      const devices = devicesOf(evidence, host);
      const line = linesOf(evidence, host, "queueing").find((one) => devices.includes(/ netem .* dev (\S+)/.exec(one)?.[1] ?? ""));
      if (line === undefined) return undefined;
      return {
        what: `${host} delays or loses packets on purpose`,
        seen: `${host}: tc qdisc: ${line}`,
        mend: `ssh ${host} tc qdisc del dev ${/ dev (\S+)/.exec(line)?.[1]} ${/ (root|parent \S+)/.exec(line)?.[1]}`,
      };
    }),
};

export const podNetworkRules: readonly Rule[] = [
  sameSubnet,
  declared,
  ofVeth(
    "veth-down",
    ({ up }) => !up,
    ({ name }, host) => ({ what: `${name}, the veth of a Pod on ${host}, is down`, mend: `ssh ${host} ip link set ${name} up` }),
  ),
  ofVeth(
    "veth-off-its-bridge",
    ({ master }, bridge) => master !== bridge,
    ({ name, master }, host, bridge) => ({
      what: `${name}, the veth of a Pod on ${host}, is on ${master ?? "no bridge"}, and not on ${bridge}`,
      mend: `ssh ${host} ip link set ${name} master ${bridge}`,
    }),
  ),
  forwardingOff,
  ...routeRules,
  queueing,
];

/** A Pod that its own Node does not hear either. */
export const podRules: readonly Rule[] = [
  {
    id: "pod-silent",
    explains: [...overPodNetwork, "port-forward", "logs-recorded", "logs-followed"],
    guide: guide.smokeTest,
    find: (evidence) =>
      lineOnFirst(
        evidence,
        { hosts: workersOf(evidence), name: "pods", matches: (line) => / exit=(7|28|52|56) /.test(line) },
        (host, line) => {
          const [name = ""] = line.split(" ", 1);
          return {
            what: `Pod ${name} on ${host} does not answer, not even to its own Node`,
            seen: `${host}: curl the Pod: ${line}`,
            mend: `kubectl -n ${evidence.given.namespace} describe pod ${name}`,
          };
        },
      ),
  },
  ...routerRules,
];
