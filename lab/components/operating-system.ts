import { hostsOf } from "../topology.ts";
import type { Instance } from "../instance.ts";
import { unitPath, type Component } from "./component.ts";

/** What a Debian host needs to be one of the lab's: names, SSH, and cgroups that containerd may write. */
export function operatingSystem({ topology }: Instance, name: string): Component {
  const names = hostsOf(topology).map((host) => `${host.address} ${host.name}.kubernetes.local ${host.name}`);
  return {
    files: {
      "/etc/hostname": { text: `${name}\n` },
      "/etc/hosts": { text: ["127.0.0.1 localhost", ...names, ""].join("\n") },
      // There is no name server inside of the lab; a kubelet wants the file all the same.
      "/etc/resolv.conf": { text: "options attempts:1 timeout:1\n" },
      "/root/.ssh/authorized_keys": { pki: "id_ed25519.pub" },
      "/etc/ssh/sshd_config.d/lab.conf": { text: "PermitRootLogin prohibit-password\nUseDNS no\n" },
      [unitPath("writable-cgroups.service")]: { text: writableCgroups },
    },
    units: ["writable-cgroups.service"],
  };
}

/** What a host in a namespace has no use for, and would only spend its start on. */
export const maskedUnits: readonly string[] = [
  "systemd-networkd.service",
  "systemd-networkd.socket",
  "systemd-resolved.service",
  "systemd-timesyncd.service",
  "systemd-logind.service",
  "getty.target",
  "console-getty.service",
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "fstrim.timer",
  "systemd-tmpfiles-clean.timer",
  "exim4.service",
  "netfilter-persistent.service",
];

/**
 * systemd-nspawn mounts cgroup v1 hierarchies and /proc/sys read-only. On cgroup v2 there is nothing to remount but /proc/sys. It comes
 * after systemd-sysctl, which would else set what Debian likes in this machine's kernel.
 */
const writableCgroups = `[Unit]
Description=Cgroups that containerd and the kubelet may write
DefaultDependencies=no
After=systemd-sysctl.service
Before=containerd.service kubelet.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do mountpoint -q "$d" && { mount -o remount,rw "$d" || mount -o remount,bind,rw "$d"; }; done 2>/dev/null; mount -o remount,rw /proc/sys || true'
[Install]
WantedBy=multi-user.target
`;
