import type { WorkerComponent } from "./component.ts";

const json = (value: unknown) => ({ text: `${JSON.stringify(value, null, 2)}\n` });

/** The CNI plugins and their two files: the guide's chapter 9. */
export const cni: WorkerComponent = (_instance, { podCIDR }) => ({
  files: {
    "/opt/cni/bin/bridge": { binary: "bridge" },
    "/opt/cni/bin/host-local": { binary: "host-local" },
    "/opt/cni/bin/loopback": { binary: "loopback" },
    "/etc/cni/net.d/10-bridge.conf": json({
      cniVersion: "1.0.0",
      name: "bridge",
      type: "bridge",
      bridge: "cni0",
      isGateway: true,
      ipMasq: true,
      ipam: { type: "host-local", ranges: [[{ subnet: podCIDR }]], routes: [{ dst: "0.0.0.0/0" }] },
    }),
    "/etc/cni/net.d/99-loopback.conf": json({ cniVersion: "1.1.0", name: "lo", type: "loopback" }),
  },
  units: [],
});
