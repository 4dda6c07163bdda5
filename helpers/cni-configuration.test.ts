import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { cniConfigurationOf, cniFilesCommand, eachCNIFile, parseCNIFiles } from "./cni-configuration.ts";

const file = (name: string, content: unknown) => ({
  path: `/etc/cni/net.d/${name}`,
  text: typeof content === "string" ? content : JSON.stringify(content),
});
const bridge = (ipam: unknown = { type: "host-local", ranges: [[{ subnet: "10.200.0.0/24" }]], routes: [{ dst: "0.0.0.0/0" }] }) => ({
  cniVersion: "1.0.0",
  name: "bridge",
  type: "bridge",
  bridge: "cni0",
  isGateway: true,
  ipMasq: true,
  ipam,
});
const loopback = { cniVersion: "1.1.0", name: "lo", type: "loopback" };

test("the guide's file", () => {
  expect(cniConfigurationOf([file("99-loopback.conf", loopback), file("10-bridge.conf", bridge())])).toEqual({
    file: "/etc/cni/net.d/10-bridge.conf",
    name: "bridge",
    type: "bridge",
    bridge: "cni0",
    isGateway: true,
    ipam: { type: "host-local", subnets: ["10.200.0.0/24"], gateways: ["10.200.0.1"], usesPodCIDRs: false },
  });
});

test.for([
  [
    "the first by name",
    [file("10-bridge.conf", bridge()), file("05-cilium.conflist", { name: "cilium", plugins: [{ type: "cilium-cni" }] })],
    "cilium-cni",
  ],
  ["not one that is no JSON", [file("05-broken.conf", "{"), file("10-bridge.conf", bridge())], "bridge"],
  ["not one without a type", [file("05-list.conf", { name: "list", plugins: [loopback] }), file("10-bridge.conf", bridge())], "bridge"],
  ["not an empty list", [file("05-list.conflist", { name: "list", plugins: [] }), file("10-bridge.conf", bridge())], "bridge"],
  ["not one of another ending", [file("05-bridge.conf.bak", loopback), file("10-bridge.json", bridge())], "bridge"],
  ["upper case before lower", [file("a.conf", loopback), file("B.conf", bridge())], "bridge"],
] as const)("of several files, %s", ([, files, type]) => {
  expect(cniConfigurationOf(files)?.type).toBe(type);
});

test("no valid file", () => {
  expect(cniConfigurationOf([])).toBeUndefined();
  expect(cniConfigurationOf([file("10-bridge.conf", "")])).toBeUndefined();
});

test.for([
  ["ipam.subnet", { type: "host-local", subnet: "10.22.0.9/16" }, ["10.22.0.0/16"], ["10.22.0.1"], false],
  [
    "a gateway of its own",
    { type: "host-local", ranges: [[{ subnet: "10.22.0.0/16", gateway: "10.22.255.254" }]] },
    ["10.22.0.0/16"],
    ["10.22.255.254"],
    false,
  ],
  [
    "two families",
    { type: "host-local", ranges: [[{ subnet: "10.1.0.0/24" }], [{ subnet: "FD00::/64" }]] },
    ["10.1.0.0/24", "fd00::/64"],
    ["10.1.0.1", "fd00::1"],
    false,
  ],
  [
    "two ranges of a set",
    { type: "host-local", ranges: [[{ subnet: "10.1.0.0/25" }, { subnet: "10.2.0.0/25" }]] },
    ["10.1.0.0/25", "10.2.0.0/25"],
    ["10.1.0.1", "10.2.0.1"],
    false,
  ],
  ["usePodCidr", { type: "host-local", subnet: "usePodCidr" }, [], [], true],
  ["usePodCidr in ranges", { type: "host-local", ranges: [[{ subnet: "usePodCidr" }], [{ subnet: "usePodCidrIPv6" }]] }, [], [], true],
  ["another IPAM", { type: "calico-ipam" }, [], [], false],
] as const)("IPAM: %s", ([, ipam, subnets, gateways, usesPodCIDRs]) => {
  expect(cniConfigurationOf([file("10-bridge.conf", bridge(ipam))])?.ipam).toEqual({ type: ipam.type, subnets, gateways, usesPodCIDRs });
});

test("the first plugin of a list makes the interface; flannel takes its range from the Node", () => {
  const flannel = {
    name: "cbr0",
    cniVersion: "0.3.1",
    plugins: [{ type: "flannel", delegate: { hairpinMode: true } }, { type: "portmap" }],
  };
  expect(cniConfigurationOf([file("10-flannel.conflist", flannel)])).toMatchObject({
    type: "flannel",
    isGateway: false,
    ipam: { type: "", usesPodCIDRs: true },
  });
});

test("a bridge without a name is cni0, and a default gateway is a gateway", () => {
  expect(cniConfigurationOf([file("10.conf", { name: "x", type: "bridge", isDefaultGateway: true })])).toMatchObject({
    bridge: "cni0",
    isGateway: true,
  });
});

test("a placeholder that was never filled in is the cluster's fault", () => {
  const text = JSON.stringify(bridge({ type: "host-local", ranges: [[{ subnet: "SUBNET" }]] }));
  expect(() => cniConfigurationOf([file("10-bridge.conf", text)])).toThrow(
    expect.objectContaining({
      name: "ConformanceError",
      message: expect.stringMatching(/10-bridge\.conf says subnet "SUBNET", expected an address range/) as string,
    }),
  );
});

test("files come with their paths and bytes", () => {
  const base64 = Buffer.from('{\n "name": "é"\n}\n').toString("base64");
  expect(parseCNIFiles(`/etc/cni/net.d/10-bridge.conf ${base64}\n/etc/cni/net.d/my net.conf \n\n`)).toEqual([
    { path: "/etc/cni/net.d/10-bridge.conf", text: '{\n "name": "é"\n}\n' },
    { path: "/etc/cni/net.d/my net.conf", text: "" },
  ]);
});

test.for([
  ["in its own folder, whatever lies in the usual one", ["k3s/10-flannel.conflist", "etc/87-podman.conflist"], ["k3s/10-flannel.conflist"]],
  [
    "in the usual folder, where its own holds no CNI file",
    ["k3s/.kubeconfig", "etc/10.conf", "etc/my net.conf", "etc/11.conflist", "etc/12.json", "etc/13.bak"],
    ["etc/10.conf", "etc/my net.conf", "etc/11.conflist", "etc/12.json"],
  ],
  ["nowhere", [], []],
] as const)("the files of k3s are read %s", ([, files, expected]) => {
  const folder = mkdtempSync(join(tmpdir(), "cni-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const folders = ["k3s", "etc"].map((name) => join(folder, name));
  for (const path of folders) mkdirSync(path);
  for (const path of files) writeFileSync(join(folder, path), "{\n}\n");
  const printed = execFileSync("sh", ["-e", "-c", eachCNIFile(`tr -d '\\n' <"$file"`, folders.join(" "))], { encoding: "utf8" });
  expect(printed).toBe(expected.map((path) => `${join(folder, path)} {}\n`).join(""));
});

test("where the containerd of k3s runs, its folder comes before the usual one", () => {
  expect(cniFilesCommand).toContain(
    "for folder in $([ -S /run/k3s/containerd/containerd.sock ] && echo /var/lib/rancher/k3s/agent/etc/cni/net.d) /etc/cni/net.d;",
  );
});
