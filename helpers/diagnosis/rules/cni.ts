/**
 * Pods that get no network when they start.
 */
import { gettingPods, guide, overPodNetwork } from "../checks.ts";
import type { Evidence, Rule } from "../model.ts";
import { addressesOn, cniFilesOf, cniOf, firstOf, hasAnswered, linesOf, section, shortened, workersOf } from "../reading.ts";
import { onItsNode, saidOf, told } from "../saying.ts";

const explains = [...gettingPods, "nodes-ready", "pods-spread"];

/** The containerd of a Node says that it has no network for Pods. */
const withoutNetwork = (evidence: Evidence, message: string) =>
  saidOf(evidence, { check: "", message }, /network info for sandbox|no network config|NetworkPluginNotReady|cni plugin not initialized/) ??
  evidence.api.nodes
    .map(({ name, ready }) => ({ host: name, line: `Node ${name}: ${ready}` }))
    .find(({ line }) => /cni|NetworkPlugin/i.test(line));

export const cniRules: readonly Rule[] = [
  {
    id: "cni-file-missing",
    explains,
    guide: guide.workers,
    find: (evidence, { message }) => {
      const line = withoutNetwork(evidence, message)?.line;
      if (line === undefined) return undefined;
      return firstOf(workersOf(evidence), (host) => {
        const names = cniFilesOf(evidence, host).map(({ path }) => path.replace(/.*\//, ""));
        const type = cniOf(evidence, host)?.type;
        if (section(evidence, host, "units") === "" || !hasAnswered(evidence, host, "units", "cni-files")) return undefined;
        if (type !== undefined && type !== "loopback") return undefined;
        const what =
          names.length === 0 ? `/etc/cni/net.d on ${host} is empty` : `/etc/cni/net.d on ${host} holds ${names.join(", ")} alone`;
        return {
          what: `${what}, so that containerd has no network for Pods`,
          seen: shortened(line),
          mend: `put 10-bridge.conf, with the Pod subnet of ${host}, into /etc/cni/net.d there`,
        };
      });
    },
  },
  told({
    id: "cni-plugin-missing",
    explains,
    guide: guide.workers,
    pattern: /failed to find plugin "([^"]+)" in path \[([^\]]*)\]/,
    what: ({ found: [plugin, folder], where }) => `the CNI plugin ${plugin} is missing from ${folder}${where}`,
    mend: ({ found: [plugin, folder], host }) => `copy ${plugin} of the CNI plugins to ${folder} on ${host || "the Node"}`,
  }),
  told({
    id: "cni-versions-differ",
    explains,
    guide: guide.workers,
    pattern: /incompatible CNI versions; ?(.*)/,
    what: ({ found: [reason], where }) => `CNI file and plugins do not fit each other${where}: ${reason}`,
    mend: () => "install CNI plugins of the version that the guide names",
  }),
  told({
    id: "cni-subnet-not-filled-in",
    explains: [...explains, "pod-cidr"],
    guide: guide.workers,
    pattern: /invalid CIDR address: ?"?(\w*)|says subnet "([^"]*)", expected an address range/,
    what: ({ where }) => `the CNI file${where} has a placeholder where the Pod subnet should be`,
    mend: (said) => onItsNode(said, "grep subnet /etc/cni/net.d/10-bridge.conf  # write the Node's Pod subnet there"),
  }),
  {
    id: "bridge-without-gateway",
    explains: [...gettingPods, "pods-on-bridge", ...overPodNetwork],
    guide: guide.workers,
    find: (evidence, failure) => {
      const event = saidOf(evidence, failure, /"?(\w+)"? already has an IP address different from (\S+)/);
      return firstOf(workersOf(evidence), (host) => {
        const cni = cniOf(evidence, host);
        if (cni?.bridge === undefined || !cni.isGateway) return undefined;
        const own = addressesOn(evidence, host).filter(({ device, address }) => device === cni.bridge && !address.includes(":"));
        const missing = cni.ipam.gateways.find((gateway) => !gateway.includes(":") && !own.some(({ address }) => address === gateway));
        const addresses = own.map(({ line }) => line);
        const isThere = linesOf(evidence, host, "links").some((line) => line.includes(` ${cni.bridge}: `));
        if (missing === undefined || !isThere || !hasAnswered(evidence, host, "addresses")) return undefined;
        return {
          what: `the bridge ${cni.bridge} on ${host} has not the address ${missing}, the gateway of ${cni.file}: ${addresses.length > 0 ? `it has ${addresses.map((line) => line.split(" ")[1]).join(", ")}` : "it has none"}`,
          seen: event?.line ?? `${host}: ip addr: ${addresses.join(", ") || `${cni.bridge} has none`}`,
          mend: `ssh ${host} ip link delete ${cni.bridge}`,
        };
      });
    },
  },
  told({
    id: "pod-addresses-exhausted",
    explains,
    guide: guide.workers,
    pattern: /no IP addresses available in range set: ?(.*)/,
    what: ({ where }) => `the Pod subnet${where} has no address left`,
    mend: (said) => onItsNode(said, "ls /var/lib/cni/networks/bridge  # remove the files of Pods that are gone"),
  }),
  told({
    id: "cgroup-drivers-differ",
    explains: [...explains, "no-restarts"],
    guide: guide.workers,
    pattern: /expected cgroupsPath to be of format/,
    what: ({ where }) => `kubelet and containerd${where} do not have the same cgroup driver`,
    mend: () => "cgroupDriver: systemd for the kubelet, SystemdCgroup = true for containerd",
  }),
  told({
    id: "sandbox-not-created",
    explains: gettingPods,
    guide: guide.workers,
    pattern: /FailedCreatePodSandBox, (.*)/,
    what: ({ where, found: [reason = ""] }) =>
      `containerd${where} cannot create the Pod's sandbox: ${shortened(reason.replace(/^.*desc = /, ""), 0, 160)}`,
    mend: (said) => onItsNode(said, "journalctl -u containerd -n 50"),
  }),
];
