/**
 * The CNI configuration of a Node, read as containerd reads it: of the files in its folder that end in .conf, .conflist or .json, the first
 * by name that is valid counts. https://www.cni.dev/docs/spec/#section-1-network-configuration-format
 */
import { z } from "zod";
import { isCIDR, firstAddress, normalise, normaliseAddress } from "./cidr.ts";
import { ConformanceError } from "./errors.ts";

export type CNIConfiguration = {
  /** The whole path. */
  file: string;
  /** The name of the network. */
  name: string;
  /** The plugin that makes the interface: `bridge`, `ptp`, `flannel`, `calico`, `cilium-cni`. */
  type: string;
  /** The bridge that Pods are put on; only where the plugin is `bridge`. */
  bridge?: string;
  /** Whether the bridge itself has the gateway's address. */
  isGateway: boolean;
  ipam: {
    /** `host-local`, `calico-ipam`; empty where the plugin brings its own, as flannel and cilium do. */
    type: string;
    /** Ranges written in the file, normalised. */
    subnets: string[];
    /** One address for each subnet. */
    gateways: string[];
    /** The plugin takes the ranges from the Node's spec.podCIDRs. */
    usesPodCIDRs: boolean;
  };
};

export type CNIFile = { path: string; text: string };

const range = z.looseObject({ subnet: z.string(), gateway: z.string().optional() });
const plugin = z.looseObject({
  type: z.string().min(1),
  bridge: z.string().optional(),
  isGateway: z.boolean().optional(),
  isDefaultGateway: z.boolean().optional(),
  ipam: z
    .looseObject({
      type: z.string().optional(),
      subnet: z.string().optional(),
      gateway: z.string().optional(),
      ranges: z.array(z.array(range)).optional(),
    })
    .optional(),
});
const single = plugin.extend({ name: z.string() });
const list = z.looseObject({ name: z.string(), plugins: z.array(plugin).min(1) });

type Plugin = z.infer<typeof plugin>;

/**
 * The configuration in use, or undefined where no file is valid.
 * @throws ConformanceError when a range in it is none, such as a placeholder that was never filled in
 */
export function cniConfigurationOf(files: readonly CNIFile[]): CNIConfiguration | undefined {
  const candidates = files
    .filter(({ path }) => /\.(conf|conflist|json)$/.test(path))
    .toSorted((one, other) => (one.path < other.path ? -1 : 1));
  for (const { path, text } of candidates) {
    const found = read(path, text);
    if (found !== undefined) return describe(path, found.name, found.plugin);
  }
  return undefined;
}

function read(path: string, text: string): { name: string; plugin: Plugin } | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (path.endsWith(".conflist")) {
    const { data } = list.safeParse(json);
    return data === undefined ? undefined : { name: data.name, plugin: data.plugins[0] as Plugin };
  }
  const { data } = single.safeParse(json);
  return data === undefined ? undefined : { name: data.name, plugin: data };
}

function describe(file: string, name: string, { type, bridge, isGateway, isDefaultGateway, ipam }: Plugin): CNIConfiguration {
  const ranges = [...(ipam?.subnet === undefined ? [] : [{ subnet: ipam.subnet, gateway: ipam.gateway }]), ...(ipam?.ranges ?? []).flat()];
  // Calico lets host-local ask for the Node's own range by these words.
  // https://docs.tigera.io/calico/latest/reference/configure-cni-plugins
  const written = ranges.filter(({ subnet }) => !/^usePodCidr/i.test(subnet));
  const bad = written.find(({ subnet }) => !isCIDR(subnet));
  if (bad !== undefined) {
    throw new ConformanceError(
      `${file} says subnet "${bad.subnet}", expected an address range such as 10.200.0.0/24. Was the placeholder never filled in?`,
    );
  }
  return {
    file,
    name,
    type,
    ...(type === "bridge" && { bridge: bridge ?? "cni0" }),
    isGateway: isGateway === true || isDefaultGateway === true,
    ipam: {
      type: ipam?.type ?? "",
      subnets: written.map(({ subnet }) => normalise(subnet)),
      gateways: written.map(({ subnet, gateway }) => normaliseAddress(gateway ?? "") ?? firstAddress(subnet)),
      usesPodCIDRs: type === "flannel" || written.length < ranges.length,
    },
  };
}

/**
 * Where CNI files are looked for, in `sh`: the containerd of k3s has a folder of its own, and leaves the usual one to podman and nerdctl.
 * Where it does not run, what is in its folder has been left there.
 */
const folders = "$([ -S /run/k3s/containerd/containerd.sock ] && echo /var/lib/rancher/k3s/agent/etc/cni/net.d) /etc/cni/net.d";

/**
 * Prints, for `sh`, the path and the text of every file of the first folder that holds any.
 * @param text prints the text of `$file` on one line
 */
export const eachCNIFile = (text: string, among = folders): string =>
  `found=; for folder in ${among}; do
    for file in "$folder"/*.conf "$folder"/*.conflist "$folder"/*.json; do
      [ -f "$file" ] && found=yes && printf '%s %s\\n' "$file" "$(${text})"
    done
    [ -z "$found" ] || break
  done`;

/** The texts in base64, which keeps every byte. */
export const cniFilesCommand = eachCNIFile(`base64 "$file" | tr -d '\\n'`);

/** Reads what `cniFilesCommand` has printed. */
export function parseCNIFiles(stdout: string): CNIFile[] {
  return [...stdout.matchAll(/^(.+) ([A-Za-z0-9+/=]*)$/gm)].map(([, path, base64]) => ({
    path: path as string,
    text: Buffer.from(base64 as string, "base64").toString("utf8"),
  }));
}
