/**
 * The lab's network: a namespace a host, a bridge in a namespace of its own, and one veth pair to this machine.
 */
import { hostsOf } from "./topology.ts";
import type { Instance } from "./instance.ts";
import { lines, run, succeeds } from "./run.ts";

const inNamespace = (namespace: string, ...command: readonly string[]): [string, ...string[]] => [
  "ip",
  "netns",
  "exec",
  namespace,
  ...command,
];
const batch = (namespace: string, ...commands: readonly string[]): Promise<string> =>
  run(["ip", "-n", namespace, "-batch", "-"], { input: lines(...commands) });

/** Creates all of it anew; what an interrupted attempt left is removed first. */
export async function createNetwork(instance: Instance): Promise<void> {
  await removeNetwork(instance);
  const bridge = instance.namespaceOf();
  await run(["ip", "netns", "add", bridge]);
  await run(["ip", "link", "add", instance.link, "type", "veth", "peer", "name", "machine", "netns", bridge]);
  await run(["ip", "-batch", "-"], {
    input: lines(`address add ${instance.topology.gateway}/24 dev ${instance.link}`, `link set ${instance.link} up`),
  });
  await batch(bridge, "link set lo up", "link add br0 type bridge", "link set br0 up", "link set machine master br0 up");
  for (const [index, host] of hostsOf(instance.topology).entries()) await connectHost(instance, host, index);
}

async function connectHost(instance: Instance, host: { name: string; address: string }, index: number): Promise<void> {
  const namespace = instance.namespaceOf(host.name);
  const { topology } = instance;
  await run(["ip", "netns", "add", namespace]);
  await run([
    "ip",
    "-n",
    instance.namespaceOf(),
    "link",
    "add",
    `host-${index}`,
    "type",
    "veth",
    "peer",
    "name",
    "eth0",
    "netns",
    namespace,
  ]);
  await batch(instance.namespaceOf(), `link set host-${index} master br0 up`);
  // The static routes of the guide's chapter on Pod network routes: to every worker's Pods by way of that worker.
  const routes = topology.workers
    .filter(({ name }) => name !== host.name)
    .map(({ podCIDR, address }) => `route add ${podCIDR} via ${address}`);
  await batch(
    namespace,
    "link set lo up",
    `address add ${host.address}/24 dev eth0`,
    "link set eth0 up",
    // kubelet and kube-proxy find their own address by the default route. The machine forwards nothing, so it leads nowhere.
    `route add default via ${topology.gateway}`,
    ...routes,
  );
  // Deviation: the guide leaves ip_forward to the CNI plugin, which sets it with a Node's first Pod; until then NodePorts through that
  // Node time out.
  await run(inNamespace(namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1"));
}

/** Deletes namespaces and link; deleting one end of a veth pair deletes the other. */
export async function removeNetwork(instance: Instance): Promise<void> {
  const prefix = instance.namespaceOf("");
  const listed = JSON.parse((await run(["ip", "-j", "netns", "list"])) || "[]") as { name: string }[];
  await succeeds(["ip", "link", "delete", instance.link]);
  for (const { name } of listed.filter((namespace) => namespace.name.startsWith(prefix))) await run(["ip", "netns", "delete", name]);
}

/** Addresses and routes of this machine that the instance's subnet would collide with; the instance's own link does not count. */
export async function collisions(instance: Instance): Promise<string[]> {
  type Address = { ifname: string; addr_info: { local: string; prefixlen: number; family: string }[] };
  type Route = { dst: string; dev?: string };
  const addresses = JSON.parse(await run(["ip", "-j", "-4", "address"])) as Address[];
  const routes = JSON.parse(await run(["ip", "-j", "-4", "route"])) as Route[];
  const foreign = [
    ...addresses.flatMap(({ ifname, addr_info }) =>
      addr_info.map(({ local, prefixlen }) => ({
        dev: ifname,
        range: `${local}/${prefixlen}`,
        what: `address ${local}/${prefixlen} of ${ifname}`,
      })),
    ),
    ...routes.filter(({ dst }) => dst !== "default").map(({ dst, dev = "" }) => ({ dev, range: dst, what: `route to ${dst} by ${dev}` })),
  ];
  return foreign.filter(({ dev, range }) => dev !== instance.link && overlap(range, instance.topology.subnet)).map(({ what }) => what);
}

/** Whether two IPv4 ranges share an address. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [boundsOf(one), boundsOf(other)];
  return a.first <= b.last && b.first <= a.last;
}

function boundsOf(range: string): { first: number; last: number } {
  const [address = "", length = "32"] = range.split("/");
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(number / size) * size;
  return { first, last: first + size - 1 };
}
