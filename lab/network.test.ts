import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { instanceOf } from "./instance.ts";
import { collisions, collisionsAmong } from "./network.ts";

const instance = instanceOf({ name: "test", subnet: "10.91.7.0/24", workers: 1 });
const address = (ifname: string, local: string, prefixlen: number) => ({ ifname, addr_info: [{ local, prefixlen }] });

test.for([
  ["the same network", "10.91.7.1", 24],
  ["an address in it", "10.91.7.200", 32],
  ["a larger network around it", "10.91.6.129", 23],
  ["a network so large that it holds it", "10.1.2.3", 8],
] as const)("%s is a collision, and is named", ([_what, local, prefixlen]) => {
  expect(collisionsAmong(instance, [address("eth1", local, prefixlen)], [])).toEqual([`address ${local}/${prefixlen} of eth1`]);
});

test.for([
  ["10.91.7.0/24", "eth1", "route to 10.91.7.0/24 by eth1"],
  ["10.91.7.77", "eth1", "route to 10.91.7.77 by eth1"],
  ["0.0.0.0/1", "tun0", "route to 0.0.0.0/1 by tun0"],
  // A blackhole has no device.
  ["10.88.0.0/13", undefined, "route to 10.88.0.0/13"],
] as const)("a route to %s by %s is a collision, and is named", ([dst, dev, named]) => {
  expect(collisionsAmong(instance, [], [{ dst, ...(dev && { dev }) }])).toEqual([named]);
});

test.for([
  ["the table of a VPN", { dst: "10.91.0.0/16", dev: "wg0", table: "51820" }, "route to 10.91.0.0/16 by wg0 in table 51820"],
  ["a table with a name", { type: "blackhole", dst: "10.91.7.0/24", table: "default" }, "route to 10.91.7.0/24 in table default"],
] as const)("a route in %s is a collision as well, and is named with its table", ([_what, route, named]) => {
  expect(collisionsAmong(instance, [], [route])).toEqual([named]);
});

test("what the kernel keeps of an address counts with the address, and not once more", () => {
  const kept = { dev: "eth1", table: "local" };
  const routes = [
    { ...kept, type: "local", dst: "10.91.7.1" },
    { ...kept, type: "broadcast", dst: "10.91.7.255" },
  ];
  expect(collisionsAmong(instance, [address("eth1", "10.91.7.1", 24)], routes)).toEqual(["address 10.91.7.1/24 of eth1"]);
});

/** Stands in for `ip` on a machine whose VPN has a table of its own. */
const ip = `#!/bin/sh
case "$*" in
  "-json -4 address") echo '[{"ifname":"eth0","addr_info":[{"local":"192.0.2.2","prefixlen":24}]}]' ;;
  *"table all"*) echo '[{"dst":"default","dev":"eth0"},{"dst":"10.91.0.0/16","dev":"wg0","table":"51820"}]' ;;
  *) echo '[{"dst":"default","dev":"eth0"}]' ;;
esac`;

test("the machine is asked for the routes of all of its tables", async () => {
  const tools = mkdtempSync(join(tmpdir(), "lab-tools-"));
  writeFileSync(join(tools, "ip"), ip, { mode: 0o755 });
  vi.stubEnv("PATH", `${tools}:${process.env["PATH"]}`);
  const found = await collisions(instance).finally(() => {
    vi.unstubAllEnvs();
    rmSync(tools, { recursive: true });
  });

  expect(found).toEqual(["route to 10.91.0.0/16 by wg0 in table 51820"]);
});

test("neighbours, the default route and the instance's own link are none", () => {
  const addresses = [
    address("lo", "127.0.0.1", 8),
    address("eth0", "192.0.2.2", 24),
    address("eth1", "10.91.6.1", 24),
    address("hwl-test", "10.91.7.1", 24),
  ];
  const routes = [
    { dst: "default", dev: "eth0" },
    { dst: "10.91.8.0/24", dev: "eth1" },
    { dst: "128.0.0.0/1", dev: "tun0" },
    { dst: "10.91.7.0/24", dev: "hwl-test" },
  ];
  expect(collisionsAmong(instance, addresses, routes)).toEqual([]);
});

test("every collision is named", () => {
  const found = collisionsAmong(instance, [address("hwl-other", "10.91.7.1", 24)], [{ dst: "10.91.7.0/24", dev: "hwl-other" }]);
  expect(found).toEqual(["address 10.91.7.1/24 of hwl-other", "route to 10.91.7.0/24 by hwl-other"]);
});
