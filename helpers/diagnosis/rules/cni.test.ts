import { expect, test } from "vitest";
import { all, causeOf, event, lookalikes, node, said, type Case } from "../recorded.ts";

const sandbox = (reason: string) =>
  event(
    "node-1",
    "FailedCreatePodSandBox",
    `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "abc": ${reason}`,
  );
const notReady = node("node-1", {
  ready: "Ready is False (KubeletNotReady: container runtime network not ready: cni plugin not initialized)",
});
const loopbackAlone = said("node-1", "cni-files", (text) => text.replace(/^.*10-bridge\.conf.*\n?/m, ""));
const exhausted = "failed to allocate for range 0: no IP addresses available in range set: 10.200.1.1-10.200.1.254";

const cases: readonly Case[] = [
  {
    rule: "cni-file-missing",
    check: "nodes-ready",
    change: all(
      said("node-1", "cni-files", () => ""),
      notReady,
    ),
    cause: /^\/etc\/cni\/net\.d on node-1 is empty/,
    // Where the CNI is kept elsewhere, and nobody misses it.
    butNot: [{ change: said("node-1", "cni-files", () => "") }],
  },
  {
    rule: "cni-file-missing",
    check: "replicas-ready",
    change: all(loopbackAlone, sandbox("failed to find network info for sandbox")),
    cause: /^\/etc\/cni\/net\.d on node-1 holds 99-loopback\.conf alone/,
  },
  {
    rule: "cni-plugin-missing",
    check: "replicas-ready",
    change: sandbox('plugin type="bridge" failed (add): failed to find plugin "bridge" in path [/opt/cni/bin]'),
    cause: /^the CNI plugin bridge is missing from \/opt\/cni\/bin on node-1$/,
    butNot: [{ check: "pod-ip-from-server", change: sandbox('failed to find plugin "bridge" in path [/opt/cni/bin]') }],
  },
  {
    rule: "cni-versions-differ",
    check: "replicas-ready",
    change: sandbox('incompatible CNI versions; config is "1.0.0"'),
    cause: /do not fit each other on node-1/,
    butNot: [{ change: sandbox('plugin type="bridge" failed (add): cniVersion "1.0.0" is odd') }],
  },
  {
    rule: "cni-subnet-not-filled-in",
    check: "replicas-ready",
    change: sandbox("invalid CIDR address: SUBNET"),
    cause: /has a placeholder/,
    butNot: [{ change: sandbox(exhausted) }],
  },
  {
    rule: "bridge-without-gateway",
    check: "replicas-ready",
    change: all(
      said("node-1", "addresses", (text) => text.replace(/^cni0 10\.200\.1\.1\/24/m, "cni0 10.200.99.1/24")),
      sandbox('failed to set bridge addr: "cni0" already has an IP address different from 10.200.1.1/24'),
    ),
    cause: /^the bridge cni0 on node-1 has not the address 10\.200\.1\.1, the gateway of \/etc\/cni\/net\.d\/10-bridge\.conf: /,
    // A Node that has never had a Pod has no bridge.
    butNot: [
      {
        change: all(
          said("node-1", "addresses", (text) => text.replace(/^cni0 .*\n/gm, "")),
          said("node-1", "links", (text) => text.replace(/^.*cni0.*\n?/gm, "")),
        ),
      },
    ],
  },
  {
    rule: "pod-addresses-exhausted",
    check: "replicas-ready",
    change: sandbox(exhausted),
    cause: /has no address left$/,
    butNot: [{ change: sandbox("invalid CIDR address: SUBNET") }],
  },
  {
    rule: "cgroup-drivers-differ",
    check: "replicas-ready",
    change: sandbox('expected cgroupsPath to be of format "slice:prefix:name"'),
    cause: /cgroup driver$/,
    butNot: [{ change: sandbox("cgroups: cannot find cgroup mount destination") }],
  },
  {
    rule: "sandbox-not-created",
    check: "replicas-ready",
    change: sandbox("something else"),
    cause: /^containerd on node-1 cannot create the Pod's sandbox: .*something else$/,
    butNot: [{ change: event("node-1", "FailedMount", "something else") }, { check: "port-forward", change: sandbox("something else") }],
  },
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
