/**
 * The binaries that the guide downloads, built from Go modules that go.mod and go.sum pin. Built once a machine and set of pins.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./instance.ts";
import { run } from "./run.ts";

type Module = {
  name: string;
  packages: readonly string[];
  /** The name of the binary, where the package's last part is not it. */
  output?: string;
  cgo?: boolean;
  tags?: string;
  linkerFlags?: readonly string[];
};

/** The version that Kubernetes' binaries say they are; a plain build says v0.0.0, and a kubelet of that version registers oddly. */
function kubernetesStamp(): string[] {
  const [, major = "1", minor = "", patch = ""] =
    /k8s\.io\/kubernetes v(\d+)\.(\d+)\.(\d+)/.exec(readFileSync(goModOf("kubernetes"), "utf8")) ?? [];
  const values = { gitVersion: `v${major}.${minor}.${patch}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  const packages = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"];
  return packages.flatMap((path) => Object.entries(values).map(([name, value]) => `-X ${path}.${name}=${value}`));
}

function criToolsStamp(): string[] {
  const [, version = ""] = /sigs\.k8s\.io\/cri-tools v(\S+)/.exec(readFileSync(goModOf("cri-tools"), "utf8")) ?? [];
  return [`-X sigs.k8s.io/cri-tools/pkg/version.Version=${version}`];
}

const goModOf = (name: string): string => join(import.meta.dirname, "modules", name, "go.mod");
const all = (prefix: string, ...names: readonly string[]): string[] => names.map((name) => `${prefix}/${name}`);

const kubernetes = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"];

function modules(): Module[] {
  return [
    { name: "kubernetes", packages: all("k8s.io/kubernetes/cmd", ...kubernetes), linkerFlags: kubernetesStamp() },
    { name: "etcd", packages: ["go.etcd.io/etcd/server/v3"], output: "etcd" },
    { name: "etcd", packages: ["go.etcd.io/etcd/etcdctl/v3"], output: "etcdctl" },
    { name: "containerd", packages: all("github.com/containerd/containerd/v2/cmd", "containerd", "containerd-shim-runc-v2", "ctr") },
    { name: "cri-tools", packages: ["sigs.k8s.io/cri-tools/cmd/crictl"], linkerFlags: criToolsStamp() },
    { name: "cni", packages: all("github.com/containernetworking/plugins/plugins", "main/bridge", "main/loopback", "ipam/host-local") },
    // Without the seccomp tag every Pod with a profile fails: "config provided but seccomp not supported".
    {
      name: "runc",
      packages: ["github.com/opencontainers/runc"],
      cgo: true,
      tags: "seccomp netgo osusergo",
      linkerFlags: ["-linkmode external", "-extldflags -static"],
    },
    // Its own main has the storage of three clouds besides, which takes a minute more to compile.
    { name: "registry", packages: ["."], output: "registry" },
  ];
}

export const binaryNames: readonly string[] = [
  ...kubernetes,
  "etcd",
  "etcdctl",
  "containerd",
  "containerd-shim-runc-v2",
  "ctr",
  "crictl",
  "bridge",
  "loopback",
  "host-local",
  "runc",
  "registry",
];

/** Where the binaries of these pins are kept. */
export function binariesFolder(): string {
  const hash = createHash("sha256");
  const folder = join(import.meta.dirname, "modules");
  for (const name of readdirSync(folder).toSorted()) {
    for (const file of readdirSync(join(folder, name)).toSorted()) hash.update(readFileSync(join(folder, name, file)));
  }
  return join(cacheFolder, `binaries-${hash.digest("hex").slice(0, 12)}`);
}

export const haveBinaries = (): boolean => existsSync(binariesFolder());

/** Which binaries a folder lacks. */
export const missingFrom = (folder: string): string[] => binaryNames.filter((name) => !existsSync(join(folder, name)));

/**
 * Builds what is not there yet, into the cache.
 * @param ready LAB_BINARIES, a folder that holds the binaries already: it is used where it is, because the cache is for these pins alone
 * @param onStep hears what is built as its build begins
 */
export async function provideBinaries(ready: string | undefined, onStep: (name: string) => void): Promise<string> {
  if (ready !== undefined) return ready;
  const folder = binariesFolder();
  if (haveBinaries()) return folder;
  const partial = `${folder}.part`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const wanted = modules();
  for (const [index, module] of wanted.entries()) {
    onStep(`${module.output ?? module.name}, ${index + 1} of ${wanted.length}`);
    await build(module, partial);
  }
  await rename(partial, folder);
  return folder;
}

async function build({ name, packages, output, cgo = false, tags, linkerFlags = [] }: Module, folder: string): Promise<void> {
  // Nobody debugs these: without debugging information, and with a lazier garbage collector, compiling takes a fifth less.
  const command: [string, ...string[]] = ["go", "build", "-trimpath", "-gcflags=all=-dwarf=false"];
  command.push("-ldflags", ["-s", "-w", ...linkerFlags].join(" "));
  if (tags !== undefined) command.push("-tags", tags);
  command.push("-o", output === undefined ? `${folder}/` : join(folder, output), ...packages);
  await run(command, {
    endsWithUs: true,
    folder: join(import.meta.dirname, "modules", name),
    environment: { CGO_ENABLED: cgo ? "1" : "0", GOFLAGS: "-mod=readonly", GOGC: "400", GOTOOLCHAIN: "auto" },
  });
}
