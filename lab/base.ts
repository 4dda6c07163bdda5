/**
 * The Debian system that every host starts from, made once a machine, and the tree of nginx's image, which is made of the same packages.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { maskedUnits } from "./components/operating-system.ts";
import { cacheFolder } from "./instance.ts";
import { run } from "./run.ts";

const release = "bookworm";

/** systemd and SSH make it a host; the rest is what the guide installs on its machines, and what the chapter calls there. */
const hostPackages = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "openssh-server",
  "iptables",
  "nftables",
  "iproute2",
  "bridge-utils",
  "psmisc",
  "bsdextrautils",
  "curl",
  "conntrack",
  "procps",
  "kmod",
  "ca-certificates",
  "ipset",
  "socat",
];
const imagePackages = ["nginx-light", "libc-bin", "coreutils", "bash"];

type Tree = { name: string; packages: readonly string[]; script: string };

const trees = {
  host: {
    name: "host",
    packages: hostPackages,
    script: [
      ...maskedUnits.map((unit) => `ln -sf /dev/null "$1/etc/systemd/system/${unit}"`),
      `rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/machine-id"; touch "$1/etc/machine-id"`,
      `chroot "$1" update-alternatives --set iptables /usr/sbin/iptables-nft >/dev/null`,
    ].join("\n"),
  },
  nginx: {
    name: "nginx",
    packages: imagePackages,
    // As the image on Docker Hub: the log goes to the container's own streams, the page lies where the chapter looks for it.
    script: [
      `ln -sf /dev/stdout "$1/var/log/nginx/access.log"; ln -sf /dev/stderr "$1/var/log/nginx/error.log"`,
      `cp "$1/var/www/html/index.nginx-debian.html" "$1/usr/share/nginx/html/index.html"`,
      `sed -i "s#root /var/www/html;#root /usr/share/nginx/html;#" "$1/etc/nginx/sites-available/default"`,
      `rm -rf "$1/usr/share/doc" "$1/usr/share/man" "$1/usr/share/locale" "$1/var/lib/apt" "$1/var/cache"`,
    ].join("\n"),
  },
} satisfies Record<string, Tree>;

/** Where a tree is kept; the name changes with what goes into it. */
export function treeFolder(which: keyof typeof trees): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([release, trees[which]]))
    .digest("hex");
  return join(cacheFolder, `${which}-${hash.slice(0, 12)}`);
}

/** Makes a tree with mmdebstrap, unless it is there. */
export async function provideTree(which: keyof typeof trees): Promise<string> {
  const folder = treeFolder(which);
  if (existsSync(folder)) return folder;
  const { packages, script } = trees[which];
  const partial = `${folder}.part`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(cacheFolder, { recursive: true });
  const variant = which === "host" ? "minbase" : "apt";
  const options = ["--quiet", `--variant=${variant}`, `--include=${packages.join(",")}`, `--customize-hook=${script}`];
  await run(["mmdebstrap", ...options, release, partial], { endsWithUs: true });
  await rename(partial, folder);
  return folder;
}
