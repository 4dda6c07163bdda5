import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { judgeRoute, parseRoute, readRoute, routeCommand } from "./pod-route.ts";
import { openHost } from "./ssh.ts";
import { startTestServer } from "./ssh-test-server.ts";

const recorded = readFileSync(join(import.meta.dirname, "recorded/ip-route-get.txt"), "utf8");
const expectation = {
  hostName: "server",
  pod: { name: "nginx", nodeName: "node-1", podIP: "10.200.1.3" },
  nodeAddresses: { "node-0": ["10.101.17.20"], "node-1": ["10.101.17.21", "fd00::21"] },
};

test("a recorded route leads to the Pod's Node", () => {
  const route = parseRoute(recorded);
  expect(route).toEqual({ dst: "10.200.1.3", dev: "eth0", gateway: "10.101.17.21" });
  expect(judgeRoute(route, expectation)).toEqual({});
});

test.for([
  [
    "another Node",
    { gateway: "10.101.17.20" },
    "problem",
    "server: its route to 10.200.1.3 (Pod nginx on node-1) goes via 10.101.17.20, which is node-0, expected 10.101.17.21 or fd00::21",
  ],
  ["a router", { gateway: "10.101.17.1" }, "note", /via 10\.101\.17\.1 out of eth0, which is no Node's address/],
  ["the far end of Flannel's tunnel", { gateway: "10.200.1.0", dev: "flannel.1" }, "note", /via 10\.200\.1\.0 out of flannel\.1/],
  ["Cilium's own device", { gateway: "10.200.0.87", dev: "cilium_host" }, "note", /via 10\.200\.0\.87 out of cilium_host/],
  ["nowhere", { type: "unreachable" }, "problem", /its route to .* is unreachable/],
  ["an overlay", { dev: "flannel.1" }, "note", /goes out of flannel\.1 without a next hop/],
  ["itself", { dev: "lo", type: "local" }, "note", /goes out of lo without a next hop/],
] as const)("a route to %s", ([, route, kind, expected]) => {
  const verdict = judgeRoute({ dst: "10.200.1.3", dev: "eth0", ...route }, expectation);
  expect(Object.keys(verdict)).toEqual([kind]);
  expect(verdict[kind]).toMatch(expected);
});

test("an IPv4 route over IPv6 is told by via, and addresses are compared by value", () => {
  const route = parseRoute(
    '[{"dst":"10.200.1.3","via":{"family":"inet6","host":"FD00:0::21"},"dev":"eth0","flags":[],"uid":0,"cache":[]}]',
  );
  expect(judgeRoute(route, expectation)).toEqual({});
});

test("only an address becomes part of a command", () => {
  expect(routeCommand("fd00:0::1")).toBe("ip -j route get fd00::1");
  expect(() => routeCommand("10.0.0.1; reboot")).toThrow(RangeError);
});

test("a host without a route says so, and one without iproute2 cannot be asked", async () => {
  const ip =
    '#!/bin/sh\ncase $5$4 in 10.200.0.*) echo "RTNETLINK answers: Network is unreachable" >&2; exit 2 ;; 10.200.1.*) echo "not json" ;; *) exit 127 ;; esac\n';
  await using server = await startTestServer({ executables: { ip } });
  const host = await openHost(server.target);
  expect(await readRoute(host, "10.200.0.9")).toEqual({ dst: "10.200.0.9", dev: "", type: "unreachable" });
  await expect(readRoute(host, "10.200.1.9")).rejects.toThrow(
    /node-0: the answer to "ip -j route get 10\.200\.1\.9" could not be read \(.*\): not json/,
  );
  await expect(readRoute(host, "10.200.2.9")).rejects.toThrow(/exited 127, expected 0/);
  await host.close();
});
