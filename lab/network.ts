/**
 * The lab's network: a namespace a host, a bridge in a namespace of its own, and one veth pair to this machine.
 */
import { existsSync, readdirSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { overlaps } from "../helpers/cidr.ts";
import type { Instance } from "./instance.ts";
import { lines, run, succeeds } from "./run.ts";
import { hostsOf } from "./topology.ts";

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
  await run(["ip", "netns", "exec", namespace, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
}

/** Deletes namespaces and link; deleting one end of a veth pair deletes the other. */
export async function removeNetwork(instance: Instance): Promise<void> {
  const prefix = instance.namespaceOf("");
  const listed = JSON.parse((await run(["ip", "-j", "netns", "list"])) || "[]") as { name: string }[];
  await succeeds(["ip", "link", "delete", instance.link]);
  for (const { name } of listed.filter((namespace) => namespace.name.startsWith(prefix))) await run(["ip", "netns", "delete", name]);
  await removeNamespaceFolder();
}

const namespaceFolder = "/run/netns";

/** `ip` mounts this folder with a machine's first namespace, and leaves it mounted when the last one goes. */
async function removeNamespaceFolder(): Promise<void> {
  if (!existsSync(namespaceFolder) || readdirSync(namespaceFolder).length > 0) return;
  await succeeds(["umount", namespaceFolder]);
  await rmdir(namespaceFolder);
}

type Address = { ifname: string; addr_info: { local: string; prefixlen: number }[] };
/** `ip` leaves out the type of a unicast route, and the table of one in `main`. */
type Route = { dst: string; dev?: string; type?: string; table?: string };

/** Addresses and routes of this machine that the instance's subnet would collide with. A VPN may have a table of routes of its own. */
export async function collisions(instance: Instance): Promise<string[]> {
  const addresses = JSON.parse(await run(["ip", "-json", "-4", "address"])) as Address[];
  const routes = JSON.parse(await run(["ip", "-json", "-4", "route", "show", "table", "all"])) as Route[];
  return collisionsAmong(instance, addresses, routes);
}

/** The same, given what `ip` has listed; the instance's own link does not count. */
export function collisionsAmong({ link, topology }: Instance, addresses: readonly Address[], routes: readonly Route[]): string[] {
  const found = [
    ...addresses.flatMap(({ ifname, addr_info }) =>
      addr_info.map(({ local, prefixlen }) => ({
        dev: ifname,
        range: `${local}/${prefixlen}`,
        what: `address ${local}/${prefixlen} of ${ifname}`,
      })),
    ),
    ...routes
      // The kernel keeps a local and a broadcast route for each address, and the addresses are looked at by themselves.
      .filter(({ dst, type }) => dst !== "default" && type !== "local" && type !== "broadcast")
      .map(({ dst, dev, table }) => ({
        dev,
        // `ip` writes a route to a single address without its length.
        range: dst.includes("/") ? dst : `${dst}/32`,
        what: `route to ${dst}${dev ? ` by ${dev}` : ""}${table ? ` in table ${table}` : ""}`,
      })),
  ];
  return found.filter(({ dev, range }) => dev !== link && overlaps(range, topology.subnet)).map(({ what }) => what);
}
