import { expect, test } from "vitest";
import { instanceOf } from "./instance.ts";
import { collisionsAmong } from "./network.ts";

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
